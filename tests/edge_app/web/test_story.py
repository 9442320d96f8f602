"""From a film to an answer that is saved, in a browser."""

import re
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.wording import HEADLINES, advice, headline
from tests.edge_app.web.reader import (
    PATIENCE_MS,
    REFER,
    SAVED,
    button,
    choose,
    codes,
    drawn_film,
    open_app,
    said,
    save,
    screen,
)


@pytest.fixture
def page(visitor: BrowserContext) -> Page:
    """An empty page."""
    return visitor.new_page()


def film_pixels(page: Page) -> bytes:
    return page.locator(".film").screenshot(animations="disabled")


def colour_picture(path: Path) -> Path:
    """A picture in many colours, such as a phone takes of anything but a film."""
    rows, columns = np.mgrid[0:480, 0:640].astype(np.float32)
    hues = (rows / 480 * 90 + columns / 640 * 90).astype(np.uint8)
    picture = np.dstack([hues, np.full_like(hues, 200), (120 + 100 * np.sin(columns / 9)).astype(np.uint8)])
    assert cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_HSV2BGR))
    return path


def png_that_says(side_px: int) -> bytes:
    """A PNG file that claims to be of that size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_film_is_screened_read_and_saved(page: Page, served: str) -> None:
    open_app(page, served)
    expect(said(page, MARK).first).to_be_visible()
    button(page, "New screening")
    page.get_by_label("Patient code, no name").fill("K-17")
    page.get_by_label("Age in years").fill("71")
    page.get_by_label("Weight in kg").fill("46,5")
    page.get_by_label("Female").check()
    expect(said(page, "OST index -4: moderate-risk group by age and weight.")).to_be_visible()
    choose(page)
    expect(page.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)
    verdict = page.locator(".verdict").inner_text()
    assert [line for line in (REFER, MARK, advice("refer")) if line not in verdict] == []
    assert said(page, "Calibrated probability").is_hidden()
    said(page, "The probability that the model gives").click()
    expect(said(page, "Calibrated probability that the model gives: above 0.99")).to_be_visible()
    expect(said(page, "Patient code: K-17 · Age: 71 years · Sex: female · Weight: 46.5 kg")).to_be_visible()
    save(page)
    page.reload()
    expect(page.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)
    assert codes(page, served) == ["K-17"]


def test_the_slider_shows_more_or_less_of_the_evidence(page: Page, served: str) -> None:
    screen(page, served)
    slider = page.get_by_role("slider")
    assert slider.input_value() == "0.55"
    before = film_pixels(page)
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(0.85)
    more = film_pixels(page)
    page.get_by_label("Evidence", exact=True).uncheck()
    none = film_pixels(page)
    assert len({before, more, none}) == 3
    assert slider.is_disabled()


@pytest.mark.slow
def test_a_film_is_enlarged_and_moved_by_keys(page: Page, served: str) -> None:
    screen(page, served)
    film = page.locator(".film")
    film.focus()
    page.keyboard.press("0")
    whole = film_pixels(page)
    page.keyboard.press("ArrowRight")
    assert film_pixels(page) == whole
    page.keyboard.press("+")
    page.keyboard.press("+")
    enlarged = film_pixels(page)
    page.keyboard.press("ArrowRight")
    moved = film_pixels(page)
    page.keyboard.press("0")
    assert len({whole, enlarged, moved}) == 3
    assert film_pixels(page) == whole


FILM_PLACE = """() => {
    const [layers, box] = [document.querySelector(".film-layers"), document.querySelector(".film")];
    const { m41: x, m42: y, a: zoom } = new DOMMatrix(getComputedStyle(layers).transform);
    const film = document.querySelector(".film-picture");
    const shown = zoom * Math.min(box.clientWidth / film.width, box.clientHeight / film.height);
    const room = [shown * film.width - box.clientWidth, shown * film.height - box.clientHeight];
    return { x, y, zoom, isWithin: [x, y].every((at, axis) => Math.abs(at) <= Math.max(0, room[axis] / 2) + 1) };
}"""
"""How far a film is moved and enlarged, and whether its edges are where they may be."""


TURNED = """() => new Promise((done) => {
    const look = () =>
        requestAnimationFrame(innerWidth === 320 ? () => requestAnimationFrame(done) : look);
    look();
})"""
"""Wait until the page has been drawn in its new width."""


def film_middle(page: Page) -> tuple[float, float]:
    box = page.locator(".film").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.fixture
def still(page: Page) -> Page:
    """The page for somebody who wants no motion: what is moved is there at once."""
    page.emulate_media(reduced_motion="reduce")
    return page


def test_two_fingers_enlarge_the_film_and_not_the_page(still: Page, served: str) -> None:
    screen(still, served)
    across, down = film_middle(still)
    pinch = {"x": across, "y": down, "scaleFactor": 2, "relativeSpeed": 2000, "gestureSourceType": "touch"}
    still.context.new_cdp_session(still).send("Input.synthesizePinchGesture", pinch)
    assert still.evaluate(FILM_PLACE)["zoom"] > 1.5
    # else the browser takes the gesture for its own and tells the page no more of it
    assert still.locator(".film").evaluate("one => getComputedStyle(one).touchAction") == "none"
    still.get_by_role("button", name="Show all of the film").click()
    assert still.locator(".film").evaluate("one => getComputedStyle(one).touchAction") == "pan-x pan-y"


def test_a_film_follows_the_mouse_only_while_its_button_is_down(still: Page, served: str) -> None:
    screen(still, served)
    across, down = film_middle(still)
    still.mouse.move(across, down)
    still.mouse.down()
    still.mouse.move(5, 5)
    still.mouse.up()  # not on the film
    for _ in range(3):
        still.get_by_role("button", name="Enlarge").click()
    enlarged = still.evaluate(FILM_PLACE)
    still.mouse.move(across, down)
    still.mouse.move(across + 20, down + 20)
    assert still.evaluate(FILM_PLACE) == enlarged
    still.mouse.down()
    still.mouse.move(across, down)
    still.mouse.up()
    assert still.evaluate(FILM_PLACE)["x"] == pytest.approx(enlarged["x"] - 20)


def test_an_enlarged_film_stays_in_its_frame_when_the_phone_is_turned(still: Page, served: str) -> None:
    screen(still, served)
    still.locator(".film").focus()
    for key in ("+", "+", *(["ArrowRight", "ArrowDown"] * 12)):
        still.keyboard.press(key)
    upright = still.evaluate(FILM_PLACE)
    still.set_viewport_size({"width": 320, "height": 480})
    still.evaluate(TURNED)
    turned = still.evaluate(FILM_PLACE)
    assert (turned["zoom"], turned["isWithin"]) == (upright["zoom"], True)
    assert turned["x"] != upright["x"]


@pytest.mark.parametrize("address", ["nonsense", "constructor", "__proto__"])
def test_an_address_that_is_none_leads_to_the_first_screen(page: Page, served: str, address: str) -> None:
    open_app(page, served, address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bone screening")


def test_a_colour_picture_is_refused_with_a_reason_and_no_probability(page: Page, served: str, tmp_path: Path) -> None:
    screen(page, served, colour_picture(tmp_path / "cat.png"))
    expect(page.locator(".headline")).to_have_text(HEADLINES["rejected"])
    verdict = page.locator(".verdict").inner_text()
    assert "a colour picture, not a radiograph" in verdict
    assert advice("rejected") in verdict
    assert page.locator("details.probability").count() == 0
    assert re.search(r"\b0\.\d\d", page.locator("main").inner_text()) is None
    button(page, "Choose another film")
    expect(page.get_by_role("button", name="Choose a film")).to_be_visible()


def test_the_photo_of_a_cat_is_refused(page: Page, served: str, shared_data: Path) -> None:
    screen(page, served, shared_data / "ood" / "photos" / "cat_720p.jpg")
    expect(page.locator(".headline")).to_have_text(HEADLINES["rejected"])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("letter.txt", b"Dear colleague,", "not a PNG, JPEG, BMP, TIFF or DICOM file"),
        ("empty.png", b"", "the file is empty"),
        ("cut.jpg", DRAWN_FILM.read_bytes()[:9000], "damaged or incomplete"),
        ("huge.png", png_that_says(131_072), "131072 x 131072 pixels is too large (at most 16384 a side"),
    ],
    ids=["no picture", "empty", "cut off", "huge"],
)
def test_what_is_no_film_is_told_in_a_sentence(
    page: Page, served: str, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    open_app(page, served, "new")
    choose(page, path)
    expect(page.locator("main .card").first).to_contain_text(words, timeout=PATIENCE_MS)
    button(page, "Choose another film")
    choose(page)
    expect(page.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)


def test_a_field_with_a_problem_keeps_from_choosing_a_film(page: Page, served: str) -> None:
    open_app(page, served, "new")
    page.get_by_label("Age in years").fill("1956")
    button(page, "Choose a film")
    expect(said(page, "This looks like a year. Enter the age in years.")).to_be_visible()
    expect(page.get_by_label("Age in years")).to_be_focused()
    page.get_by_label("Patient code, no name").fill("Maria Lopez")
    page.get_by_label("Age in years").fill("66")
    expect(said(page, "This looks like a name.")).to_be_visible()
    choose(page)  # a hint keeps nobody from going on


@pytest.mark.slow
def test_leaving_an_unsaved_answer_asks(page: Page, served: str) -> None:
    screen(page, served)
    button(page, "‹ Back")
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    dialog.get_by_role("button", name="Stay").click()
    expect(page.locator(".headline")).to_be_visible()
    page.go_back()
    dialog.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("button", name="Choose a film")).to_be_visible()
    assert codes(page, served) == []


def test_who_stays_and_leaves_in_the_same_moment_is_asked_again(page: Page, served: str) -> None:
    screen(page, served)
    for _ in range(2):
        button(page, "‹ Back")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.evaluate("() => { document.querySelector('dialog button').click(); location.hash = '#history'; }")
        expect(page.get_by_role("dialog", name="Leave without saving?")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.locator(".headline")).to_be_visible()


def test_the_app_speaks_the_languages_of_the_kivy_app(page: Page, served: str) -> None:
    open_app(page, served, "settings")
    page.get_by_label("Français").check()
    french = open_catalogue("fr")
    expect(page.get_by_role("heading", level=1)).to_have_text(french("Settings"))
    page.goto(f"{served}#new")
    choose(page, name=french("Choose a film"))
    expect(page.locator(".headline")).to_have_text(french(headline("refer")), timeout=PATIENCE_MS)
    words = page.locator(".verdict").inner_text()
    assert french("score above 0.99 is at or above the threshold 0.72") in words
    assert page.locator("html").get_attribute("lang") == "fr"
    page.reload()
    expect(page.locator(".mark")).to_have_text(french(MARK))


def test_a_browser_speaks_its_own_language_at_the_first_visit(context: BrowserContext, served: str) -> None:
    page = context.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'languages', {get: () => ['sw-TZ', 'en']})")
    open_app(page, served)
    expect(page.locator(".mark")).to_have_text(open_catalogue("sw")(MARK))


def test_a_browser_without_webassembly_is_told_so(context: BrowserContext, served: str) -> None:
    page = context.new_page()
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(served)
    expect(said(page, "it has no WebAssembly")).to_be_visible()


@pytest.mark.slow
def test_a_film_is_dropped_onto_the_page(page: Page, served: str) -> None:
    open_app(page, served, "new")
    transfer = page.evaluate_handle(
        """(bytes) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(bytes)], "film.jpg"));
            return transfer;
        }""",
        list(drawn_film()["buffer"]),
    )
    page.dispatch_event(".sources", "drop", {"dataTransfer": transfer})
    expect(page.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)


SLOWLY = """
    const read = Blob.prototype.arrayBuffer;
    Blob.prototype.arrayBuffer = function () {
        if (this.name !== "slow.txt") return read.call(this);
        return new Promise((resolve) => {
            window.letGo = async () => {
                resolve(await read.call(this));
                await new Promise((next) => setTimeout(next));
            };
        });
    };"""
"""A file that is read when the test says so."""


@pytest.mark.parametrize("meanwhile", ["another film", "another screen"])
def test_a_file_that_is_slow_to_read_takes_nobody_from_what_was_done_meanwhile(
    page: Page, served: str, meanwhile: str
) -> None:
    page.add_init_script(SLOWLY)
    open_app(page, served, "new")
    with page.expect_file_chooser() as chooser:
        button(page, "Choose a film")
    chooser.value.set_files({"name": "slow.txt", "mimeType": "text/plain", "buffer": b"Dear colleague,"})
    expect(said(page, "The film is being screened…")).to_be_visible()
    if meanwhile == "another film":
        choose(page)
        shown = page.locator(".headline")
        expect(shown).to_have_text(REFER, timeout=PATIENCE_MS)
    else:
        page.goto(f"{served}#history")
        shown = page.get_by_role("heading", name="History")
        expect(shown).to_be_visible()
    page.evaluate("() => letGo()")
    assert shown.is_visible()


@pytest.mark.slow
def test_the_film_of_a_photo_is_framed_and_told_to_be_one(page: Page, served: str) -> None:
    page.add_init_script("navigator.mediaDevices.getUserMedia = undefined")  # the device's own camera app
    open_app(page, served, "new")
    choose(page, name="Take a photo of a film")
    corner = page.get_by_role("button", name="Upper left corner")
    before = corner.bounding_box()
    corner.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    after = corner.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["x"] > before["x"], after["y"] > before["y"]) == (True, True)
    button(page, "Go on")
    expect(page.locator(".verdict .warning", has_text="Photo of a film, not the X-ray file")).to_be_visible(
        timeout=PATIENCE_MS
    )


CAMERA = """
    navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [640, 480];
        const pen = canvas.getContext("2d");
        setInterval(() => {
            pen.fillStyle = pen.fillStyle === "#808080" ? "#909090" : "#808080";
            pen.fillRect(0, 0, 640, 480);
        }, 30);
        window.track = canvas.captureStream().getTracks()[0];
        return new MediaStream([window.track]);
    };"""


@pytest.mark.slow
def test_the_pages_own_camera_takes_a_photo_and_is_switched_off(page: Page, served: str) -> None:
    page.add_init_script(CAMERA)
    open_app(page, served, "new")
    button(page, "Take a photo of a film")
    button(page, "Take the photo")
    expect(page.get_by_role("button", name="Lower right corner")).to_be_visible()
    assert page.evaluate("window.track.readyState") == "ended"


def test_without_a_camera_there_is_a_sentence_and_a_way_on(page: Page, served: str) -> None:
    open_app(page, served, "camera")
    expect(said(page, "This device has no camera: choose a file.")).to_be_visible()
    button(page, "Choose a film")
    expect(page.get_by_label("Patient code, no name")).to_be_visible()


def test_the_story_is_told_by_keys_alone(page: Page, served: str) -> None:
    open_app(page, served)
    press_through(page, "New screening", "Enter")
    press_through(page, "Patient code, no name")
    page.keyboard.type("K-17")
    with page.expect_file_chooser() as chooser:
        press_through(page, "Choose a film", "Enter")
    chooser.value.set_files(drawn_film())
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.locator(".headline")).to_have_text(REFER, timeout=PATIENCE_MS)
    press_through(page, "Save", "Space")
    expect(said(page, SAVED)).to_be_visible()
    press_through(page, "Decision", "Enter")
    press_through(page, "otherwise", "Space")
    press_through(page, "Why otherwise: no name of the patient")
    page.keyboard.type("metal in the knee")
    press_through(page, "Save the decision", "Enter")
    line = "Decided by the clinic: otherwise than the answer says, because: metal in the knee"
    expect(said(page, line)).to_be_visible()
    expect(page.get_by_role("button", name="Decision")).to_be_focused()


FOCUSED = """() => {
    const one = document.activeElement;
    return one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent;
}"""


def press_through(page: Page, name: str, key: str = "") -> None:
    """Go from one element to the next by Tab, and by arrows among radio buttons, to the one called so; press a key."""
    for _ in range(40):
        if page.evaluate(FOCUSED) == name:
            if key:
                page.keyboard.press(key)
            return
        is_radio = page.evaluate("() => document.activeElement.type === 'radio'")
        among = (
            page.evaluate("() => [...document.querySelectorAll(`[name=${document.activeElement.name}]`)].length - 1")
            if is_radio
            else 0
        )
        for _ in range(among):
            page.keyboard.press("ArrowDown")
            if page.evaluate(FOCUSED) == name:
                return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab leads to no {name}")
