"""The app reads films in a process apart, and a film that breaks its decoder is one line."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.edge_app import film_reader
from osteo_edge.edge_app.answer import open_saved, screen_film
from osteo_edge.edge_app.browsing.thumbnails import Thumbnails
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.film_reader import FilmReader
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient, new_id
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.errors import RadiographError
from osteo_edge.radiograph import Radiograph, read_radiograph

MakeReader = Callable[..., FilmReader]
BREAKS = "the file breaks the image decoder (Segmentation fault); export the radiograph as PNG or DICOM"
ENDS_GDCM = Path(__file__).parents[1] / "data" / "frame-that-ends-gdcm.dcm"
"""Drawn, and damaged by the fuzzer: python-gdcm calls abort() over it."""
PATIENT = Patient("K-17", 67, "female", 52.5)
PATIENCE_S = 20.0


@pytest.fixture
def clinic(tmp_path: Path, hostile_reader: MakeReader) -> Iterator[Clinic]:
    """A clinic on the demonstration, whose films are decoded by a decoder that does what they say."""
    clinic = Clinic(Folders(tmp_path / "clinic"))
    clinic.__dict__["reader"] = hostile_reader()
    yield clinic
    clinic.close()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.jpg"
    path.write_bytes(DRAWN_FILM.read_bytes())
    return path


@pytest.fixture
def crashing(tmp_path: Path) -> Path:
    path = tmp_path / "crashing.jpg"
    path.write_bytes(DRAWN_FILM.read_bytes() + b"#crash")
    return path


def told(radiograph: Radiograph) -> Any:
    return radiograph.source, radiograph.sha256, radiograph.pixels.tobytes()


def children() -> set[int]:
    tasks = Path("/proc/self/task").iterdir()
    return {int(word) for task in tasks for word in (task / "children").read_text("ascii").split()}


@pytest.mark.usefixtures("decoded_apart")
def test_a_film_is_what_it_is_without_a_process_apart_and_the_process_ends_with_the_reader(good: Path) -> None:
    before, reader = children(), FilmReader()
    reader.start()
    (process,) = children() - before
    assert told(reader(good)) == told(reader.decode(good.read_bytes(), good)) == told(read_radiograph(good))
    assert children() - before == {process}
    reader.close()
    assert children() == before


def test_a_film_that_breaks_its_decoder_is_one_line_and_the_next_is_read(
    hostile_reader: MakeReader, good: Path, crashing: Path
) -> None:
    reader = hostile_reader()
    with pytest.raises(RadiographError) as caught:
        reader(crashing)
    assert str(caught.value) == f"{crashing}: {BREAKS}"
    assert told(reader(good)) == told(read_radiograph(good))
    reader.close()


@pytest.mark.usefixtures("decoded_apart")
def test_a_process_that_nobody_needs_ends_and_comes_back(good: Path) -> None:
    before, reader = children(), FilmReader(idle_s=0.05)
    for _ in range(2):
        assert told(reader(good)) == told(read_radiograph(good))
        end = time.monotonic() + PATIENCE_S
        while children() != before:
            assert time.monotonic() < end, "it did not end"
            time.sleep(0.01)


@pytest.mark.usefixtures("decoded_apart")
def test_a_process_that_does_not_start_says_nothing_about_the_film(good: Path) -> None:
    reader = FilmReader([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(RadiographError, match=r"good\.jpg: cannot be decoded now \(the process .* does not start"):
        reader(good)
    thumbnails = Thumbnails(reader)
    assert "cannot be decoded now" in str(thumbnails.of(good).problem)
    assert thumbnails.peek(good) is None
    reader.close()


def test_on_a_phone_films_are_decoded_in_the_app(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert film_reader.is_apart() == (sys.platform == "linux")
    monkeypatch.setattr(sys, "getandroidapilevel", lambda: 24, raising=False)
    before, reader = children(), FilmReader()
    reader.start()
    assert told(reader(good)) == told(reader.decode(good.read_bytes(), good)) == told(read_radiograph(good))
    assert children() == before
    reader.close()


def test_a_hostile_film_is_one_rejected_film_in_the_app(clinic: Clinic, good: Path, crashing: Path) -> None:
    with pytest.raises(RadiographError, match="breaks the image decoder"):
        screen_film(clinic, crashing, PATIENT, check=lambda: None)
    assert screen_film(clinic, good, PATIENT, check=lambda: None).entry.outcome != "rejected"
    thumbnails = [clinic.thumbnails.of(path) for path in (crashing, good)]
    assert [thumbnail.problem for thumbnail in thumbnails] == [BREAKS, None]


def test_a_hostile_film_of_the_history_is_shown_as_one_that_cannot_be_read(
    clinic: Clinic, good: Path, crashing: Path
) -> None:
    answer = screen_film(clinic, good, PATIENT, check=lambda: None)
    assert answer.record is not None
    assert answer.picture is not None
    shown = open_saved(clinic, clinic.save(answer.record).id, check=lambda: None)
    assert shown.picture is not None
    np.testing.assert_array_equal(shown.picture.levels[0], answer.picture.levels[0])
    restored = Picture(crashing.read_bytes(), ".jpg")
    entry = replace(answer.record.entry, id=new_id(), image_sha256=restored.sha256)
    clinic.history().add(replace(answer.record, entry=entry, image=restored))
    shown = open_saved(clinic, entry.id, check=lambda: None)
    assert (shown.picture, shown.problem) == (None, f"film.jpg: {BREAKS}")


def test_a_frame_that_ends_gdcm_is_one_rejected_film_in_the_app(clinic: Clinic, good: Path) -> None:
    pytest.importorskip("gdcm")
    with pytest.raises(RadiographError, match="breaks the image decoder"):
        clinic.screen(ENDS_GDCM)
    assert clinic.screen(good).screening.outcome != "rejected"
