import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.archive import planning
from osteo_edge.archive.plan import PLAN, RECORD, SHARDS_A_FILE, Plan, read_plan
from osteo_edge.archive.planning import Wish, grow_plan, make_plan, require_usable, resume_plan
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file

Planned = Callable[..., Plan]
Wished = Callable[..., Wish]


def silent(films: int) -> None:
    """Whoever does not want to hear how many films were found."""


def test_a_plan_holds_each_film_once_in_shards_of_one_size(planned: Planned, archive: Path) -> None:
    plan = planned()
    shards = [[film.name for film in plan.films_of(shard)] for shard in range(plan.shards)]
    assert [len(shard) for shard in shards] == [plan.films_in(shard) for shard in range(plan.shards)] == [3, 3, 1]
    names = [name for shard in shards for name in shard]
    assert names == sorted(set(names)) == list(plan.names())
    assert plan.films == 7
    assert plan.films_of(0)[0].path == archive / "a" / "bright.png"
    assert plan.record.left_out == {"hidden": 1, "not_an_image": 1}


def test_a_plan_is_read_as_it_was_made(planned: Planned) -> None:
    plan = planned(maps=True, limit=5)
    read = read_plan(plan.out)
    assert read is not None
    assert read.record == plan.record
    assert read.films == 5


def test_a_folder_without_a_plan_has_none(tmp_path: Path) -> None:
    assert read_plan(tmp_path) is None


def test_a_plan_does_not_change_when_the_source_does(planned: Planned, archive: Path, film: Path) -> None:
    plan = planned()
    names = list(plan.names())
    (archive / "new.png").write_bytes(film.read_bytes())
    (archive / "bright.png").unlink()
    read = read_plan(plan.out)
    assert read is not None
    assert list(read.names()) == names


def test_the_films_of_many_shards_lie_in_several_files(planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SHARDS_A_FILE", 2)
    plan = planned(shard_size=2)
    assert [(file.first_shard, file.shards, file.films) for file in plan.record.index] == [(0, 2, 4), (2, 2, 3)]
    assert [len(plan.films_of(shard)) for shard in range(4)] == [2, 2, 2, 1]
    assert len(set(plan.names())) == 7


def test_shards_lie_in_folders_of_a_thousand(planned: Planned) -> None:
    plan = planned()
    first, last, next_one = (plan.part(shard) for shard in (0, SHARDS_A_FILE - 1, SHARDS_A_FILE))
    assert first.parent == last.parent != next_one.parent
    assert next_one.relative_to(plan.out).as_posix() == "films/block=00001/part-00001000.parquet"


def test_what_is_there_is_not_missing(planned: Planned) -> None:
    plan = planned()
    assert plan.missing() == [0, 1, 2]
    plan.part(1).parent.mkdir(parents=True)
    plan.part(1).touch()
    plan.part(2).with_name(f".{plan.part(2).name}.abc.partial").touch()
    assert plan.missing() == [0, 2]


def test_a_plan_grows_by_the_films_that_came_since(planned: Planned, wish: Wished, archive: Path, film: Path) -> None:
    plan = planned()
    before = list(plan.names())
    for name in ("a/new.png", "newer.png"):
        (archive / name).write_bytes(film.read_bytes())
    grown = grow_plan(plan, wish(), silent)
    assert list(grown.names()) == [*before, "a/new.png", "newer.png"]
    assert [grown.films_in(shard) for shard in range(grown.shards)] == [3, 3, 1, 2]
    assert read_plan(plan.out) == grown
    again = grow_plan(grown, wish(), silent)
    assert again.record.index == grown.record.index


def test_a_film_that_a_list_names_otherwise_by_now_is_not_new(wish: Wished, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "knees.txt").write_text("archive/bright.png\n")
    (tmp_path / "results").mkdir()
    plan = make_plan(wish(tmp_path / "knees.txt"), tmp_path / "results", silent)
    (tmp_path / "knees.txt").write_text(f"{archive}/bright.png\n./archive/a/dark.png\n")
    grown = grow_plan(plan, wish(tmp_path / "knees.txt"), silent)
    assert list(grown.names()) == ["archive/bright.png", "./archive/a/dark.png"]


def test_a_list_of_films_on_a_disk_that_is_away_is_refused(wish: Wished, tmp_path: Path) -> None:
    films, out = tmp_path / "films.txt", tmp_path / "results"
    films.write_text("/media/nobody/one.png\nold/two.png\n")
    out.mkdir()
    with pytest.raises(OsteoEdgeError, match=r"films.txt: no folder of its films is there; connect it, or mend"):
        make_plan(wish(films), out, silent)
    assert list(out.iterdir()) == []


def test_a_plan_that_grows_knows_where_its_new_films_lie(
    wish: Wished, planned: Planned, archive: Path, tmp_path: Path, other_disk: Path
) -> None:
    films = tmp_path / "films.txt"
    films.write_text("archive/a/dark.png\n")
    plan = planned(source=films)
    (other_disk / "new.png").write_bytes((archive / "bright.png").read_bytes())
    films.write_text(f"archive/a/dark.png\n{other_disk}/new.png\n")
    grown = grow_plan(plan, wish(films), silent)
    assert grown.record.folders == tuple(sorted((str(archive / "a"), str(other_disk))))


def test_an_interrupted_plan_leaves_none(wish: Wished, tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()

    def interrupt(films: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_plan(wish(), out, interrupt)
    assert list(out.iterdir()) == []


def test_what_a_killed_program_left_of_its_plan_is_removed(wish: Wished, tmp_path: Path) -> None:
    out = tmp_path / "results"
    (out / f".{PLAN}.abc.partial").mkdir(parents=True)
    require_usable(out)
    make_plan(wish(), out, silent)
    assert [path.name for path in out.iterdir()] == [PLAN]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"limit": 2}, r"another --limit .None, not 2."),
        ({"shard_size": 4}, "another --shard-size"),
        ({"any_film": True}, r"another --any-film .False, not True."),
        ({"maps": True}, "another --maps"),
    ],
)
def test_results_of_another_kind_are_not_mixed(
    changes: dict[str, Any], told: str, planned: Planned, wish: Wished
) -> None:
    plan = planned()
    assert resume_plan(plan, replace(wish(), shard_size=None)) == plan
    with pytest.raises(OsteoEdgeError, match=f"results: was begun with {told}"):
        resume_plan(plan, wish(**changes))


def test_results_of_another_source_bundle_or_program_are_not_mixed(
    planned: Planned, wish: Wished, archive: Path, golden_bundle: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned()
    with pytest.raises(OsteoEdgeError, match=r"another source .*archive, not .*archive/a"):
        resume_plan(plan, wish(archive / "a"))
    with pytest.raises(OsteoEdgeError, match="another bundle"):
        resume_plan(plan, replace(wish(), bundle=golden_bundle("other", precision="float32")))
    with pytest.raises(OsteoEdgeError, match="another program"):
        resume_plan(plan, replace(wish(), runtime="LiteRT 0.1, 1 thread"))


def test_a_bundle_that_was_moved_is_used_where_it_lies_now(planned: Planned, wish: Wished, tmp_path: Path) -> None:
    plan = planned()
    wished = wish()
    moved = wished.bundle.path.rename(tmp_path / "moved")
    assert resume_plan(plan, replace(wished, bundle=replace(wished.bundle, path=moved))).bundle == moved


def test_a_source_without_films_is_refused(wish: Wished, archive: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "note.txt").write_text("nothing")
    (tmp_path / "out").mkdir()
    with pytest.raises(OsteoEdgeError, match=r"none: holds no film \(left out: 1 not_an_image\)"):
        make_plan(wish(tmp_path / "none"), tmp_path / "out", silent)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    with pytest.raises(OsteoEdgeError, match="holds something else"):
        require_usable(tmp_path / "photos")
    with pytest.raises(OsteoEdgeError, match="is a file"):
        require_usable(tmp_path / "photos" / "cat.png")
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.png"]
    require_usable(tmp_path / "new")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


DAMAGES: list[tuple[str, Callable[[Path], Any], str]] = [
    (RECORD, cut, "cannot be read"),
    (RECORD, lambda path: path.write_text("{}"), "missing field"),
    (RECORD, lambda path: path.write_text(json.dumps({"schema": 2})), "newer than this program knows"),
    ("00000.parquet", cut, "is not as it was written"),
    ("00000.parquet", Path.unlink, "cannot be read"),
]


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGES)
def test_a_damaged_plan_is_refused(name: str, damage: Callable[[Path], Any], told: str, planned: Planned) -> None:
    path = planned().out / PLAN / name
    damage(path)
    with pytest.raises(OsteoEdgeError, match=told) as caught:
        read_plan(path.parent.parent)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_plan_that_is_damaged_while_it_is_used_is_told_of(planned: Planned) -> None:
    plan = planned()
    path = plan.out / PLAN / "00000.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(OsteoEdgeError, match="the plan is damaged"):
        plan.films_of(0)


def test_a_plan_that_does_not_fit_on_the_disk_is_not_left_half(wish: Wished, full_disk: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"the plan cannot be written .No space left on device.; free some space"):
        make_plan(wish(), full_disk, silent)
    assert list(full_disk.iterdir()) == []


def test_the_record_names_the_manifest_by_its_hash(planned: Planned) -> None:
    plan = planned()
    assert plan.record.bundle_sha256 == sha256_file(plan.bundle / "manifest.json")
