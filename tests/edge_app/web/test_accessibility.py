"""Every screen for those who do not see it, see it badly, or use no mouse: axe-core finds nothing on any of them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from osteo_edge.edge_app.history.encrypted import can_encrypt
from osteo_edge.edge_app.web.building import PROJECT
from tests.edge_app.web.backups import make_locked, restore
from tests.edge_app.web.conftest import PHONE
from tests.edge_app.web.reader import PATIENCE_MS, button, choose, leave_room, open_app, said, save, screen

AXE: Final = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP: Final = {"width": 1280, "height": 800}
LOOK: Final = Path(__file__).parents[3] / "edge_app" / "ui" / "look.py"
PLAIN_SCREENS: Final = ("home", "new", "history", "backup", "settings", "model")


@pytest.fixture
def axe(visitor: BrowserContext) -> Callable[[Page], list[str]]:
    """What axe-core finds on a page, a line a rule; skipped where npm has not brought it."""
    if not AXE.is_file():
        pytest.skip("no axe-core: build the web app first")
    script = AXE.read_text(encoding="utf-8")

    def look(page: Page) -> list[str]:
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(script)  # through the debugger, which the page's policy does not bind
        found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
        return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found]

    return look


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_on_any_screen(
    visitor: BrowserContext, served: str, axe: Callable[[Page], list[str]], scheme: str
) -> None:
    page = visitor.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    found: dict[str, list[str]] = {}
    screen(page, served, code="K-1")
    found["answer"] = axe(page)
    save(page)
    page.locator("summary").click()
    for form in ("Decision", "Note", "DXA result"):
        button(page, form)
        found[form] = axe(page)
    button(page, "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    found["undo"] = axe(page)
    button(page, "Undo")
    for name in PLAIN_SCREENS:
        open_app(page, served, name)
        for folded in page.locator("summary").all():
            folded.click()
        found[name] = axe(page)
    open_app(page, served, "new")
    page.get_by_label("Age in years").fill("1956")
    button(page, "Choose a film")
    found["problem"] = axe(page)
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")
def test_axe_finds_nothing_where_the_pin_of_a_backup_is_asked(
    visitor: BrowserContext, served: str, axe: Callable[[Page], list[str]], tmp_path: Path
) -> None:
    page = visitor.new_page()
    restore(page, served, make_locked(tmp_path).path)
    field = page.get_by_label("PIN or recovery code")
    expect(field).to_be_visible(timeout=PATIENCE_MS)
    asked = axe(page)
    field.fill("wrong")
    button(page, "Restore")
    wrong = page.get_by_text("This is neither the PIN nor the recovery code of this backup.")
    expect(wrong).to_be_visible(timeout=PATIENCE_MS)
    assert (asked, axe(page)) == ([], [])


@pytest.mark.slow
def test_axe_finds_nothing_on_a_photo_or_a_question(
    visitor: BrowserContext, served: str, axe: Callable[[Page], list[str]]
) -> None:
    page = visitor.new_page()
    page.add_init_script("navigator.mediaDevices.getUserMedia = undefined")
    open_app(page, served, "new")
    choose(page, name="Take a photo of a film")
    expect(page.get_by_role("button", name="Lower right corner")).to_be_visible()
    assert axe(page) == []
    button(page, "Go on")
    expect(page.locator(".headline")).to_be_visible()
    button(page, "‹ Back")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe(page) == []


def test_each_screen_takes_the_focus_to_its_title(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    open_app(page, served)
    for name in ("New screening", "History", "Model", "Settings"):
        button(page, name)
        title = page.get_by_role("heading", level=1, name=name)
        expect(title).to_be_focused()
        assert page.title().startswith(name)
        button(page, "‹ Back")


def test_the_answer_is_read_out_without_the_patient(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    screen(page, served, code="K-77")
    voice = page.locator("[aria-live=polite].unseen")
    expect(voice).to_contain_text("Possible low bone density: refer for DXA")
    expect(voice).to_contain_text("Calibrated probability that the model gives: above 0.99")
    assert "K-77" not in voice.inner_text()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_screen_is_wider_than_the_window(visitor: BrowserContext, served: str, size: dict[str, int]) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    screen(page, served, code=64 * "W")
    save(page)
    wide = []
    for name in ("", *PLAIN_SCREENS):
        if name:
            open_app(page, served, name)
        if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            wide.append(name)
    assert wide == []


def test_no_screen_is_wider_than_the_window_with_letters_twice_as_large(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    open_app(page, served, "settings")
    letters = "one => parseFloat(getComputedStyle(one).fontSize)"
    usual = page.locator("h1").evaluate(letters)
    twice = {"fontSizes": {"standard": 32, "fixed": 26}}  # as it is set in a browser
    page.context.new_cdp_session(page).send("Page.setFontSizes", twice)
    page.get_by_label("Español").check()
    wide = []
    for name in PLAIN_SCREENS:
        open_app(page, served, name)
        assert page.locator("h1").evaluate(letters) == 2 * usual
        if page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            wide.append(name)
    assert wide == []


HIDDEN = """() => {
    const one = document.activeElement;
    const { left, right, top } = one.getBoundingClientRect();
    const above = document.elementFromPoint((left + right) / 2, top + 2);
    const covers = above?.closest(".foot, .foot-line, .mark");
    return covers && one !== document.body && !covers.contains(one)
        ? one.getAttribute("aria-label") ?? one.textContent
        : null;
}"""
"""What has the focus, where a line that stays in its place lies over it."""


def test_what_has_the_focus_is_not_hidden_by_what_stays_in_its_place(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": 740, "height": 360})  # a phone held across
    screen(page, served)
    page.evaluate("scrollTo(0, 0)")
    hidden = []
    for key in [*["Tab"] * 9, *["Shift+Tab"] * 9]:
        page.keyboard.press(key)
        hidden.append(page.evaluate(HIDDEN))
    assert [name for name in hidden if name] == []


def test_a_line_at_the_foot_of_the_page_covers_no_button(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    page.set_viewport_size({"width": 320, "height": 560})
    open_app(page, served)
    leave_room(page, served, 1)
    screen(page, served, code="K-1")
    line = page.locator(".foot-line")
    expect(line).to_contain_text("This device has no space left for this page")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    places = [page.get_by_role("button", name="Save").bounding_box(), line.bounding_box()]
    leave_room(page, served, None)
    assert places[0] is not None
    assert places[1] is not None
    assert places[0]["y"] + places[0]["height"] <= places[1]["y"]


@pytest.mark.slow
def test_who_wants_no_motion_gets_none(browser: Browser, served: str) -> None:
    for preference, duration in (("reduce", "0s"), ("no-preference", "0.08s")):
        with browser.new_context(reduced_motion=preference) as context:  # type: ignore[arg-type]
            page = context.new_page()
            screen(page, served)
            style = page.locator(".film-layers").evaluate("one => getComputedStyle(one).transitionDuration")
            assert style == duration


@pytest.mark.slow
def test_paper_has_the_answer_and_no_buttons(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    screen(page, served, code="K-1")
    expect(said(page, "Bone screening report: a referral aid, not a diagnosis")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("button:visible").count() == 0
    expect(page.get_by_role("article")).to_contain_text("Calibrated probability that the model gives")
    expect(page.locator(".film")).to_be_visible()
    for line in ("Bone screening report: a referral aid, not a diagnosis", "The film, reduced: not for diagnosis"):
        expect(said(page, line)).to_be_visible()
    assert page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"


def test_the_colours_are_those_of_the_kivy_app() -> None:
    css = (PROJECT / "src" / "styles" / "app.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\);", css)
    light = {name: colour for name, colour, _ in pairs}
    dark = {name: colour for name, _, colour in pairs}
    python = LOOK.read_text(encoding="utf-8")
    for theme, colours in (("light", light), ("dark", dark)):
        for table in re.findall(rf'"{theme}": {{([^}}]*)}}', python):
            named = {name.replace("_", "-"): colour for name, colour in re.findall(r'"(\w+)": "(#\w{6})"', table)}
            assert named.items() <= colours.items()
            assert named


@pytest.mark.slow
def test_a_chosen_theme_is_worn_whatever_the_device_has(visitor: BrowserContext, served: str) -> None:
    page = visitor.new_page()
    open_app(page, served, "settings")
    papers = {}
    for chosen in ("As the device", "Light", "Dark"):
        page.get_by_label(chosen, exact=True).check()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            papers[chosen, scheme] = page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor")
    light, dark = papers["As the device", "light"], papers["As the device", "dark"]
    assert light != dark
    assert [papers["Light", scheme] for scheme in ("light", "dark")] == [light, light]
    assert [papers["Dark", scheme] for scheme in ("light", "dark")] == [dark, dark]
