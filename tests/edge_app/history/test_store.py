"""What is saved is there, as it was, and can be added to."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.history import image_store
from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import new_id, utc
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import Picture, image_path, stored_images, write_image
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.query import UsedModel
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.edge_app.history.vault import Keys
from tests.edge_app.history.made import connection_of

NOW = datetime(2026, 6, 30, tzinfo=timezone.utc)


def days_ago(days: float) -> str:
    return utc(NOW - timedelta(days=days))


def image_files(history: History) -> int:
    return len(list(stored_images(history._folder)))


def test_a_screening_comes_back_as_it_was(tmp_path: Path, record: Callable[..., Record]) -> None:
    told = {"note": "línea\n'; DROP TABLE entries", "warnings": ("a photo",), "is_demo": True}
    saved = record(overlay=b"an overlay", dxa="normal", t_score=-0.5, **told)
    with History(tmp_path) as history:
        assert history.add(saved)
    with History(tmp_path) as history:
        assert history.entry(saved.entry.id) == saved.entry
        assert history.search().entries == (saved.entry,)
        assert history.image(saved.entry.image_sha256) == saved.image
        assert saved.entry.overlay_sha256 is not None
        assert history.image(saved.entry.overlay_sha256) == saved.overlay


def test_a_rejected_image_of_an_unknown_patient_comes_back(history: History, record: Callable[..., Record]) -> None:
    numbers: dict[str, Any] = {"score": None, "abstain_low": None, "abstain_high": None, "probabilities": {}}
    saved = record(outcome="rejected", code=None, milliseconds={}, image_stats={}, **numbers)
    history.add(saved)
    assert history.entry(saved.entry.id) == saved.entry


def test_saving_twice_keeps_one(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    assert [history.add(saved), history.add(saved)] == [True, False]
    assert history.count() == 1


def test_the_same_film_is_stored_once(history: History, record: Callable[..., Record]) -> None:
    assert history.add_all(record() for _ in range(3)) == 3
    assert image_files(history) == 1


def test_the_images_must_be_those_of_the_entry(record: Callable[..., Record]) -> None:
    with pytest.raises(ValueError, match="other images"):
        Record(record().entry, Picture(b"another film", ".jpg"))


def test_a_commit_waits_for_the_disk(history: History) -> None:
    connection = connection_of(history)
    settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1


def test_an_altered_image_is_not_shown(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    (path,) = stored_images(history._folder)
    path.write_bytes(b"b film")
    with pytest.raises(HistoryError, match="was altered"):
        history.image(saved.image.sha256)
    path.unlink()
    with pytest.raises(HistoryError, match=r"no image .* in this history"):
        history.image(saved.image.sha256)


def test_the_file_of_an_image_can_be_asked_for(history: History, record: Callable[..., Record]) -> None:
    saved = record(overlay=b"an overlay")
    history.add(saved)
    for picture in saved.pictures:
        assert history.image_file(picture.sha256).read_bytes() == picture.data
    with pytest.raises(HistoryError, match="no image 000000000000… in this history"):
        history.image_file("0" * 64)


def test_the_models_are_listed_with_the_last_used_first(history: History, record: Callable[..., Record]) -> None:
    demo = record(model_sha256=64 * "d", model_name="drawn", is_demo=True, taken_at=days_ago(2))
    old, new = (record(taken_at=days_ago(age), model_name=name) for age, name in ((3, "old name"), (1, "knee")))
    gone = record(model_sha256=64 * "e")
    history.add_all([new, demo, old, gone])
    history.delete(gone.entry.id)
    assert history.models() == (UsedModel(64 * "a", "knee", False, 2), UsedModel(64 * "d", "drawn", True, 1))


def test_a_row_that_another_program_wrote_is_named(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    connection_of(history).execute("UPDATE entries SET probabilities = '{'")
    with pytest.raises(HistoryError, match=f"{saved.entry.id} was altered"):
        history.search()


def test_a_note_and_a_dxa_result_are_kept(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    history.annotate(saved.entry.id, "second film tomorrow")
    changed = history.mark_dxa(saved.entry.id, "osteoporosis", -2.9)
    assert (changed.note, changed.dxa, changed.t_score) == ("second film tomorrow", "osteoporosis", -2.9)
    assert history.entry(saved.entry.id) == changed
    assert history.mark_dxa(saved.entry.id, None).t_score is None


def test_what_was_decided_is_kept_changed_and_taken_away(history: History, record: Callable[..., Record]) -> None:
    saved = record()
    history.add(saved)
    changed = history.decide(saved.entry.id, "otherwise", "the film shows another bone")
    assert (changed.decided, changed.override_reason) == ("otherwise", "the film shows another bone")
    assert history.entry(saved.entry.id) == changed
    followed = history.decide(saved.entry.id, "followed")
    assert (followed.decided, followed.override_reason) == ("followed", "")
    assert history.decide(saved.entry.id, None) == saved.entry


@pytest.mark.parametrize("reason", ["", " "])
def test_no_override_is_kept_without_its_reason(history: History, record: Callable[..., Record], reason: str) -> None:
    saved = record()
    history.add(saved)
    with pytest.raises(ValueError, match="override_reason must be given"):
        history.decide(saved.entry.id, "otherwise", reason)
    assert history.entry(saved.entry.id) == saved.entry


def test_what_is_no_answer_cannot_be_followed(history: History, record: Callable[..., Record]) -> None:
    saved = record(outcome="uncertain")
    history.add(saved)
    with pytest.raises(ValueError, match="no answer to follow"):
        history.decide(saved.entry.id, "followed")
    assert history.entry(saved.entry.id) == saved.entry


@pytest.mark.parametrize("change", ["annotate", "mark_dxa", "decide"])
def test_what_is_not_there_cannot_be_changed(history: History, change: str) -> None:
    with pytest.raises(HistoryError, match="no screening"):
        getattr(history, change)("0" * 32, "normal")


def test_a_running_form_outlives_a_restart(tmp_path: Path) -> None:
    drafts = [Draft(new_id(), days_ago(age), {"code": f"K-{age}", "film": "/media/stick/é.dcm"}) for age in (2, 1)]
    with History(tmp_path) as history:
        for draft in drafts:
            history.save_draft(Draft(draft.id, draft.saved_at, {}))
            history.save_draft(draft)
    with History(tmp_path) as history:
        assert history.drafts() == (drafts[1], drafts[0])
        history.drop_draft(drafts[1].id)
        assert history.drafts() == (drafts[0],)


def test_saving_the_screening_ends_its_draft(history: History, record: Callable[..., Record]) -> None:
    draft = Draft(new_id(), days_ago(0), {})
    history.save_draft(draft)
    history.add(record(), draft_id=draft.id)
    assert history.drafts() == ()


def test_a_film_that_another_program_purges_meanwhile_is_saved_all_the_same(
    history: History, record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[Picture]()

    def write_and_lose(root: Path, picture: Picture, keys: Keys | None) -> bool:
        was_new = write_image(root, picture, keys)
        if not calls:
            image_path(root, picture.sha256, picture.suffix).unlink()
        calls.append(picture)
        return was_new

    monkeypatch.setattr(image_store, "write_image", write_and_lose)
    saved = record()
    history.add(saved)
    assert history.image(saved.image.sha256) == saved.image


def test_a_foreign_key_keeps_the_image_that_is_shown(history: History, record: Callable[..., Record]) -> None:
    history.add(record())
    with pytest.raises(sqlite3.IntegrityError):
        connection_of(history).execute("DELETE FROM images")


def test_a_closed_history_leaves_one_file_and_no_log(tmp_path: Path, record: Callable[..., Record]) -> None:
    with History(tmp_path) as history:
        history.add(record())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.lock", DATABASE, "images"]


def test_a_closed_history_says_so(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.close()
    with pytest.raises(HistoryError, match="was closed"):
        history.count()


def test_any_thread_may_use_it(history: History, record: Callable[..., Record]) -> None:
    def save_and_look(number: int) -> int:
        history.add(record(str(number).encode(), code=f"K-{number}"))
        return history.count()

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(save_and_look, range(40)))
    assert max(counts) == history.count() == 40
    assert {entry.patient.code for entry in history.entries()} == {f"K-{number}" for number in range(40)}
