"""Backups between the web app and the Kivy app, both ways; what a hostile file holds never gets in."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import CONTENTS
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.encrypted import COPY, VAULT
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.schema import MIGRATIONS
from osteo_edge.edge_app.history.store import History
from osteo_edge.hashing import sha256_bytes
from osteo_edge.overlay import decode_evidence
from tests.edge_app.web.backups import HOSTILE, add_unusual, back_up, entries_of, images_of, repacked, restore
from tests.edge_app.web.reader import (
    PATIENCE_MS,
    STORED,
    button,
    codes,
    drawn_film,
    leave_room,
    open_app,
    said,
    save,
    screen,
    wait_for_kept,
)

ENDLESS = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM n) SELECT id, id AS saved_at, id AS fields FROM n"
TRIGGER = "CREATE TRIGGER wait AFTER UPDATE ON entries BEGIN SELECT count(*) FROM more; END"
OF_VERSION_1 = """
    INSERT INTO entries VALUES ('{id}', '2025-03-04T05:06:07+00:00', 'old', 63, 'female', 58.5, 'refer',
    '{{"abnormal": 0.8}}', 0.8, 0.5, NULL, NULL, '["score"]', '{sha256}', NULL, 'wrist', '{sha256}', 'osteo-edge 0.0.1',
    '{{}}', '', NULL, NULL, NULL)"""


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """An empty page."""
    return visitor.new_page()


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history of the Kivy app, with what is not usual in it."""
    folder = tmp_path / "history"
    with History(folder) as history:
        add_unusual(history)
    return folder


@pytest.fixture
def backup(history: Path, tmp_path: Path) -> Path:
    return write_backup(history, tmp_path / "backup.zip").path


def database_of(backup: Path, *statements: str) -> bytes:
    """The database of a backup, after some statements."""
    path = backup.with_name("database.sqlite3")
    with zipfile.ZipFile(backup) as archive:
        path.write_bytes(archive.read(DATABASE))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path.read_bytes()


def test_a_backup_of_the_browser_is_a_history_of_the_kivy_app(page: Page, served: str, tmp_path: Path) -> None:
    screen(page, served, code="K-17")
    save(page)
    button(page, "Note")
    page.get_by_label("Note: no name of the patient").fill("línea 'one'")
    button(page, "Save the note")
    expect(said(page, "Note: línea 'one'")).to_be_visible()
    open_app(page, served, "new")
    page.get_by_label("Patient code, no name").fill("unfinished")
    wait_for_kept(page, screenings=1, images=2, forms=1)
    contents = restore_backup(back_up(page, served, tmp_path / "web.zip"), tmp_path / "restored")
    assert contents.made_by.startswith("osteo-edge ")
    with History(tmp_path / "restored") as history:
        (entry,) = history.search().entries
        assert (entry.patient, entry.note, entry.outcome) == (Patient("K-17"), "línea 'one'", "refer")
        assert entry.reasons == ("score above 0.99 is at or above the threshold 0.72",)
        assert (entry.is_demo, entry.finding, entry.model_name) == (True, "density", "knee")
        assert set(entry.image_stats) == {"mean", "contrast"}
        assert history.image(entry.image_sha256).data == drawn_film()["buffer"]
        assert entry.overlay_sha256 is not None
        evidence = decode_evidence(history.image(entry.overlay_sha256).data)
        assert evidence is not None
        assert evidence.max() == 1
        assert [draft.fields["code"] for draft in history.drafts()] == ["unfinished"]
        assert history.sweep() == 0


def test_a_backup_of_the_kivy_app_comes_back_from_the_browser_as_it_was(
    page: Page, served: str, history: Path, backup: Path, tmp_path: Path
) -> None:
    restore(page, served, backup)
    expect(said(page, "3 screenings were added.")).to_be_visible()
    assert sorted(codes(page, served)) == ["No code", "other", "plain"]
    page.get_by_label("Patient code").fill("plain")
    expect(page.locator(".entry")).to_have_count(1)
    page.locator(".entry").click()
    expect(page.locator(".film-evidence")).to_be_visible(timeout=PATIENCE_MS)
    expect(said(page, HOSTILE)).to_be_visible()
    assert page.title() != "owned"
    restored = tmp_path / "again"
    restore_backup(back_up(page, served, tmp_path / "web.zip"), restored)
    assert entries_of(restored) == entries_of(history)
    assert images_of(restored) == images_of(history)


def test_what_is_here_already_stays_as_it_is(page: Page, served: str, backup: Path) -> None:
    restore(page, served, backup)
    expect(said(page, "3 screenings were added.")).to_be_visible()
    codes(page, served)
    page.locator(".entry", has_text="other").click()
    button(page, "Note")
    page.get_by_label("Note: no name of the patient").fill("newer than the backup")
    button(page, "Save the note")
    expect(said(page, "Note: newer than the backup")).to_be_visible()
    codes(page, served)
    page.locator(".entry", has_text="plain").click()
    button(page, "Delete")
    expect(said(page, "The screening was deleted.")).to_be_visible()
    restore(page, served, backup)
    expect(said(page, "1 screening was added.")).to_be_visible()
    assert page.evaluate(STORED)[0] == 3
    codes(page, served)
    page.locator(".entry", has_text="other").click()
    expect(said(page, "Note: newer than the backup")).to_be_visible()


def test_a_history_of_the_first_version_is_read(page: Page, served: str, tmp_path: Path) -> None:
    film = drawn_film()["buffer"]
    sha256 = sha256_bytes(film)
    database = tmp_path / DATABASE
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO images VALUES (?, '.png')", (sha256,))
        connection.execute(OF_VERSION_1.format(id="1" * 32, sha256=sha256))
        connection.execute("PRAGMA user_version = 1")
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        listed = {"format": "osteo-edge history backup", "version": 1, "made_at": "2025-03-04", "made_by": "osteo-edge"}
        archive.writestr(CONTENTS, json.dumps(listed))
    image = f"images/{sha256[:2]}/{sha256}.png"
    restore(page, served, repacked(empty, {DATABASE: database.read_bytes(), image: film}))
    expect(said(page, "1 screening was added.")).to_be_visible()
    assert codes(page, served) == ["old"]
    expect(said(page, "Possible abnormality: have this film read")).to_be_visible()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda backup: backup.read_bytes()[:-40], "no ZIP file"),
        (lambda backup: b"PK" * 3000, "no ZIP file"),
        (lambda backup: backup.read_bytes().replace(b"osteoporosis", b"osteopenosis"), "not as it should be"),
        (lambda backup: repacked(backup, {}, zipfile.ZIP_DEFLATED), "compressed or encrypted"),
        (lambda backup: repacked(backup, {"../evil": b"x"}), "not as it should be"),
        (lambda backup: repacked(backup, {f"images/ab/ab{'0' * 62}.html/x": b"x"}), "not as it should be"),
        (lambda backup: repacked(backup, {DATABASE: b"not SQLite at all" * 500}), "damaged"),
        (lambda backup: repacked(backup, {DATABASE: None}), "not as it should be"),
        (lambda backup: repacked(backup, {VAULT: b"{}", COPY: b"{}"}), "its keys are damaged"),
        (lambda backup: repacked(backup, {VAULT: b"{}"}), "not as it should be"),
        (lambda backup: of_database(backup, "PRAGMA user_version = 99"), "a newer version of osteo-edge made this"),
        (lambda backup: of_database(backup, "UPDATE entries SET id = upper(id) || ''"), "id is not as it should be"),
        (lambda backup: of_database(backup, "UPDATE entries SET reasons = '{}'"), "reasons is not as it should be"),
        (lambda backup: of_database(backup, "UPDATE entries SET score = 'x'"), "score is not as it should be"),
        (lambda backup: of_database(backup, "UPDATE entries SET note = x'00'"), "note is not as it should be"),
        (
            lambda backup: of_database(backup, "DROP TABLE drafts", f"CREATE VIEW drafts AS {ENDLESS}"),
            "more than tables",
        ),
        (lambda backup: of_database(backup, f"CREATE VIEW more AS {ENDLESS}", TRIGGER), "more than tables"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_sound_backup_is_refused_whole(
    page: Page, served: str, backup: Path, change: Callable[[Path], Path | bytes], words: str
) -> None:
    changed = change(backup)
    if isinstance(changed, bytes):
        data, changed = changed, backup.with_name("changed.zip")
        changed.write_bytes(data)
    restore(page, served, changed)
    expect(page.locator(".warning")).to_contain_text(words)
    assert "\n" not in page.locator(".warning").inner_text()
    assert page.evaluate(STORED) == [0, 0, 0]


def of_database(backup: Path, *statements: str) -> Path:
    return repacked(backup, {DATABASE: database_of(backup, *statements)})


def test_a_picture_that_was_damaged_before_the_backup_is_counted(page: Page, served: str, history: Path) -> None:
    for path in (history / "images").glob("*/*.jpg"):
        path.write_bytes(path.read_bytes() + b"x")
    restore(page, served, write_backup(history, history.parent / "damaged.zip").path)
    expect(said(page, "2 of its pictures are damaged or missing")).to_be_visible()
    assert page.evaluate(STORED)[:2] == [3, 2]


def test_a_full_device_takes_none_of_a_backup(page: Page, served: str, backup: Path) -> None:
    open_app(page, served)
    leave_room(page, served, 1)
    restore(page, served, backup)
    expect(page.locator(".warning")).to_contain_text("This device has no space left for this page")
    leave_room(page, served, None)
    assert page.evaluate(STORED) == [0, 0, 0]
