"""An answer is the same whether it has just been made or comes out of the history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.edge_app import device_clock
from osteo_edge.edge_app.answer import open_saved, others_of_patient, screen_film, write_report
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient, new_id
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.store import Record
from osteo_edge.edge_app.jobs import JobCancelledError
from osteo_edge.edge_app.light_box.hints import WORDS
from osteo_edge.edge_app.light_box.photo import PHOTO_OF_FILM
from osteo_edge.errors import OsteoEdgeError, RadiographError

PATIENT = Patient("K-17", 67, "female", 52.5)


def unwanted() -> None:
    raise JobCancelledError


def wanted() -> None:
    """Of a job that goes on."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """A clinic on the demonstration."""
    clinic = Clinic(Folders(tmp_path_factory.mktemp("clinic")))
    yield clinic
    clinic.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(DRAWN_FILM, tmp_path_factory.mktemp("films") / "film.jpg"))


def test_an_answer_says_when_the_clock_cannot_be_right(
    clinic: Clinic, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert screen_film(clinic, film, PATIENT, check=wanted).doubtful is None
    monkeypatch.setattr(device_clock, "RELEASED", "2100-01-01")
    made = screen_film(clinic, film, PATIENT, check=wanted)
    assert made.doubtful == datetime.fromisoformat(made.entry.taken_at).astimezone().date()


def test_what_is_saved_is_what_was_shown(clinic: Clinic, film: Path) -> None:
    made = screen_film(clinic, film, PATIENT, check=wanted)
    assert made.record is not None
    assert clinic.save(made.record) == made.entry
    found = open_saved(clinic, made.entry.id, check=wanted)
    assert (found.entry, found.record, found.problem) == (made.entry, None, None)
    assert found.picture is not None
    assert made.picture is not None
    assert all((a == b).all() for a, b in zip(found.picture.levels, made.picture.levels, strict=True))
    assert found.picture.evidence is not None
    assert made.picture.evidence is not None
    np.testing.assert_allclose(found.picture.evidence, made.picture.evidence, atol=0.5 / 255 + 1e-6)


def test_saving_twice_saves_once(clinic: Clinic, film: Path) -> None:
    record = screen_film(clinic, film, PATIENT, check=wanted).record
    assert record is not None
    before = clinic.history().count()
    assert [clinic.save(record).id for _ in range(2)] == [record.entry.id] * 2
    assert clinic.history().count() == before + 1


def test_a_photo_says_that_it_is_one_with_what_was_amiss(clinic: Clinic, film: Path) -> None:
    entry = screen_film(clinic, film, PATIENT, ("glare",), check=wanted).entry
    assert entry.warnings[0] == PHOTO_OF_FILM
    assert WORDS["glare"] in entry.reasons
    assert PHOTO_OF_FILM in screen_film(clinic, film, PATIENT, (), check=wanted).entry.warnings
    assert PHOTO_OF_FILM not in screen_film(clinic, film, PATIENT, None, check=wanted).entry.warnings


def test_a_job_that_is_not_wanted_any_more_ends(clinic: Clinic, film: Path) -> None:
    for work in (lambda: screen_film(clinic, film, PATIENT, check=unwanted), lambda: _open_first(clinic)):
        with pytest.raises(JobCancelledError):
            work()


def _open_first(clinic: Clinic) -> None:
    open_saved(clinic, clinic.history().search().entries[0].id, check=unwanted)


def test_what_is_no_film_gives_one_line(clinic: Clinic, tmp_path: Path) -> None:
    path = tmp_path / "film.jpg"
    path.write_text("no picture")
    with pytest.raises(RadiographError, match=r"film\.jpg: not a PNG"):
        screen_film(clinic, path, PATIENT, check=wanted)


def test_a_saved_film_that_is_gone_leaves_the_words_and_the_reason(clinic: Clinic, film: Path, tmp_path: Path) -> None:
    answer = screen_film(clinic, film, PATIENT, check=wanted)
    assert answer.record is not None
    image = replace(answer.record.image, data=film.read_bytes() + b"of its own")
    entry = replace(answer.entry, image_sha256=image.sha256)
    clinic.save(Record(entry, image, answer.record.overlay))
    clinic.history().image_file(image.sha256).unlink()
    found = open_saved(clinic, entry.id, check=wanted)
    assert (found.entry, found.picture) == (entry, None)
    assert found.problem is not None
    assert "no image" in found.problem
    with pytest.raises(OsteoEdgeError, match="no image"):
        write_report(clinic, found, tmp_path, str, check=wanted)


def test_damaged_evidence_leaves_the_film(clinic: Clinic, film: Path) -> None:
    answer = screen_film(clinic, film, PATIENT, check=wanted)
    assert answer.record is not None
    assert answer.entry.overlay_sha256 is not None
    clinic.save(answer.record)
    path = clinic.history().image_file(answer.entry.overlay_sha256)
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    try:
        found = open_saved(clinic, answer.entry.id, check=wanted)
    finally:
        path.write_bytes(data)
    assert found.picture is not None
    assert (found.picture.evidence, found.problem) == (None, None)


def test_a_screening_that_was_purged_gives_one_line(clinic: Clinic) -> None:
    with pytest.raises(HistoryError, match="search again"):
        open_saved(clinic, new_id(), check=wanted)


def test_the_other_films_of_a_patient_are_found_the_newest_first(clinic: Clinic, film: Path) -> None:
    record = screen_film(clinic, film, Patient("Other-1"), check=wanted).record
    assert record is not None

    def save(code: str | None, day: int, **changes: object) -> str:
        taken = f"2026-01-{day:02}T08:00:00+00:00"
        entry = replace(record.entry, id=new_id(), patient=Patient(code), taken_at=taken, **changes)  # type: ignore[arg-type]
        clinic.save(Record(entry, record.image, record.overlay))
        return entry.id

    this, older, newer = save("Other-1", 2), save("other-1", 1), save("Other-1", 3)
    save("Other-11", 4), save(None, 5), save("Other-1", 6, outcome="rejected", score=None)
    entry = clinic.history().entry(this)
    assert [other.id for other in others_of_patient(clinic, entry)] == [newer, older]
    assert others_of_patient(clinic, replace(entry, patient=Patient())) == ()


def test_a_report_is_written_to_the_folder(clinic: Clinic, film: Path, tmp_path: Path) -> None:
    pytest.importorskip("fpdf")
    answer = screen_film(clinic, film, PATIENT, check=wanted)
    path = write_report(clinic, answer, tmp_path / "exports", str, check=wanted)
    assert path.parent == tmp_path / "exports"
    assert path.read_bytes().startswith(b"%PDF")
    assert answer.entry.id[:8] in path.name


def test_a_report_that_is_cancelled_is_not_written(clinic: Clinic, film: Path, tmp_path: Path) -> None:
    answer = screen_film(clinic, film, PATIENT, check=wanted)
    with pytest.raises(JobCancelledError):
        write_report(clinic, answer, tmp_path, str, check=unwanted)
    assert not list(tmp_path.iterdir())
