"""Of a film the browser keeps the picture alone: a marked name is in no byte of what it keeps, nor of a backup."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, BrowserContext, Page, expect

from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.store import History
from osteo_edge.hashing import sha256_bytes
from osteo_edge.metadata import without_metadata
from tests.edge_app.history.made import make_record
from tests.edge_app.web.backups import back_up, restore
from tests.edge_app.web.conftest import CHROMIUM
from tests.edge_app.web.reader import (
    PATIENCE_MS,
    POLL_MS,
    button,
    drawn_film,
    open_app,
    said,
    save,
    screen,
)
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of
from tests.osteo_edge.test_metadata import MARKER, WIDE, notes

NAME = MARKER.decode()
KEPT = """() => new Promise((resolve) => {
    const request = indexedDB.open("osteo-edge");
    request.onsuccess = () => {
        const texts = [JSON.stringify({...localStorage, ...sessionStorage})];
        const note = (key, value) => {
            const text = value instanceof Uint8Array ? new TextDecoder("latin1").decode(value) : value;
            if (typeof text === "string") texts.push(text);
            return text;
        };
        const names = ["drafts", "entries", "images"];
        const transaction = request.result.transaction(names);
        const all = names.map((name) => transaction.objectStore(name).getAll());
        transaction.oncomplete = () => {
            request.result.close();
            JSON.stringify(all.map((one) => one.result), note);
            resolve([texts.join("\\n"), all[0].result.map((draft) => draft.film?.name ?? null)]);
        };
    };
})"""
"""All that the browser keeps, as one text, and the films of the forms that were not finished."""


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """An empty page."""
    return visitor.new_page()


def grey() -> npt.NDArray[np.uint8]:
    drawn = cv2.imdecode(np.frombuffer(drawn_film()["buffer"], np.uint8), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    return drawn.astype(np.uint8)


def saved(file_format: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(grey()).save(file, file_format, **options)
    return file.getvalue() + MARKER


def marked_jpeg() -> bytes:
    return saved("JPEG", quality=95, exif=notes(1), comment=MARKER, icc_profile=MARKER)


def marked_png() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Patient", NAME)
    return saved("PNG", pnginfo=texts, exif=notes(1))


def marked_dicom(modality: str = "DX") -> bytes:
    said = dict.fromkeys(("PatientName", "PatientID", "StudyDescription", "InstitutionName"), NAME)
    return dicom_bytes(dicom_of(grey().astype(np.uint16) * 16, Modality=modality, **said))


FILMS: dict[str, Callable[[], bytes]] = {
    ".jpg": marked_jpeg,
    ".png": marked_png,
    ".bmp": lambda: saved("BMP"),
    ".dcm": marked_dicom,
}


def marked(folder: Path, suffix: str, data: bytes) -> Path:
    """A film whose file has the name as its own, too."""
    assert MARKER in data
    path = folder / f"{NAME}{suffix}"
    path.write_bytes(data)
    return path


def kept(page: Page) -> list[str | None]:
    """Nothing that the browser keeps has the name; the films of the forms that were not finished."""
    text, films = page.evaluate(KEPT)
    assert "K-1" in text
    assert NAME not in text
    assert WIDE.decode() not in text
    return list(films)


def wait_for_film(page: Page) -> list[str | None]:
    films = kept(page)
    for _ in range(PATIENCE_MS // POLL_MS):
        if films != [None]:
            break
        page.wait_for_timeout(POLL_MS)
        films = kept(page)
    return films


@pytest.mark.parametrize(
    "suffix", [".jpg", ".dcm", *(pytest.param(one, marks=pytest.mark.slow) for one in (".png", ".bmp"))]
)
def test_no_name_of_a_file_is_kept_nor_backed_up(
    visitor: BrowserContext, served: str, tmp_path: Path, suffix: str
) -> None:
    film = marked(tmp_path, suffix, FILMS[suffix]())
    before = visitor.new_page()
    screen(before, served, film, code="K-1")
    verdict = before.locator(".verdict").inner_text()
    kept_suffix = ".png" if suffix == ".dcm" else suffix
    assert wait_for_film(before) == [f"film{kept_suffix}"]
    before.close()
    page = visitor.new_page()
    open_app(page, served, "new")
    button(page, "Continue it")
    button(page, "Screen it")
    expect(page.locator(".headline")).to_be_visible(timeout=PATIENCE_MS)
    assert page.locator(".verdict").inner_text() == verdict
    save(page)
    assert kept(page) == []
    backup = back_up(page, served, tmp_path / "web.zip")
    assert MARKER not in backup.read_bytes()
    restore_backup(backup, tmp_path / "restored")
    with History(tmp_path / "restored") as history:
        (entry,) = history.entries()
        assert entry.film_sha256 == sha256_bytes(film.read_bytes())
        image = history.image(entry.image_sha256)
        assert image.suffix == kept_suffix
        if suffix != ".dcm":
            assert image.data == without_metadata(film.read_bytes(), {".jpg": "jpeg"}.get(suffix, suffix[1:]))
        assert history.sweep() == 0


@pytest.mark.slow
def test_no_file_of_the_browser_has_the_name(browser: Browser, served: str, tmp_path: Path) -> None:
    """Its notes of sessions and forms among them."""
    profile = tmp_path / "profile"
    with browser.browser_type.launch_persistent_context(profile, executable_path=CHROMIUM) as context:
        for suffix, film in FILMS.items():
            page = context.new_page()
            screen(page, served, marked(tmp_path, suffix, film()), code="K-1")
            wait_for_film(page)
            save(page)
    files = {path: path.read_bytes() for path in profile.rglob("*") if path.is_file()}
    code = "K-1".encode("utf-16-le")
    assert any(code in data for data in files.values())
    assert [path for path, data in files.items() if MARKER in data or WIDE in data] == []


@pytest.mark.slow
def test_a_film_that_its_file_says_is_none_is_not_offered_as_one(
    visitor: BrowserContext, served: str, tmp_path: Path
) -> None:
    """What tells that it is none, its modality, does not stand in the picture."""
    before = visitor.new_page()
    screen(before, served, marked(tmp_path, ".dcm", marked_dicom("CT")), code="K-1")
    expect(said(before, "not a radiograph")).to_be_visible()
    before.close()
    page = visitor.new_page()
    open_app(page, served, "new")
    expect(said(page, "A form was not finished: K-1")).to_be_visible()
    assert kept(page) == [None]


@pytest.mark.slow
def test_a_backup_is_restored_to_the_last_byte(page: Page, served: str, tmp_path: Path) -> None:
    """As the Kivy app restores it: what is in it was decided when the film was saved."""
    film = marked_png()
    with History(tmp_path / "history") as history:
        history.add(make_record(film, code="K-1"))
    restore(page, served, write_backup(tmp_path / "history", tmp_path / "backup.zip").path)
    expect(said(page, "1 screening was added.")).to_be_visible()
    restore_backup(back_up(page, served, tmp_path / "web.zip"), tmp_path / "again")
    with History(tmp_path / "again") as history:
        assert history.image(sha256_bytes(film)).data == film
