"""What a watch screens, and what it tells."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.watching import (
    Answered,
    Event,
    FolderBack,
    FolderGone,
    PutOff,
    SeenBefore,
    Unreadable,
    open_station,
    watch,
)
from osteo_edge.errors import BundleError, MissingExtraError, OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import screen
from osteo_edge.wording import COMPARISON_USE, FAILED_CHECK, PHANTOM_USE, headline
from tests.cascade import write_cascade
from tests.edge_app.watching.place import Draw, Looks, Place, of


def test_each_film_gets_the_answer_that_screen_gives_and_is_not_screened_again(
    place: Place, films: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    from osteo_edge.cli import run

    events = place.run(overlay=True)
    assert of(Answered, events) == ["a.png", "b.png", "c.png"]
    place.require_each_once(overlays=True)
    assert run(["screen", str(place.bundle.path), *map(str, films), "--json"]) == 0
    for line, result in zip(capsys.readouterr().out.splitlines(), place.results, strict=True):
        expected, found = json.loads(line), json.loads(result.read_bytes())
        assert Path(found.pop("overlay")).is_file()
        changing = {"overlay", "stage_ms", "taken_at", "runtime"}
        assert {k: v for k, v in found.items() if k not in changing} == {
            k: v for k, v in expected.items() if k not in changing
        }
    assert [row["outcome"] for row in place.rows] == ["refer", "uncertain", "no_finding"]
    assert place.run(overlay=True) == []
    place.require_each_once(overlays=True)


def test_a_film_under_another_name_is_noted_once(place: Place, films: list[Path]) -> None:
    place.run()
    shutil.copy(films[0], place.folder / "copy.png")
    assert of(SeenBefore, place.run()) == ["copy.png"]
    assert [line["name"] for line in place.ledger if line["outcome"] == "seen_before"] == ["copy.png"]
    assert place.run() == []
    place.require_each_once()


def test_other_content_under_the_same_name_is_another_film(place: Place, films: list[Path], draw_film: Draw) -> None:
    place.run()
    draw_film("films/a.png", brightness=0.3)
    assert of(Answered, place.run()) == ["a.png"]
    assert [line["name"] for line in place.ledger] == ["a.png", "b.png", "c.png", "a.png"]
    assert len({path.name for path in place.results}) == 4


def test_a_file_that_cannot_be_read_is_told_once_and_stops_nothing(place: Place, films: list[Path]) -> None:
    bad = place.folder / "=bad.png"
    bad.write_bytes(films[0].read_bytes()[:900])
    events = place.run()
    assert (of(Unreadable, events), len(of(Answered, events))) == (["=bad.png"], 3)
    (row,) = (row for row in place.rows if row["outcome"] == "unreadable")
    assert (row["file"], row["result"], row["score"]) == ("'=bad.png", "", "")
    assert "damaged or incomplete" in row["reasons"]
    assert place.run() == []
    bad.write_bytes(films[0].read_bytes() + b"\n")
    assert of(Answered, place.run()) == ["=bad.png"]


def test_a_missing_package_says_nothing_about_the_film(
    place: Place, films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise MissingExtraError("DICOM", "pydicom", "dicom")

    with monkeypatch.context() as without:
        without.setattr("osteo_edge.edge_app.watching.screen", fail)
        assert of(PutOff, place.run()) == ["a.png", "b.png", "c.png"]
    assert of(Answered, place.run()) == ["a.png", "b.png", "c.png"]
    place.require_each_once()


def test_a_film_that_changes_while_it_is_read_is_left_for_later(
    place: Place, films: list[Path], draw_film: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = draw_film("changed.png", brightness=0.3)

    def slowly(path: Path, *arguments: object, **options: object) -> object:
        if path == films[0] and sha256_file(path) != sha256_file(changed):
            films[0].write_bytes(changed.read_bytes())
        return screen(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("osteo_edge.edge_app.watching.screen", slowly)
    assert of(Answered, place.run()) == ["b.png", "c.png", "a.png"]
    place.require_each_once()


def test_a_folder_that_goes_and_comes_back_is_told_once_each_and_screened_on(
    place: Place, films: list[Path], draw_film: Draw
) -> None:
    aside = place.folder.with_name("aside")

    def back() -> None:
        aside.rename(place.folder)
        draw_film("films/d.png", brightness=0.4)

    nothing = [lambda: None] * 3
    pause = Looks([*nothing, lambda: place.folder.rename(aside), *nothing, back, *nothing])
    events = place.run(once=False, pause=pause)
    assert [type(event) for event in events] == [Answered] * 3 + [FolderGone, FolderBack, Answered]
    place.require_each_once()


def test_a_folder_that_is_not_there_is_an_error_only_with_once(place: Place) -> None:
    place.folder.rmdir()
    with pytest.raises(OsteoEdgeError, match="films: cannot be read"):
        place.run()
    assert place.run(once=False, pause=Looks([lambda: None] * 3)) == [FolderGone("No such file or directory")]


def test_the_end_is_asked_for_between_two_films(place: Place, films: list[Path]) -> None:
    told: list[Event] = []
    with open_station(place.bundle, open_interpreter(place.bundle), place.out) as station:
        for event in watch(place.folder, station, lambda seconds: not told, every_s=1.0):
            told.append(event)
    assert of(Answered, told) == ["a.png"]
    assert of(Answered, place.run()) == ["b.png", "c.png"]


def test_a_model_that_failed_its_check_is_refused_unless_forced_and_then_warned_of(
    place: Place, films: list[Path], failed_bundle: Bundle
) -> None:
    failed = Place(place.folder, place.out, failed_bundle)
    with pytest.raises(BundleError, match="add --force"):
        failed.run()
    assert not failed.out.exists()
    failed.run(force=True)
    assert {row["warnings"] for row in failed.rows} == {FAILED_CHECK}


def test_a_model_for_comparison_alone_watches_nothing(
    place: Place, films: list[Path], tmp_path: Path, manifest: Manifest
) -> None:
    router = write_cascade(tmp_path / "router", manifest, intended_use=COMPARISON_USE)
    only_compares = Place(place.folder, place.out, router)
    with pytest.raises(BundleError, match="only for comparison with other models; take another one"):
        only_compares.run()
    assert not only_compares.out.exists()


def test_every_row_of_a_demonstration_says_so(
    place: Place, films: list[Path], golden_bundle: Callable[..., Bundle]
) -> None:
    drawn = Place(place.folder, place.out, golden_bundle("drawn", intended_use=PHANTOM_USE))
    drawn.run()
    assert {row["warnings"] for row in drawn.rows} == {PHANTOM_USE}


def test_every_row_speaks_of_what_the_model_looks_for_and_the_ledger_knows_it(
    place: Place, films: list[Path], golden_bundle: Callable[..., Bundle]
) -> None:
    limbs = Place(place.folder, place.out, golden_bundle("limbs", finding="abnormality"))
    limbs.run()
    words = [headline(outcome, "abnormality") for outcome in ("refer", "uncertain", "no_finding")]
    assert [row["outcome_in_words"] for row in limbs.rows] == words
    assert {line["finding"] for line in limbs.ledger} == {"abnormality"}


def test_a_ledger_about_bone_density_is_as_older_programs_read_it(place: Place, films: list[Path]) -> None:
    place.run()
    assert not [line for line in place.ledger if {"finding", "bone"} & line.keys()]


@pytest.mark.parametrize("name", ["x" * 251, "é" * 125, "knee.v2", "line\nbreak", "kn\udce9e"])
def test_any_name_of_a_film_gives_a_result(name: str, place: Place, draw_film: Draw) -> None:
    draw_film("plain.png", brightness=0.85).rename(place.folder / f"{name}.png")
    place.run(overlay=True)
    place.require_each_once(overlays=True)
    assert place.run() == []


def test_two_films_of_one_name_and_day_keep_apart(place: Place, draw_film: Draw) -> None:
    for brightness in (0.85, 0.2):
        draw_film("films/knee.png", brightness=brightness)
        place.run()
    assert sorted(Counter(path.name[:5] for path in place.results).items()) == [("knee-", 2)]
    digest = sha256_bytes((place.folder / "knee.png").read_bytes())
    assert place.results[0].parent / f"knee-{digest[:8]}.json" in place.results


def test_what_somebody_else_laid_among_the_results_keeps_nobody_from_watching(place: Place, films: list[Path]) -> None:
    place.run()
    (day,) = place.out.glob("2*")
    (day / "folder.json").mkdir()
    (day / "link.json").symlink_to(place.out / "nowhere")
    (day / "note.json").write_bytes(b"{}")
    (place.out / "2026-01-01").write_bytes(b"no folder")
    assert place.run() == []
    assert len(place.rows) == len(place.ledger) == len(films)
