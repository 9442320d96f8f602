"""The window on a phone: what is seen and heard of it, and the edges that the system covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.device_services import Insets
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.help_text import ON_A_PHONE, PULLED_OUT
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.pin import hash_pin
from tests.edge_app.ui.device import RecordedDevice
from tests.edge_app.ui.new_screening import fill
from tests.edge_app.ui.phone import PIN, UPRIGHT, choose_picture

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy
SCROLL_BAR_PX = 8
"""At the right edge: it fades while one looks."""


# What can be seen and heard


def test_pages_with_patients_are_kept_out_of_screenshots_and_others_are_not(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone(pin=hash_pin(PIN))
    assert secret(device)
    robot.shell.unlock()
    found = {"home": secret(device)}
    for name in ("new_screening", "history", "follow_up", "model", "settings", "help", "choose_pin"):
        robot.shell.go(name)
        found[name] = secret(device)
        robot.shell.home()
        assert not secret(device)
    assert [name for name, is_secret in found.items() if not is_secret] == ["home", "model", "settings", "help"]


def secret(device: RecordedDevice) -> bool | None:
    """Whether the system has been told to keep the window out of screenshots."""
    return device.is_secret


def test_a_screen_reader_says_the_answer_and_not_whose_it_is(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    robot.tap("New screening")
    fill(robot, code="K-1042", age="67")
    device.chosen = DRAWN_FILM
    robot.tap("Choose a picture")
    robot.see("Save")
    robot.until(lambda: len(device.said) >= 3)
    assert device.said[:2] == ["New screening", "Result"]
    answers = [text for text in device.said if "Demonstration" in text]
    shown = " ".join(robot.texts())
    assert len(answers) == 1
    assert robot.screen.panel._verdict.headline in answers[0]
    assert robot.screen.panel._verdict.headline in shown
    assert not any("K-1042" in text or "67" in text for text in device.said)


def test_nothing_is_said_of_what_lies_under_the_lock(phone: Callable[..., Robot], device: RecordedDevice) -> None:
    robot = phone(pin=hash_pin(PIN))
    robot.shell.unlock()
    robot.shell.go("result", film=DRAWN_FILM)
    robot.shell.lock()
    robot.shell.complain("a line about a patient")
    robot.until(lambda: robot.shell._top.panel is not None and robot.shell._top.panel.has_words)
    robot.frames(3)
    assert device.said == ["Enter the PIN", "Result", "Enter the PIN"]
    robot.shell.unlock()
    assert "Demonstration" in device.said[-1]


def test_the_colours_follow_the_phone_while_it_runs_and_not_those_who_chose(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    from osteo_edge.edge_app.ui.look import THEMES, look

    robot = phone((1280, 800))
    choose_picture(robot, device)
    panel = robot.screen.panel
    device.change(dark=True)
    robot.until(lambda: robot.screen.is_drawn)
    robot.frames(5)
    assert look.theme == "dark"
    assert robot.screen.panel is panel
    pixels = np.asarray(cv2.imread(str(robot.shot(device.folder / "dark.png"))))
    assert pixels[-3, 3].tolist() == [int(THEMES["dark"]["paper"][at : at + 2], 16) for at in (5, 3, 1)]
    robot.shell.rebuild()
    robot.until(lambda: robot.screen.is_drawn)
    robot.frames(5)
    anew = np.asarray(cv2.imread(str(robot.shot(device.folder / "anew.png"))))
    pixels, anew = pixels[:, :-SCROLL_BAR_PX], anew[:, :-SCROLL_BAR_PX]
    assert np.array_equal(pixels, anew), "what was open when the colours changed looks as what is opened then"
    robot.clinic.change(theme="light")
    device.change(dark=True)
    assert look.theme == "light"


def test_the_settings_offer_the_phones_theme_and_no_folder_to_watch(phone: Callable[..., Robot]) -> None:
    robot = phone()
    robot.tap("Settings")
    assert robot.see("As the device")
    assert robot.screen.ids.theme.value == "system"
    assert not robot.sees("Watched folder")


def test_the_help_is_that_of_a_phone(phone: Callable[..., Robot]) -> None:
    robot = phone()
    robot.tap("Help")
    robot.see(ON_A_PHONE.title)
    assert not robot.sees(PULLED_OUT)
    assert not [text for text in robot.texts() if "stick" in text]


# The edges of the window


@pytest.mark.parametrize(
    ("size", "covered"),
    [
        ((1080, 2400), Insets(top=96, bottom=63)),
        ((2400, 1080), Insets(left=96, right=126, top=60)),
        ((1080, 2400), Insets(top=96, bottom=900)),
    ],
)
def test_nothing_lies_under_the_cut_out_the_bars_or_the_keyboard(
    phone: Callable[..., Robot], device: RecordedDevice, size: tuple[int, int], covered: Insets, three_times: None
) -> None:
    device.covered = covered
    robot = phone(size)
    for name in ("home", "new_screening", "settings", "history"):
        if name != "home":
            robot.shell.go(name)
        robot.frames(4)
        assert within(robot, covered) == []
        if covered.bottom < 500:
            assert misfits(robot) == []
    robot.shell.ask("A question", "What it is about. " * 30, "Yes", lambda: None)
    robot.frames(3)
    assert within(robot, covered) == []


@pytest.fixture
def three_times(display: str) -> Any:
    """A screen of 480 dots to the inch."""
    from kivy.metrics import Metrics

    from osteo_edge.edge_app.ui.look import look

    before = Metrics.density
    Metrics.density = 3.0
    look._size()
    yield
    Metrics.density = before
    look._size()


@pytest.mark.parametrize(("size", "percent"), [(UPRIGHT, 100), (UPRIGHT, 150), ((740, 360), 150)])
def test_what_only_a_phone_shows_fits(
    phone: Callable[..., Robot], device: RecordedDevice, size: tuple[int, int], percent: int
) -> None:
    robot = phone(size, text_percent=percent)
    device.share(DRAWN_FILM)
    robot.see("From another app")
    assert misfits(robot) == []
    for name in ("settings", "help", "model"):
        robot.shell.go(name)
        robot.frames(4)
        assert misfits(robot) == []
    robot.shell.go("history", part="copies")
    robot.frames(4)
    assert misfits(robot) == []
    robot.shell.go("result", film=DRAWN_FILM)
    robot.tap("Report (PDF)")
    robot.see("Send it to another app")
    robot.frames(4)
    assert misfits(robot) == []
    robot.shell.home()


def misfits(robot: Robot) -> list[str]:
    from tests.edge_app.ui.fit import flaws

    return flaws(robot.top)


def within(robot: Robot, covered: Insets) -> list[str]:
    """What can be touched or read and lies, as far as it is seen, under an edge that the system covers."""
    from kivy.core.window import Window
    from kivy.uix.label import Label

    from osteo_edge.edge_app.ui.kit import Tap, TextBox
    from tests.edge_app.ui.fit import Box, name_of, shown_below, visible

    free = Box(covered.left, covered.bottom, Window.width - covered.right, Window.height - covered.top)
    wrong = []
    for widget in shown_below(robot.top):
        if not isinstance(widget, Tap | TextBox | Label):
            continue
        x, y = widget.to_window(*widget.pos)
        box = visible(widget, Box(x, y, x + widget.width, y + widget.height))
        if box.right <= box.x or box.top <= box.y:
            continue
        if box.x < free.x - 1 or box.y < free.y - 1 or box.right > free.right + 1 or box.top > free.top + 1:
            wrong.append(f"{name_of(widget)}: {box}")
    return wrong


@pytest.fixture
def set_fontscale(display: str) -> Iterator[Callable[[float], None]]:
    """Choose the size of text in the settings of the phone itself."""
    from kivy.metrics import Metrics

    before = Metrics.fontscale
    yield lambda fontscale: setattr(Metrics, "fontscale", fontscale)
    Metrics.fontscale = before


@pytest.mark.parametrize(
    ("size", "fontscale", "percent"),
    [((360, 740), 1.5, 100), ((360, 740), 2.0, 150), ((640, 360), 1.3, 100), ((320, 568), 1.0, 150)],
)
def test_words_fit_in_the_size_that_the_device_has_for_texts(
    phone: Callable[..., Robot],
    device: RecordedDevice,
    set_fontscale: Callable[[float], None],
    size: tuple[int, int],
    fontscale: float,
    percent: int,
) -> None:
    from osteo_edge.edge_app.ui.look import look

    set_fontscale(fontscale)
    robot = phone(size, text_percent=percent)
    assert look.scale == min(1.75, fontscale * percent / 100)
    for name in ("new_screening", "settings"):
        robot.shell.go(name)
        robot.frames(4)
        assert misfits(robot) == []
    robot.shell.go("result", film=DRAWN_FILM, patient=Patient("K-1042-7"))
    robot.until(lambda: robot.screen.is_drawn)
    robot.frames(4)
    assert misfits(robot) == []
    robot.screen.save()
    robot.until(lambda: robot.screen.is_saved)
    robot.shell.home()
    robot.tap("History")
    robot.see("K-1042-7")
    robot.frames(4)
    assert [line for line in misfits(robot) if "shortened" in line] == []


def test_the_field_that_is_typed_in_stays_above_the_keyboard(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    robot = phone()
    robot.tap("New screening")
    box = robot.screen.ids.weight.ids.box
    robot.tap(box)
    device.change(Insets(top=24, bottom=430))
    robot.until(lambda: box.to_window(*box.pos)[1] >= 430 and box.to_window(box.x, box.top)[1] <= 740 - 24)
    assert box.focus


def test_a_turned_phone_keeps_what_is_typed_and_how_the_film_lies(
    phone: Callable[..., Robot], device: RecordedDevice
) -> None:
    from kivy.core.window import Window

    robot = phone((540, 1200))
    robot.tap("New screening")
    fill(robot, code="K-9", weight="5")
    form = robot.screen
    Window.size = (1200, 540)
    robot.until(lambda: robot.shell.width == 1200)
    robot.frames(4)
    assert misfits(robot) == []
    assert (robot.screen, form.ids.code.text, form.ids.weight.text) == (form, "K-9", "5")
    fill(robot, weight="55")
    device.chosen = DRAWN_FILM
    robot.tap("Choose a picture")
    robot.see("Save")
    view = robot.screen.panel.view
    robot.until(lambda: robot.screen.is_drawn)
    robot.pinch(view.to_window(*view.center), 60, 120)
    film = view.ids.film
    zoom = film.zoom
    assert zoom > 1.5
    Window.size = (540, 1200)
    robot.until(lambda: robot.shell.width == 540)
    robot.frames(4)
    assert film.zoom == pytest.approx(zoom, rel=0.01)
    assert misfits(robot) == []
