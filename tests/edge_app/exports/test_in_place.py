"""A backup takes the place of the history, and nothing is lost by it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import BackupError
from osteo_edge.edge_app.exports.in_place import put_in_place, unpack_beside
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from tests.edge_app.history.made import make_record

OLD = [make_record(b"film %d" % n, code=f"OLD-{n}", overlay=b"overlay") for n in range(3)]


class StoppedError(Exception):
    """What the progress raises here."""


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of three screenings, one of them with a picture that was damaged already."""
    folder = tmp_path / "elsewhere" / "history"
    with History(folder) as history:
        history.add_all(OLD)
        history.image_file(OLD[0].image.sha256).write_bytes(b"bit rot")
    return write_backup(folder, tmp_path / "backup.zip").path


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(Folders(tmp_path / "clinic"))
    yield opened
    opened.close()


def restore(clinic: Clinic, backup: Path) -> Path | None:
    return clinic.put_in_place(clinic.unpack_backup(backup))


def break_history(clinic: Clinic) -> None:
    clinic.folders.history.mkdir(parents=True)
    (clinic.folders.history / DATABASE).write_bytes(b"no database" * 1000)


def codes(clinic: Clinic) -> set[str | None]:
    return {entry.patient.code for entry in clinic.history().entries()}


def folders(clinic: Clinic) -> list[str]:
    return sorted(path.name for path in clinic.folders.root.iterdir() if path != clinic.folders.audit)


def test_an_empty_history_becomes_that_of_the_backup(clinic: Clinic, backup: Path) -> None:
    assert codes(clinic) == set()
    assert restore(clinic, backup) is None
    assert codes(clinic) == {"OLD-0", "OLD-1", "OLD-2"}
    assert clinic.history().image(OLD[1].image.sha256) == OLD[1].image
    assert folders(clinic) == ["history"]


def test_so_does_one_that_was_never_opened(clinic: Clinic, backup: Path) -> None:
    put_in_place(unpack_beside(backup, clinic.folders.history, lambda share: None), clinic.folders.history)
    assert len(codes(clinic)) == 3


def test_one_with_screenings_is_refused_and_stays(clinic: Clinic, backup: Path) -> None:
    clinic.history().add(make_record(code="MINE"))
    with pytest.raises(HistoryError, match="there are screenings in this history"):
        clinic.unpack_backup(backup)
    assert codes(clinic) == {"MINE"}


def test_a_screening_that_is_saved_meanwhile_is_not_lost(clinic: Clinic, backup: Path) -> None:
    unpacked = clinic.unpack_backup(backup)
    clinic.history().add(make_record(code="MINE"))
    with pytest.raises(HistoryError, match="there are screenings in this history"):
        clinic.put_in_place(unpacked)
    assert codes(clinic) == {"MINE"}
    assert folders(clinic) == ["history"]


def test_after_damage_what_was_saved_since_is_there_too(clinic: Clinic, backup: Path) -> None:
    break_history(clinic)
    history = clinic.history()
    assert history.damage is not None
    history.add(make_record(b"new", code="SINCE"))
    history.save_draft(Draft("d" * 32, "2026-03-04T05:06:07+00:00", {"code": "K"}))
    kept = restore(clinic, backup)
    assert kept is not None
    assert (kept / history.damage.kept.name).is_file()
    assert codes(clinic) == {"OLD-0", "OLD-1", "OLD-2", "SINCE"}
    assert [draft.fields for draft in clinic.history().drafts()] == [{"code": "K"}]
    assert not clinic.may_restore()


def test_what_was_written_since_the_backup_stands(clinic: Clinic, tmp_path: Path) -> None:
    break_history(clinic)
    marked, noted, left = (make_record(b"%d" % n, code=f"K-{n}") for n in range(3))
    clinic.history().add_all([marked, noted, left])
    clinic.history().decide(noted.entry.id, "followed")
    backup = write_backup(clinic.folders.history, tmp_path / "backup.zip").path
    clinic.history().mark_dxa(marked.entry.id, "osteopenia", -1.5)
    clinic.history().annotate(noted.entry.id, "called her")
    clinic.history().decide(noted.entry.id, None)
    clinic.history().decide(left.entry.id, "otherwise", "an old fracture")
    restore(clinic, backup)
    entries = clinic.history().entries()
    found = {one.id: (one.dxa, one.t_score, one.note, one.decided, one.override_reason) for one in entries}
    assert found == {
        marked.entry.id: ("osteopenia", -1.5, "", None, ""),
        noted.entry.id: (None, None, "called her", None, ""),
        left.entry.id: (None, None, "", "otherwise", "an old fracture"),
    }


def test_a_film_that_is_lost_since_comes_from_the_backup(clinic: Clinic, backup: Path) -> None:
    break_history(clinic)
    clinic.history().add_all([OLD[1], make_record(b"new", code="SINCE")])
    clinic.history().image_file(OLD[1].image.sha256).unlink()
    restore(clinic, backup)
    assert codes(clinic) == {"OLD-0", "OLD-1", "OLD-2", "SINCE"}
    assert clinic.history().image(OLD[1].image.sha256) == OLD[1].image


def test_a_film_that_no_backup_has_either_is_in_the_way_until_its_screening_is_deleted(
    clinic: Clinic, backup: Path
) -> None:
    break_history(clinic)
    lost = make_record(b"new", code="SINCE")
    clinic.history().add(lost)
    clinic.history().image_file(lost.image.sha256).unlink()
    with pytest.raises(HistoryError, match=f"screening of {re.escape(lost.entry.taken_at)} cannot be read; delete"):
        restore(clinic, backup)
    assert codes(clinic) == {"SINCE"}
    clinic.history().delete(lost.entry.id)
    restore(clinic, backup)
    assert codes(clinic) == {"OLD-0", "OLD-1", "OLD-2"}


def test_another_window_that_has_it_open_is_in_the_way(clinic: Clinic, backup: Path) -> None:
    unpacked = clinic.unpack_backup(backup)
    with History(clinic.folders.history), pytest.raises(HistoryError, match="another window has the history open"):
        clinic.put_in_place(unpacked)
    assert codes(clinic) == set()
    assert folders(clinic) == ["history"]


def test_an_unpacked_backup_that_has_lost_something_is_no_history(clinic: Clinic, backup: Path) -> None:
    for lose in (lambda folder: (folder / DATABASE).unlink(), shutil.rmtree, _lose_one):
        unpacked = clinic.unpack_backup(backup)
        lose(unpacked.history)
        with pytest.raises(HistoryError, match="could not be read again"):
            clinic.put_in_place(unpacked)
        assert codes(clinic) == set()
        assert folders(clinic) == ["history"]


def _lose_one(folder: Path) -> None:
    with History(folder) as history:
        history.delete(OLD[0].entry.id)


def test_what_another_window_is_unpacking_stays(clinic: Clinic, backup: Path) -> None:
    first = clinic.unpack_backup(backup)
    second = clinic.unpack_backup(backup)
    assert len(folders(clinic)) == 3
    assert clinic.put_in_place(first) is None
    assert len(codes(clinic)) == 3
    with pytest.raises(HistoryError, match="there are screenings in this history"):
        clinic.put_in_place(second)
    assert folders(clinic) == ["history"]


def test_what_is_no_backup_leaves_nothing(clinic: Clinic, tmp_path: Path) -> None:
    (tmp_path / "holiday.zip").write_bytes(b"photos")
    with pytest.raises(BackupError):
        clinic.unpack_backup(tmp_path / "holiday.zip")
    assert folders(clinic) == ["history"]


def test_what_a_killed_restore_left_there_goes(clinic: Clinic, backup: Path) -> None:
    clinic.unpack_backup(backup)
    assert len(folders(clinic)) == 2
    restore(clinic, backup)
    assert folders(clinic) == ["history"]


def test_it_can_be_stopped(clinic: Clinic, backup: Path) -> None:
    shares = list[float]()

    def stop(share: float) -> None:
        shares.append(share)
        raise StoppedError

    with pytest.raises(StoppedError):
        clinic.unpack_backup(backup, on_progress=stop)
    assert 0 < shares[0] < 1
    assert folders(clinic) == ["history"]
