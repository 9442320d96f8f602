"""What somebody does in the web app, for tests that tell a story."""

from functools import cache
from pathlib import Path

import cv2
from playwright.sync_api import FilePayload, Locator, Page, expect

from osteo_edge.edge_app.drawn_film import DRAWN_FILM

PATIENCE_MS = 30_000
POLL_MS = 50
FILM_NAME = "film.png"
SIDE_PX = 448
REFER = "Possible low bone density: refer for DXA"
SAVED = "Saved on this device."
STORED = """() => new Promise((resolve) => {
    const request = indexedDB.open("osteo-edge");
    request.onsuccess = () => {
        const names = ["entries", "images", "drafts"];
        const transaction = request.result.transaction(names);
        const counts = names.map((name) => transaction.objectStore(name).count());
        transaction.oncomplete = () => { request.result.close(); resolve(counts.map((one) => one.result)); };
    };
})"""
"""How many screenings, images and unfinished forms the browser keeps."""


@cache
def drawn_film() -> FilePayload:
    """The drawn film that comes with the app, small enough to be screened in a moment."""
    drawn = cv2.imread(str(DRAWN_FILM), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    film = cv2.resize(drawn, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return {"name": FILM_NAME, "mimeType": "image/png", "buffer": cv2.imencode(".png", film)[1].tobytes()}


def said(page: Page, words: str) -> Locator:
    """What says these words in sight: on the screen, or in the line at its foot; not what is only read out."""
    return page.locator("body > *:not(.unseen)").get_by_text(words)


def button(page: Page, name: str) -> None:
    """Press the button, or follow the way, that is called so."""
    page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name, exact=True)).click()


def open_app(page: Page, address: str, screen: str = "") -> None:
    """Open a screen and wait until it is there."""
    page.goto(f"{address}#{screen}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def choose(page: Page, film: Path | None = None, name: str = "Choose a film") -> None:
    """Choose a film, by default the drawn one, with the button that is called so."""
    with page.expect_file_chooser() as chooser:
        button(page, name)
    chooser.value.set_files(film or drawn_film())


def screen(page: Page, address: str, film: Path | None = None, *, code: str = "") -> None:
    """Screen a film from the first page on, and wait for the answer."""
    open_app(page, address, "new")
    if code:
        page.get_by_label("Patient code, no name").fill(code)
    choose(page, film)
    expect(page.locator(".headline")).to_be_visible(timeout=PATIENCE_MS)


def save(page: Page) -> None:
    """Save the answer, and wait until it is on the disk."""
    button(page, "Save")
    expect(said(page, SAVED)).to_be_visible()


def codes(page: Page, address: str) -> list[str]:
    """The patient codes of the history, the newest first."""
    open_app(page, address, "history")
    expect(page.locator("main p[role=status]")).not_to_be_empty()
    return page.locator(".entry .strong").all_inner_texts()


def leave_room(page: Page, address: str, size_bytes: int | None) -> None:
    """Let the browser have so much room for the app and no more; None for as much as there is."""
    room = {} if size_bytes is None else {"quotaSize": size_bytes}
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": address.rstrip("/"), **room})


def wait_for_kept(page: Page, *, screenings: int, images: int, forms: int) -> None:
    """Wait until the browser keeps so many."""
    wanted, kept = [screenings, images, forms], None
    for _ in range(PATIENCE_MS // POLL_MS):
        kept = page.evaluate(STORED)
        if kept == wanted:
            return
        page.wait_for_timeout(POLL_MS)
    assert kept == wanted
