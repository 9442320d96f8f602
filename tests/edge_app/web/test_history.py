"""What is kept in the browser: on the disk before it is called saved, and there again whatever ends the page."""

from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from osteo_edge.hashing import sha256_bytes
from tests.edge_app.web.reader import (
    FILM_NAME,
    PATIENCE_MS,
    REFER,
    SAVED,
    STORED,
    button,
    choose,
    codes,
    drawn_film,
    leave_room,
    open_app,
    said,
    save,
    screen,
    wait_for_kept,
)
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of

KEPT = """() => new Promise((resolve) => {
    const request = indexedDB.open("osteo-edge");
    request.onsuccess = () => {
        const names = ["entries", "images", "drafts"];
        const transaction = request.result.transaction(names);
        const found = names.map((name) => transaction.objectStore(name).getAll());
        const text = (bytes) => new TextDecoder("latin1").decode(bytes);
        const plain = (one) => (one.bytes ? {...one, bytes: text(one.bytes)} : one);
        transaction.oncomplete = () => { request.result.close(); resolve(found.map((all) => all.result.map(plain))); };
    };
})"""
"""All that the browser keeps."""
FORMS_HELD = """async () => (await navigator.locks.query()).held
    .map((lock) => lock.name.split("osteo-edge form ")[1]).filter((id) => id)"""
SLOW_LOCKS = """(() => {
    const request = LockManager.prototype.request;
    [window.locksAskedFor, window.locksGiven] = [0, 0];
    LockManager.prototype.request = async function (name, ...rest) {
        if (!name.startsWith("osteo-edge form ")) return request.call(this, name, ...rest);
        window.locksAskedFor += 1;
        await new Promise((resolve) => setTimeout(resolve, 500));
        window.locksGiven += 1;
        return request.call(this, name, ...rest);
    };
})()"""
FORBIDDEN = (
    "Object.defineProperty(window, 'indexedDB', {value: {open() { throw new DOMException('', 'SecurityError') }}})"
)


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """An empty page."""
    return visitor.new_page()


def note(page: Page, text: str) -> None:
    button(page, "Note")
    page.get_by_label("Note: no name of the patient").fill(text)
    button(page, "Save the note")


@pytest.mark.slow
def test_what_is_entered_of_an_answer_is_there_again(page: Page, served: str) -> None:
    screen(page, served, code="K-1")
    save(page)
    note(page, "old fracture")
    expect(said(page, "Note: old fracture")).to_be_visible()
    button(page, "DXA result")
    page.get_by_label("Lowest T-score").fill("1.8")
    expect(said(page, "This T-score has no minus sign. Check it.")).to_be_visible()
    page.get_by_label("Lowest T-score").fill("-1,8")
    button(page, "Save the result")
    expect(said(page, "DXA result, entered by the clinic: osteopenia, T-score -1.8")).to_be_visible()
    button(page, "Decision")
    page.get_by_label("otherwise", exact=True).check()
    button(page, "Save the decision")
    expect(said(page, "Say why it was decided otherwise")).to_be_visible()
    page.get_by_label("Why otherwise: no name of the patient").fill("seen by a surgeon")
    button(page, "Save the decision")
    expect(said(page, "because: seen by a surgeon")).to_be_visible()
    page.reload()
    expect(said(page, "because: seen by a surgeon")).to_be_visible(timeout=PATIENCE_MS)
    expect(said(page, "Note: old fracture")).to_be_visible()
    open_app(page, served, "history")
    expect(said(page, "DXA: osteopenia, T-score -1.8")).to_be_visible()


@pytest.mark.slow
def test_screenings_are_found_by_code_and_answer(page: Page, served: str) -> None:
    for code in ("K-1", "L-2"):
        screen(page, served, code=code)
        save(page)
    assert sorted(codes(page, served)) == ["K-1", "L-2"]
    page.get_by_label("Patient code").fill("k-")
    expect(page.locator(".entry .strong")).to_have_text(["K-1"])
    page.get_by_label("Patient code").fill("nobody")
    expect(said(page, "No screening like this")).to_be_visible()
    page.get_by_label("Patient code").fill("")
    said(page, "Filter").click()
    page.get_by_label("No finding, which rules nothing out").check()
    expect(said(page, "No screening like this")).to_be_visible()
    page.get_by_label("Refer", exact=True).check()
    expect(page.locator(".entry")).to_have_count(2)


def test_a_deleted_screening_can_be_brought_back(page: Page, served: str) -> None:
    screen(page, served, code="K-1")
    save(page)
    button(page, "Delete")
    expect(said(page, "The screening was deleted.")).to_be_visible()
    expect(said(page, "No screenings yet")).to_be_visible()
    button(page, "Undo")
    expect(said(page, "The screening is back.")).to_be_visible()
    expect(page.locator(".entry .strong")).to_have_text(["K-1"])
    page.locator(".entry").click()
    expect(page.locator(".film")).to_be_visible(timeout=PATIENCE_MS)


def test_what_was_deleted_is_gone_for_good_once_it_cannot_be_undone(page: Page, served: str) -> None:
    page.clock.install()
    screen(page, served, code="K-1")
    save(page)
    button(page, "Delete")
    expect(said(page, "The screening was deleted.")).to_be_visible()
    page.clock.fast_forward(62_000)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    wait_for_kept(page, screenings=0, images=0, forms=0)


def test_a_tab_that_is_killed_loses_neither_form_nor_film(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    screen(page, served, code="K-1")
    wait_for_kept(page, screenings=0, images=0, forms=1)
    crash(page)
    again = visitor.new_page()
    open_app(again, served, "new")
    expect(said(again, "A form was not finished: K-1")).to_be_visible()
    expect(said(again, f"Its film: {FILM_NAME}")).to_be_visible()
    button(again, "Continue it")
    expect(again.get_by_label("Patient code, no name")).to_have_value("K-1")
    button(again, "Screen it")
    expect(again.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)
    save(again)
    open_app(again, served, "new")
    assert again.get_by_label("Patient code, no name").input_value() == ""
    assert again.evaluate(STORED) == [1, 2, 0]


def crash(page: Page) -> None:
    """End the process that draws the page, as a phone does that needs its memory."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")


def test_a_form_that_is_discarded_can_be_brought_back(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    open_app(page, served, "new")
    page.get_by_label("Patient code, no name").fill("K-9")
    wait_for_kept(page, screenings=0, images=0, forms=1)
    page.close()
    again = visitor.new_page()
    open_app(again, served, "new")
    button(again, "Discard it")
    expect(said(again, "The unfinished form was discarded.")).to_be_visible()
    assert again.evaluate(STORED) == [0, 0, 0]
    button(again, "Undo")
    expect(said(again, "A form was not finished: K-9")).to_be_visible()


def test_two_tabs_see_what_the_other_saves_and_share_no_form(visitor: BrowserContext, served: str) -> None:
    one, other = visitor.new_page(), visitor.new_page()
    open_app(one, served, "new")
    one.get_by_label("Patient code, no name").fill("K-1")
    wait_for_kept(one, screenings=0, images=0, forms=1)
    open_app(other, served, "new")
    expect(other.get_by_role("button", name="Choose a film")).to_be_visible()
    assert said(other, "A form was not finished").count() == 0
    open_app(other, served, "history")
    choose(one)
    expect(one.locator(".headline")).to_be_visible(timeout=PATIENCE_MS)
    save(one)
    expect(other.locator(".entry .strong")).to_have_text(["K-1"])


def test_a_form_that_is_left_while_its_lock_is_awaited_leaves_it(page: Page, served: str) -> None:
    page.add_init_script(SLOW_LOCKS)
    open_app(page, served, "new")
    page.get_by_label("Patient code, no name").fill("K-1")
    page.wait_for_timeout(150)
    assert page.evaluate("[window.locksAskedFor, window.locksGiven]") == [1, 0]
    button(page, "Clear")
    page.get_by_label("Patient code, no name").fill("K-2")
    wait_for_kept(page, screenings=0, images=0, forms=1)
    (draft,) = page.evaluate(KEPT)[2]
    assert draft["fields"]["code"] == "K-2"
    assert page.evaluate(FORMS_HELD) == [draft["id"]]


def test_a_browser_that_keeps_nothing_screens_and_says_so(page: Page, served: str) -> None:
    page.add_init_script(FORBIDDEN)
    page.add_init_script("navigator.storage.estimate = () => Promise.reject(new TypeError())")
    for name in ("settings", "home"):
        open_app(page, served, name)
        expect(said(page, "This browser lets this page keep nothing")).to_be_visible()
    screen(page, served)
    expect(page.locator(".foot")).to_contain_text("nothing can be saved")
    assert page.get_by_role("button", name="Save", exact=True).count() == 0


@pytest.mark.slow
def test_without_https_the_history_is_kept_as_well(page: Page, served: str) -> None:
    for name in ("locks", "storage", "mediaDevices", "serviceWorker"):
        page.add_init_script(f"Object.defineProperty(Navigator.prototype, '{name}', {{value: undefined}})")
    screen(page, served, code="K-1")
    save(page)
    open_app(page, served, "settings")
    expect(said(page, "Films and answers are kept by this browser")).to_be_visible()
    assert codes(page, served) == ["K-1"]
    page.locator(".entry").click()
    button(page, "Delete")
    expect(said(page, "The screening was deleted.")).to_be_visible()


def test_a_full_device_keeps_the_answer_to_be_saved_again(page: Page, served: str) -> None:
    open_app(page, served)
    leave_room(page, served, 1)
    screen(page, served, code="K-1")
    no_space = said(page, "This device has no space left for this page")
    expect(no_space).to_be_visible()  # the form cannot be kept
    button(page, "Close")
    button(page, "Save")
    expect(no_space).to_be_visible()
    button(page, "Close")
    assert said(page, SAVED).count() == 0
    assert page.evaluate(STORED) == [0, 0, 0]
    leave_room(page, served, None)
    save(page)
    assert page.evaluate(STORED) == [1, 2, 0]


def test_a_history_that_cannot_be_tidied_up_is_there_all_the_same(page: Page, served: str) -> None:
    screen(page, served, code="K-1")
    save(page)
    page.add_init_script("IDBObjectStore.prototype.openCursor = () => { throw new DOMException('', 'UnknownError') }")
    page.reload()
    assert codes(page, served) == ["K-1"]


def test_of_a_dicom_film_the_picture_alone_is_kept(page: Page, served: str, tmp_path: Path) -> None:
    grey = cv2.imdecode(np.frombuffer(drawn_film()["buffer"], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    film = tmp_path / "film.dcm"
    film.write_bytes(dicom_bytes(dicom_of(grey.astype(np.uint16) * 16, PatientName="NAME^OF", PatientID="ID-OF")))
    screen(page, served, film)
    verdict = page.locator(".verdict").inner_text()
    save(page)
    entries, images, drafts = page.evaluate(KEPT)
    assert [entry["film_sha256"] for entry in entries] == [sha256_bytes(film.read_bytes())]
    assert ([image["suffix"] for image in images], drafts) == ([".png", ".png"], [])
    assert [image["bytes"][1:4] for image in images] == ["PNG", "PNG"]
    assert [mark for mark in ("NAME^OF", "ID-OF") for image in images if mark in image["bytes"]] == []
    page.reload()
    expect(page.locator(".film-evidence")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator(".verdict").inner_text() == verdict


def test_a_screening_whose_film_is_lost_keeps_its_words(page: Page, served: str) -> None:
    screen(page, served, code="K-1")
    save(page)
    page.evaluate("""() => new Promise((resolve) => {
        const request = indexedDB.open("osteo-edge");
        request.onsuccess = () => {
            const transaction = request.result.transaction("images", "readwrite");
            transaction.objectStore("images").clear();
            transaction.oncomplete = () => { request.result.close(); resolve(); };
        };
    })""")
    page.reload()
    expect(page.locator(".headline")).to_have_text(REFER)
    expect(said(page, "The film of this screening is missing")).to_be_visible()


def test_a_screening_that_is_not_there_is_told(page: Page, served: str) -> None:
    open_app(page, served, f"entry/{'0' * 32}")
    expect(said(page, "This screening is not in the history any more.")).to_be_visible()
