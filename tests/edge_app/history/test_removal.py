"""What is deleted can be brought back for a while, and then is gone; nothing else goes."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from osteo_edge.edge_app.history import removal, store
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import new_id, utc
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import Picture, stored_images
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history.store import History, Record
from tests.edge_app.history.made import connection_of

NOW = datetime(2026, 6, 30, tzinfo=timezone.utc)


def days_ago(days: float) -> str:
    return utc(NOW - timedelta(days=days))


def codes(history: History, query: Query) -> list[str | None]:
    return [entry.patient.code for entry in history.entries(query)]


def image_files(history: History) -> int:
    return len(list(stored_images(history._folder)))


def test_a_deleted_screening_can_be_brought_back(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    history.delete(saved.entry.id)
    assert (history.count(), history.search().entries) == (0, ())
    with pytest.raises(HistoryError, match="no screening"):
        history.entry(saved.entry.id)
    assert history.undo_delete(saved.entry.id) == saved.entry
    assert history.search().entries == (saved.entry,)


def test_it_outlives_a_restart_within_the_undo_window(tmp_path: Path, record: Callable[..., Record]) -> None:
    saved = record()
    with History(tmp_path) as history:
        history.add(saved)
        history.delete(saved.entry.id)
    with History(tmp_path) as history:
        assert history.undo_delete(saved.entry.id) == saved.entry


@pytest.mark.parametrize("deleted_at", ["2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"])
def test_after_the_undo_window_it_is_gone_at_the_next_start_with_its_film(
    tmp_path: Path, record: Callable[..., Record], deleted_at: str
) -> None:
    gone, kept = record(b"one film"), record(b"another film")
    with History(tmp_path) as history:
        history.add_all([gone, kept])
        history.delete(gone.entry.id)
        connection_of(history).execute("UPDATE entries SET deleted_at = ? WHERE deleted_at NOTNULL", [deleted_at])
    with History(tmp_path) as history:
        with pytest.raises(HistoryError, match="no screening"):
            history.undo_delete(gone.entry.id)
        assert history.image(kept.image.sha256) == kept.image
        assert image_files(history) == 1


@pytest.mark.parametrize("hours", [-2, 2])
def test_setting_the_clock_neither_ends_nor_lengthens_the_time_to_undo(
    history: History, record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(zone) + timedelta(hours=hours)

    saved = record()
    history.add(saved)
    history.delete(saved.entry.id)
    for module in (store, removal):
        monkeypatch.setattr(module, "datetime", Clock)
    assert history.purge_deleted() == 0
    assert history.undo_delete(saved.entry.id) == saved.entry
    history.delete(saved.entry.id)
    later = time.monotonic() + store.UNDO_WINDOW.total_seconds()
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert history.purge_deleted() == 1


def test_a_film_that_another_screening_shows_stays(history: History, record: Callable[..., Record]) -> None:
    one, other = record(), record()
    history.add_all([one, other])
    history.delete(one.entry.id)
    assert history.purge_deleted(timedelta(0)) == 1
    assert history.image(other.image.sha256) == other.image


def test_a_film_that_came_under_two_suffixes_goes_under_both(history: History, record: Callable[..., Record]) -> None:
    one = record(b"a secret film")
    picture = Picture(one.image.data, ".dcm")
    other = Record(replace(one.entry, id=new_id()), picture)
    history.add_all([one, other])
    assert image_files(history) == 2
    for saved in (one, other):
        history.delete(saved.entry.id)
    history.purge_deleted(timedelta(0))
    assert image_files(history) == 0


def test_what_was_purged_is_in_no_file_any_more(history: History, record: Callable[..., Record]) -> None:
    saved = record(b"a secret film", note="a secret note")
    history.add(saved)
    history.delete(saved.entry.id)
    history.purge_deleted(timedelta(0))
    left = b"".join(path.read_bytes() for path in history._folder.rglob("*") if path.is_file())
    assert b"secret" not in left


def test_retention_removes_what_is_older(history: History, record: Callable[..., Record]) -> None:
    ages = {"new": 0.0, "at the limit": 30.0, "old": 30.1, "very old": 400.0}
    for code, age in ages.items():
        history.add(record(code.encode(), code=code, taken_at=days_ago(age)))
        history.save_draft(Draft(new_id(), days_ago(age), {"code": code}))
    assert history.purge_older_than(30, NOW) == 2
    assert codes(history, Query()) == ["new", "at the limit"]
    assert [draft.fields["code"] for draft in history.drafts()] == ["new", "at the limit"]
    assert image_files(history) == 2


def test_files_that_no_screening_names_are_removed(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    (path,) = stored_images(history._folder)
    path.with_suffix(".jpeg").write_bytes(b"a film")
    path.with_name("0" * 64 + ".png").write_bytes(b"of a power cut")
    assert history.sweep() == 2
    assert history.image(saved.image.sha256) == saved.image


def test_a_partial_file_is_removed_when_its_writer_must_be_gone(
    history: History, record: Callable[..., Record], tmp_path: Path
) -> None:
    history.add(record())
    (path,) = stored_images(history._folder)
    partials = [path.with_name(name) for name in (".young.partial", ".old.partial")]
    for partial in partials:
        partial.write_bytes(b"a f")
    os.link(partials[1], tmp_path / "blocks")  # sees what is left in them
    os.utime(partials[1], (0, 0))
    assert history.sweep() == 1
    assert [partial.exists() for partial in partials] == [True, False]
    assert (tmp_path / "blocks").read_bytes() == bytes(3)
