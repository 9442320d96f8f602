"""Encrypted backups of the Kivy app in the web app: by PIN, by recovery code, and not at all where they are altered."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from osteo_edge.edge_app.exports.backup_contents import CONTENTS, LOCKED, WRONG_SECRET
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.encrypted import COPY, PAGE_BYTES, VAULT, can_encrypt
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History
from osteo_edge.edge_app.history.vault import NO_MEMORY
from tests.edge_app.web.backups import (
    HOSTILE,
    PIN,
    Locked,
    back_up,
    entries_of,
    images_of,
    make_locked,
    repacked,
    restore,
)
from tests.edge_app.web.conftest import CHROMIUM
from tests.edge_app.web.reader import PATIENCE_MS, POLL_MS, STORED, button, codes, open_app, said

pytestmark = pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")

FIELD = "PIN or recovery code"
RESTORED = "3 screenings were added."
SHORT_OF_MEMORY = """
    const Whole = Worker;
    window.Worker = class extends Whole {
        postMessage(request, transfer) {
            if (request.task !== "open") super.postMessage(request, transfer);
            else this.onmessage({ data: { error: "Array buffer allocation failed", isMemory: true } });
        }
    };
"""
ENDLESS = """
    const Whole = Worker;
    window.Worker = class extends Whole {
        postMessage(request, transfer) {
            if (request.task !== "open") super.postMessage(request, transfer);
        }
    };
"""
"""A PIN that is tried for ever."""
WITHOUT_ITS_CODE = """
    const Whole = Worker;
    window.Worker = class extends Whole {
        constructor(address) { super(String(address).replace("lock_worker", "missing")); }
    };
"""


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """An empty page."""
    return visitor.new_page()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Locked:
    return make_locked(tmp_path_factory.mktemp("locked"))


@pytest.fixture
def copied(locked: Locked, tmp_path: Path) -> Path:
    """The backup in a folder where it can be changed."""
    path = tmp_path / "locked.zip"
    path.write_bytes(locked.path.read_bytes())
    return path


def enter(page: Page, secret: str) -> None:
    page.get_by_label(FIELD).fill(secret)
    button(page, "Restore")


def member(backup: Path, name: str, place: int = 0) -> bytes:
    """A file of a backup with one bit flipped at a place."""
    with zipfile.ZipFile(backup) as archive:
        data = bytearray(archive.read(name))
    data[place] ^= 1
    return bytes(data)


def films_of(locked: Locked) -> list[str]:
    """Where the films of its screenings lie in the backup, not those of deleted ones."""
    hidden = map(locked.keys.hidden_name, sorted(images_of(locked.folder, locked.keys)))
    return [f"images/{name[:2]}/{name}" for name in hidden]


def require_same(page: Page, address: str, locked: Locked, place: Path) -> None:
    """What the browser keeps is what Python reads in the encrypted history: every entry, every byte of each film."""
    restored = place / "restored"
    contents = restore_backup(back_up(page, address, place / "web.zip"), restored)
    assert not contents.is_encrypted
    assert entries_of(restored) == entries_of(locked.folder, locked.keys)
    assert images_of(restored) == images_of(locked.folder, locked.keys)
    with History(restored) as history:
        assert [draft.fields["code"] for draft in history.drafts()] == ["K-5"]


@pytest.mark.parametrize("by", ["PIN", "code"])
def test_an_encrypted_backup_opens_with_what_it_was_made_with(
    page: Page, served: str, locked: Locked, tmp_path: Path, by: str
) -> None:
    restore(page, served, locked.path)
    expect(said(page, LOCKED)).to_be_visible(timeout=PATIENCE_MS)
    expect(said(page, "What is restored is not encrypted in this browser")).to_be_visible()
    expect(page.get_by_label(FIELD)).to_be_focused()
    enter(page, PIN if by == "PIN" else locked.code.lower())
    expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label(FIELD)).to_have_count(0)
    wait_for_the_end_of_the_keys(page)
    require_same(page, served, locked, tmp_path)
    assert sorted(codes(page, served)) == ["No code", "other", "plain"]
    page.locator(".entry", has_text="plain").click()
    expect(page.locator(".film-evidence")).to_be_visible(timeout=PATIENCE_MS)
    expect(said(page, HOSTILE)).to_be_visible()


def test_a_wrong_pin_is_told_and_another_can_be_tried(page: Page, served: str, locked: Locked) -> None:
    restore(page, served, locked.path)
    button(page, "Restore")
    expect(page.get_by_label(FIELD)).to_be_focused()
    enter(page, "271829")
    expect(said(page, WRONG_SECRET)).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label(FIELD)).to_be_focused()
    expect(page.get_by_label(FIELD)).to_have_value("")
    assert page.evaluate(STORED) == [0, 0, 0]
    page.get_by_label(FIELD).fill(PIN)
    page.get_by_label(FIELD).press("Enter")
    expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)


def wait_for_the_end_of_the_keys(page: Page) -> None:
    """Wait until the browser has ended the worker that has them."""
    for _ in range(PATIENCE_MS // POLL_MS):
        if not [worker for worker in page.workers if "lock_worker" in worker.url]:
            return
        page.wait_for_timeout(POLL_MS)
    raise AssertionError("the keys are still there")


def test_who_cancels_or_leaves_has_restored_nothing(page: Page, served: str, locked: Locked) -> None:
    page.add_init_script(ENDLESS)
    restore(page, served, locked.path)
    expect(page.get_by_label(FIELD)).to_be_visible(timeout=PATIENCE_MS)
    assert [worker for worker in page.workers if "lock_worker" in worker.url]
    button(page, "Cancel")
    expect(page.get_by_label(FIELD)).to_have_count(0)
    restore(page, served, locked.path)
    page.get_by_label(FIELD).fill(PIN)
    page.get_by_label(FIELD).press("Enter")
    expect(said(page, "The backup is being checked and restored…")).to_be_visible()
    button(page, "Cancel")
    expect(page.locator(".busy")).to_have_count(0)
    expect(page.locator(".warning")).to_have_count(0)
    wait_for_the_end_of_the_keys(page)
    restore(page, served, locked.path)
    expect(page.get_by_label(FIELD)).to_be_visible(timeout=PATIENCE_MS)
    button(page, "‹ Back")
    expect(page.get_by_label(FIELD)).to_have_count(0)
    wait_for_the_end_of_the_keys(page)
    assert page.evaluate(STORED) == [0, 0, 0]


def test_the_copy_of_the_keys_opens_it_where_the_first_is_damaged(
    page: Page, served: str, locked: Locked, copied: Path, tmp_path: Path
) -> None:
    damaged = copied.read_bytes().replace(b'"schema": 1', b'"schema": 3', 1)
    assert damaged != copied.read_bytes()
    copied.write_bytes(damaged)
    restore(page, served, copied)
    enter(page, PIN)
    expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)
    require_same(page, served, locked, tmp_path)


def test_nobody_is_asked_for_the_pin_of_damaged_keys(page: Page, served: str, copied: Path) -> None:
    restore(page, served, repacked(copied, {VAULT: member(copied, VAULT, 40), COPY: member(copied, COPY, 40)}))
    expect(page.locator(".warning")).to_contain_text("its keys are damaged", timeout=PATIENCE_MS)
    expect(page.get_by_label(FIELD)).to_have_count(0)


def test_one_altered_byte_of_the_database_is_told_and_nothing_restored(page: Page, served: str, copied: Path) -> None:
    altered = member(copied, DATABASE, 2 * PAGE_BYTES + 77)
    restore(page, served, repacked(copied, {DATABASE: altered}))
    enter(page, PIN)
    expect(page.locator(".warning")).to_contain_text(
        "not a backup of a history, or damaged (page 3 of its database was altered); choose another backup",
        timeout=PATIENCE_MS,
    )
    assert page.evaluate(STORED) == [0, 0, 0]


def test_a_film_that_was_altered_before_the_backup_is_counted(
    page: Page, served: str, locked: Locked, copied: Path
) -> None:
    first, second, *_ = films_of(locked)
    with zipfile.ZipFile(copied) as archive:
        swapped = archive.read(second)
    restore(page, served, repacked(copied, {first: member(copied, first, -1), second: None}))
    enter(page, PIN)
    expect(said(page, "2 of its pictures are damaged or missing")).to_be_visible(timeout=PATIENCE_MS)
    assert page.evaluate(STORED) == [3, 2, 1]
    restore(page, served, repacked(copied, {first: swapped}))
    enter(page, PIN)
    expect(said(page, "1 of its pictures is damaged or missing")).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.slow
def test_a_film_that_was_altered_in_the_backup_is_refused(
    page: Page, served: str, locked: Locked, copied: Path
) -> None:
    name = films_of(locked)[0]
    with zipfile.ZipFile(copied) as archive:
        content = archive.read(name)
    copied.write_bytes(copied.read_bytes().replace(content, member(copied, name, -1)))
    restore(page, served, copied)
    enter(page, PIN)
    expect(page.locator(".warning")).to_contain_text("not as it should be", timeout=PATIENCE_MS)
    assert page.evaluate(STORED) == [0, 0, 0]


def test_too_little_memory_for_the_pin_is_one_sentence(page: Page, served: str, locked: Locked) -> None:
    page.add_init_script(SHORT_OF_MEMORY)
    restore(page, served, locked.path)
    enter(page, PIN)
    expect(page.locator(".warning")).to_have_text(NO_MEMORY)


def test_without_a_network_and_without_its_code_the_page_says_so(page: Page, served: str, locked: Locked) -> None:
    page.add_init_script(WITHOUT_ITS_CODE)
    restore(page, served, locked.path)
    told = "What opens encrypted backups could not be loaded"
    expect(page.locator(".warning")).to_contain_text(told, timeout=PATIENCE_MS)


@pytest.fixture
def clinic(browser: Browser, served: str) -> Iterator[tuple[Page, str]]:
    """The app by plain HTTP under a name of the clinic's network, where a browser gives no cryptography."""
    port = urlsplit(served).port
    rules = "--host-resolver-rules=MAP clinic.test 127.0.0.1, MAP * ~NOTFOUND"
    launched = browser.browser_type.launch(executable_path=CHROMIUM, args=[rules])
    yield launched.new_page(), f"http://clinic.test:{port}/"
    launched.close()


def test_plain_http_opens_it_too(clinic: tuple[Page, str], locked: Locked, tmp_path: Path) -> None:
    page, address = clinic
    restore(page, address, locked.path)
    assert page.evaluate("() => [isSecureContext, crypto.subtle === undefined]") == [False, True]
    enter(page, locked.code)
    expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)
    require_same(page, address, locked, tmp_path)


@pytest.mark.slow
def test_after_the_first_visit_it_opens_without_a_network(context: BrowserContext, served: str, locked: Locked) -> None:
    page = context.new_page()
    open_app(page, served)
    expect(said(page, "It works without a network.")).to_be_visible(timeout=PATIENCE_MS)
    context.set_offline(True)
    page.reload()
    restore(page, served, locked.path)
    enter(page, locked.code)
    expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.slow
def test_no_file_of_the_browser_has_the_pin_or_the_code(
    browser: Browser, served: str, locked: Locked, tmp_path: Path
) -> None:
    """Its notes by which forms are filled in again among them."""
    profile, wrong = tmp_path / "profile", f"{PIN}314159"
    with browser.browser_type.launch_persistent_context(profile, executable_path=CHROMIUM) as context:
        page = context.new_page()
        restore(page, served, locked.path)
        enter(page, wrong)
        expect(said(page, WRONG_SECRET)).to_be_visible(timeout=PATIENCE_MS)
        enter(page, locked.code)
        expect(said(page, RESTORED)).to_be_visible(timeout=PATIENCE_MS)
    files = {path: path.read_bytes() for path in profile.rglob("*") if path.is_file()}
    assert any(HOSTILE.encode() in data for data in files.values()), "what was restored is there, and is looked for"
    typed = [text.encode(kind) for text in (wrong, locked.code) for kind in ("utf-8", "utf-16-le")]
    assert [path for path, data in files.items() if any(text in data for text in typed)] == []


def test_what_names_one_file_of_keys_alone_is_no_backup(page: Page, served: str, copied: Path) -> None:
    restore(page, served, repacked(copied, {COPY: None}))
    expect(page.locator(".warning")).to_contain_text(f"{CONTENTS} is not as it should be")
