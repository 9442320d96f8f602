"""What is done in the app is on record before it is told as done, and nothing of a patient is."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from osteo_edge import audit_log
from osteo_edge.audit_log import FILE, read_events, verify_log
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.answer import open_saved, write_report
from osteo_edge.edge_app.audit_trail import NO_PIN, WITH_PIN, WITHOUT_PIN, AuditTrail, What
from osteo_edge.edge_app.clinic import FILM_REPLACED, Clinic
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history_work import make_backup, write_table
from osteo_edge.edge_app.jobs import Task
from osteo_edge.edge_app.models.store import DEMO, ModelStore
from osteo_edge.edge_app.pin import hash_pin
from osteo_edge.errors import OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.trust import VARIABLE
from tests.edge_app.history.made import make_record
from tests.signing import Signer

KILLS = 6
SAVER = """
import sys
from pathlib import Path
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from tests.edge_app.history.made import make_record
clinic = Clinic(Folders(Path(sys.argv[1])))
for number in range(100_000):
    print(clinic.save(make_record(b"film %d" % number)).id, flush=True)
"""
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "clinic")


@pytest.fixture
def clinic(folders: Folders) -> Iterator[Clinic]:
    opened = Clinic(folders)
    yield opened
    opened.close()


def told(folders: Folders) -> list[tuple[str, dict[str, Any]]]:
    """What is on record, which is whole: what was done, and with what."""
    assert verify_log(folders.audit).findings == ()
    return [(event.what, event.about) for event in read_events(folders.audit)]


def last(folders: Folders) -> tuple[str, dict[str, Any]]:
    return told(folders)[-1]


def whats(folders: Folders) -> list[str]:
    return [what for what, _ in told(folders)]


def fill_disk(patch: pytest.MonkeyPatch) -> None:
    """No event can be recorded any more."""

    def refuse(*_: object) -> None:
        raise OsteoEdgeError("no space left for the audit log")

    patch.setattr(audit_log, "append_durably", refuse)


def test_a_window_begins_with_its_first_event_and_ends(clinic: Clinic, folders: Folders) -> None:
    clinic.trail.begin()
    clinic.trail.begin()
    clinic.change(theme="dark")
    clinic.close()
    clinic.close()
    assert whats(folders) == ["started", "settings changed", "ended"]
    about = told(folders)[0][1]
    assert about["software"].startswith("osteo-edge ")
    assert (about["model_named"], about["settings_lost"]) == (False, False)


def test_a_window_in_which_nothing_was_done_leaves_no_record(clinic: Clinic, folders: Folders) -> None:
    clinic.close()
    assert not folders.audit.exists()


def test_the_start_tells_of_lost_settings_and_of_a_model_that_was_named(folders: Folders, bundle: Bundle) -> None:
    folders.root.mkdir()
    folders.settings.write_text("{")
    Clinic(folders, bundle=bundle.path).trail.begin()
    about = told(folders)[0][1]
    assert (about["model_named"], about["settings_lost"]) == (True, True)


def test_every_answer_is_on_record_whether_it_is_saved_or_not(clinic: Clinic, folders: Folders) -> None:
    screening = clinic.screen(DRAWN_FILM).screening
    about = {"image": sha256_file(DRAWN_FILM), "model": screening.model_sha256, "outcome": "refer"}
    assert last(folders) == ("screened", about)


def test_an_answer_that_cannot_be_recorded_is_not_given(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
        clinic.screen(DRAWN_FILM)


def test_what_is_no_film_or_another_one_is_on_record(clinic: Clinic, folders: Folders, tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    film.write_bytes(b"no film")
    with pytest.raises(RadiographError):
        clinic.screen(film)
    assert last(folders)[0] == "not readable"
    assert last(folders)[1]["image"] == sha256_file(film)
    with pytest.raises(RadiographError, match=FILM_REPLACED):
        clinic.screen(DRAWN_FILM, sha256="0" * 64)
    assert last(folders) == ("film replaced", {"image": sha256_file(DRAWN_FILM)})
    with pytest.raises(RadiographError):
        clinic.screen(tmp_path / "gone.png")
    assert last(folders) == ("not readable", {"image": None})


def test_saving_twice_is_on_record_once(clinic: Clinic, folders: Folders) -> None:
    record = make_record()
    for _ in range(2):
        clinic.save(record)
    entry = record.entry
    about = {"entry": entry.id, "image": entry.image_sha256, "model": entry.model_sha256}
    assert told(folders)[1:] == [("saved", about)]


def test_what_is_changed_of_a_screening_is_on_record(clinic: Clinic, folders: Folders) -> None:
    entry, history = clinic.save(make_record()), clinic.history()
    history.annotate(entry.id, "called her")
    history.mark_dxa(entry.id, "osteopenia", -1.8)
    history.mark_dxa(entry.id, None)
    history.decide(entry.id, "otherwise", "Mrs. Lopez does not want it")
    history.decide(entry.id, "followed")
    history.decide(entry.id, None)
    history.delete(entry.id)
    history.undo_delete(entry.id)
    names = ["noted", "DXA result entered", "DXA result removed", "answer overridden", "answer followed"]
    names += ["decision removed", "deleted", "deletion undone"]
    assert told(folders)[2:] == [(name, {"entry": entry.id}) for name in names]
    assert "Lopez" not in (folders.audit / FILE).read_text("utf-8")


def test_what_is_purged_is_on_record_with_why(clinic: Clinic, folders: Folders) -> None:
    entries, history = [clinic.save(make_record(b"film %d" % n)) for n in range(4)], clinic.history()
    history.delete(entries[0].id)
    history.purge_deleted(timedelta())
    assert last(folders) == ("purged", {"screenings": 1, "why": "deleted"})
    history.purge_older_than(1, datetime.now(timezone.utc) + timedelta(days=40_000))
    assert last(folders) == ("purged", {"screenings": 3, "why": "age"})
    history.purge_older_than(1)
    assert whats(folders).count("purged") == 2


@pytest.mark.parametrize("act", ["save", "annotate", "mark_dxa", "decide", "delete", "undo_delete", "purge_deleted"])
def test_what_cannot_be_recorded_changes_nothing(act: str, clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = (clinic.save(make_record(data)) for data in (b"kept", b"gone"))
    history = clinic.history()
    history.delete(gone.id)
    acts: dict[str, Callable[[], object]] = {
        "save": lambda: clinic.save(make_record(b"new")),
        "annotate": lambda: history.annotate(kept.id, "called her"),
        "mark_dxa": lambda: history.mark_dxa(kept.id, "normal"),
        "decide": lambda: history.decide(kept.id, "otherwise", "seen"),
        "delete": lambda: history.delete(kept.id),
        "undo_delete": lambda: history.undo_delete(gone.id),
        "purge_deleted": lambda: history.purge_deleted(timedelta()),
    }
    with monkeypatch.context() as full:
        fill_disk(full)
        with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
            acts[act]()
    assert list(history.entries()) == [kept]
    assert history.sweep() == 0
    history.undo_delete(gone.id)
    assert history.count() == 2


def test_settings_are_on_record_but_nothing_that_may_name_a_person(clinic: Clinic, folders: Folders) -> None:
    clinic.change(theme="dark", institution="Dr. Lopez", watched_folder="/films/Lopez")
    about = {"settings": "theme, watched_folder, institution", "theme_before": "system", "theme_now": "dark"}
    assert last(folders) == ("settings changed", about)
    clinic.change(theme="dark")
    assert len(told(folders)) == 2


def test_settings_that_cannot_be_recorded_stay(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_disk(monkeypatch)
    with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
        clinic.change(theme="dark")
    assert clinic.settings.theme == "system"


def test_the_pin_and_who_has_entered_it_is_on_record(folders: Folders) -> None:
    pin = hash_pin("7193")
    first = Clinic(folders)
    first.set_pin(pin, in_place_of=None)
    first.change(theme="dark")
    later = Clinic(folders)
    assert later.check_pin("1235", pin)[0] == "wrong"
    assert later.check_pin("7193", pin)[0] == "right"
    later.change(theme="light")
    later.trail.of_now(What.LOCKED)()
    later.trail.leave()
    later.change(theme="dark")
    later.set_pin(None, in_place_of=pin)
    later.trail.begin()
    later.change(theme="light")
    Clinic(folders).change(pin=pin)
    later.change(theme="dark")
    assert [(event.what, event.who) for event in read_events(folders.audit)] == [
        ("started", NO_PIN),
        ("PIN set", NO_PIN),
        ("settings changed", WITH_PIN),
        ("started", WITHOUT_PIN),
        ("wrong PIN", WITHOUT_PIN),
        ("settings changed", WITH_PIN),
        ("locked", WITH_PIN),
        ("settings changed", WITHOUT_PIN),
        ("PIN removed", WITHOUT_PIN),
        ("settings changed", NO_PIN),
        ("started", NO_PIN),
        ("PIN set", NO_PIN),
        ("settings changed", WITHOUT_PIN),
    ]


def test_the_right_pin_opens_although_the_disk_is_full(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic, pin = Clinic(folders), hash_pin("7193")
    clinic.set_pin(pin, in_place_of=None)
    fill_disk(monkeypatch)
    assert clinic.check_pin("7193", pin)[0] == "right"
    with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
        clinic.check_pin("1235", pin)
    assert clinic.pin_lock.wait_s() == 0


def test_models_are_on_record_with_who_signed_them(
    clinic: Clinic, folders: Folders, bundle: Bundle, tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, sha256 = clinic.models, bundle.manifest.model.sha256
    (tmp_path / "keys").mkdir()
    key = Path(shutil.copy(signer.public, tmp_path / "keys"))
    monkeypatch.setenv(VARIABLE, str(key.parent))
    signer.sign(bundle)
    model = store.install(bundle.path).model
    store.install(bundle.path)
    store.use(model.id)
    monkeypatch.delenv(VARIABLE)
    store.use(DEMO)
    store.uninstall(model.id)
    (_, installed), (_, chosen), (_, demo), (_, removed) = told(folders)[1:]
    assert whats(folders)[1:] == ["model installed", "model chosen", "model chosen", "model removed"]
    assert installed == chosen
    assert (chosen["id"], chosen["model"], chosen["signed_by"]) == (model.id, sha256, key.stem)
    assert (demo["id"], "signed_by" in demo) == (DEMO, False)
    assert removed == {"id": model.id, "model": sha256}


def test_a_model_change_that_cannot_be_recorded_does_not_take_place(
    clinic: Clinic, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, store = clinic.models.install(bundle.path).model, ModelStore(clinic.folders.models)
    with monkeypatch.context() as full:
        fill_disk(full)
        for act in (clinic.models.use, clinic.models.uninstall):
            with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
                act(model.id)
    assert store.chosen() == DEMO
    assert [one.id for one in store.models()] == [model.id, DEMO]


def test_what_leaves_the_app_is_on_record_before_it_is_written(
    clinic: Clinic, folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fpdf")
    entry = clinic.save(clinic.record(clinic.screen(DRAWN_FILM), patient=Patient()))
    clinic.save(make_record())
    answer, task = open_saved(clinic, entry.id, check=lambda: None), Task(lambda _: None)

    def export(folder: Path) -> None:
        write_table(clinic, Query(), folder, task)
        make_backup(clinic, folder, task)
        write_report(clinic, answer, folder, str, check=lambda: None)

    export(tmp_path / "stick")
    common = {"to_another_app": False}
    assert [about for what, about in told(folders) if what == "exported"] == [
        {"kind": "table", "screenings": 2} | common,
        {"kind": "backup", "screenings": 2} | common,
        {"kind": "report", "screenings": 1, "entry": entry.id} | common,
    ]
    write_table(clinic, Query(), folders.outgoing, task)
    assert last(folders)[1]["to_another_app"]
    fill_disk(monkeypatch)
    with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
        export(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_restore_is_on_record_and_the_record_is_in_no_backup(
    clinic: Clinic, folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with History(tmp_path / "elsewhere" / "history") as history:
        history.add_all(make_record(b"film %d" % n) for n in range(3))
    elsewhere = Clinic(Folders(tmp_path / "elsewhere"))
    elsewhere.trail.begin()
    backup = make_backup(elsewhere, tmp_path, Task(lambda _: None)).path
    elsewhere.close()
    assert FILE.encode() not in backup.read_bytes()
    clinic.change(theme="dark")
    with monkeypatch.context() as full:
        fill_disk(full)
        with pytest.raises(OsteoEdgeError, match="no space left for the audit log"):
            clinic.put_in_place(clinic.unpack_backup(backup))
    assert clinic.history().count() == 0
    clinic.put_in_place(clinic.unpack_backup(backup))
    assert clinic.history().count() == 3
    assert whats(folders) == ["started", "settings changed", "backup restored"]
    about = last(folders)[1]
    assert about["screenings"] == 3
    assert datetime.fromisoformat(about["backup_made_at"]).tzinfo is not None


def note_often(trail: AuditTrail) -> None:
    for _ in range(20):
        trail.note(What.NOTED)


def test_threads_record_in_turn(folders: Folders) -> None:
    trail = AuditTrail(folders.audit, has_pin=lambda: False)
    threads = [Thread(target=lambda: note_often(trail)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whats(folders) == ["started", *["noted"] * 80]


def test_a_kill_at_any_moment_leaves_the_record_whole_and_every_screening_in_it(folders: Folders) -> None:
    chance, shown = random.Random(3), set[str]()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", SAVER, str(folders.root)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            shown.add(process.stdout.readline().strip())
            time.sleep(chance.uniform(0, 0.15))
            os.kill(process.pid, signal.SIGKILL)
            shown |= {line.strip() for line in process.stdout if len(line) == 33}
    with History(folders.history) as history:
        saved = {entry.id for entry in history.entries()}
    recorded = {about["entry"] for what, about in told(folders) if what == "saved"}
    assert shown <= saved <= recorded
    assert len(recorded) <= len(shown) + 2 * KILLS  # what was being saved at the kill
