import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from osteo_edge.archive.film import Film, Options
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.planning import Wish, make_plan
from osteo_edge.archive.shards import run_shard, screener_for
from osteo_edge.errors import BundleError, OsteoEdgeError
from tests.osteo_edge.archive.conftest import BRIGHTNESS
from tests.osteo_edge.archive.results import outcomes_of, rows_of, screen_here

Planned = Callable[..., Plan]


def test_the_shards_of_a_plan_give_each_film_one_row(planned: Planned) -> None:
    plan = planned()
    summaries = screen_here(plan)
    assert outcomes_of(plan.out) == {
        **{name: ("refer", "threshold_reached") for name in BRIGHTNESS if "bright" in name},
        **{name: ("no_finding", "below_threshold") for name in BRIGHTNESS if "dark" in name},
        "b/blank.png": ("rejected", "blank"),
        "b/cut.png": ("unreadable", "damaged"),
    }
    assert len(rows_of(plan.out)) == 7
    assert plan.missing() == []
    assert [(done.shard, done.films) for done in summaries] == [(0, 3), (1, 3), (2, 1)]
    assert summaries[0].outcomes == {"refer": 1, "no_finding": 1, "rejected": 1}
    assert summaries[1].reasons == {"threshold_reached": 1, "below_threshold": 1, "damaged": 1}


def test_a_shard_that_is_done_twice_is_there_once(planned: Planned) -> None:
    plan = planned()
    screen_here(plan)
    rows = rows_of(plan.out)
    screen_here(plan, 1, 2, 1)
    assert rows_of(plan.out) == rows


def test_rows_lie_in_the_order_of_the_plan(planned: Planned) -> None:
    plan = planned()
    screen_here(plan, 0)
    names = pyarrow.parquet.read_table(plan.part(0), partitioning=None).column("film").to_pylist()
    assert names == [film.name for film in plan.films_of(0)]


def test_without_room_no_half_of_a_shard_is_left(wish: Callable[..., Wish], full_disk: Path) -> None:
    filling = full_disk.parent / "filling"
    size = filling.stat().st_size
    filling.unlink()
    plan = make_plan(wish(), full_disk, on_found=lambda films: None)
    filling.write_bytes(bytes(size - 8192))
    with pytest.raises(
        OsteoEdgeError, match=r"the results cannot be written .No space left on device.; free some space"
    ):
        screen_here(plan, 0)
    assert plan.missing() == [0, 1, 2]
    filling.unlink()
    screen_here(plan)
    assert len(rows_of(plan.out)) == 7


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_source_that_was_taken_away_is_no_archive_of_unreadable_films(
    how: str, planned: Planned, archive: Path
) -> None:
    plan = planned()
    shutil.rmtree(archive)
    if how == "empty":
        archive.mkdir()
    with pytest.raises(OsteoEdgeError, match="archive: is no longer there; connect it and run the same command again"):
        screen_here(plan, 0)
    assert plan.missing() == [0, 1, 2]


def test_films_of_a_list_whose_folder_is_gone_are_not_put_down_as_unreadable(
    planned: Planned, archive: Path, tmp_path: Path
) -> None:
    films = tmp_path / "films.csv"
    films.write_text("path\narchive/a/bright.png\narchive/b/c/dark.png\n")
    plan = planned(source=films)
    assert plan.record.folders == (str(archive),)
    films.unlink()  # it is not needed any more
    archive.rename(tmp_path / "away")
    with pytest.raises(OsteoEdgeError, match="archive: is no longer there"):
        screen_here(plan)
    (tmp_path / "away").rename(archive)
    screen_here(plan)
    assert {outcome for outcome, _ in outcomes_of(plan.out).values()} == {"refer", "no_finding"}


def test_a_lost_disk_of_several_is_the_one_that_is_named(
    planned: Planned, archive: Path, tmp_path: Path, other_disk: Path
) -> None:
    shutil.copytree(archive / "b", other_disk / "films")
    (archive / "linked").symlink_to(other_disk / "films")
    plan = planned(shard_size=1)
    assert set(plan.record.folders) == {str(archive), str(other_disk / "films")}
    (other_disk / "films").rename(other_disk / "away")
    places = {film.name: shard for shard in range(plan.shards) for film in plan.films_of(shard)}
    screen_here(plan, places["a/bright.png"])
    with pytest.raises(OsteoEdgeError, match="films: is no longer there"):
        screen_here(plan, places["linked/c/dark.png"])
    (archive / "bright.png").unlink()  # on the disk that is there
    screen_here(plan, places["bright.png"])
    assert outcomes_of(plan.out)["bright.png"] == ("unreadable", "cannot_be_read")


def test_a_folder_of_the_archive_that_is_gone_is_so_many_unreadable_films(planned: Planned, archive: Path) -> None:
    plan = planned()
    shutil.rmtree(archive / "a")
    screen_here(plan)
    found = outcomes_of(plan.out)
    assert found["a/bright.png"] == found["a/dark.png"] == ("unreadable", "cannot_be_read")
    assert found["bright.png"] == ("refer", "threshold_reached")


def test_what_is_done_again_keeps_the_rows_of_films_that_were_opened(
    planned: Planned, archive: Path, tmp_path: Path
) -> None:
    plan = planned(shard_size=4)
    away = (archive / "a" / "dark.png").rename(tmp_path / "away.png")
    screen_here(plan)
    before = {row["film"]: row for row in rows_of(plan.out)}
    away.rename(archive / "a" / "dark.png")
    (archive / "a" / "bright.png").unlink()
    screen_here(plan)
    after = {row["film"]: row for row in rows_of(plan.out)}
    assert after.pop("a/dark.png")["outcome"] == "no_finding"
    assert before.pop("a/dark.png")["outcome"] == "unreadable"
    assert after == before
    names = pyarrow.parquet.read_table(plan.part(0), partitioning=None).column("film").to_pylist()
    assert names == [film.name for film in plan.films_of(0)]


def test_a_single_film_that_is_gone_is_unreadable(planned: Planned, archive: Path) -> None:
    plan = planned()
    (archive / "bright.png").unlink()
    screen_here(plan)
    assert outcomes_of(plan.out)["bright.png"] == ("unreadable", "cannot_be_read")


def test_another_bundle_or_program_does_not_go_on(planned: Planned) -> None:
    plan = planned()
    other = replace(plan, record=replace(plan.record, program="osteo-edge 0.0.1, LiteRT 0.1, 1 thread"))
    with pytest.raises(OsteoEdgeError, match=r"was begun with osteo-edge 0.0.1, .*; here is osteo-edge"):
        screener_for(other, isolated=False)
    manifest = plan.bundle / "manifest.json"
    about = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**about, "version": "other"}))
    with pytest.raises(BundleError, match="is another bundle than"):
        screener_for(plan, isolated=False)


def test_a_bundle_that_is_gone_is_one_line(planned: Planned) -> None:
    plan = planned()
    shutil.rmtree(plan.bundle)
    with pytest.raises(BundleError, match="no such bundle"):
        screener_for(plan, isolated=False)


def test_the_plans_options_are_the_screeners(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(maps=True)
    assert plan.record.options == Options(maps=True)
    with screener_for(plan, isolated=False) as screener:
        run_shard(plan, 0, screener)
    maps = [row["map"] for row in rows_of(plan.out)]
    assert sum(name is not None for name in maps) == 1
    assert all((plan.out / name).is_file() for name in maps if name)


def test_a_film_is_named_as_the_plan_has_it(planned: Planned, archive: Path) -> None:
    assert planned().films_of(0)[0] == Film("a/bright.png", archive / "a" / "bright.png")
