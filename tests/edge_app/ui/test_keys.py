from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy
TAB, ENTER, SPACE, ESCAPE = 9, 13, 32, 27
ENDS, PAGES, ARROWS = (279, 278), (281, 280), (274, 273)
LEFT, RIGHT = 276, 275
HOME = ["New screening", "History", "Follow-up", "Model", "Settings", "Help"]


def marked(robot: Robot) -> list[str]:
    return [widget.text for widget in robot.widgets() if getattr(widget, "is_marked", False)]


def test_tab_goes_round_in_the_order_of_reading_and_back(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    passed = []
    for _ in range(len(HOME) + 1):
        robot.key(TAB)
        passed += marked(robot)
    assert passed == [*HOME, HOME[0]]
    robot.key(TAB, ["shift"])
    assert marked(robot) == [HOME[-1]]


@pytest.mark.parametrize("key", [ENTER, SPACE])
def test_enter_and_space_press_what_is_marked_and_escape_goes_back(start: Callable[..., Robot], key: int) -> None:
    robot = start()
    robot.see("Help")
    robot.key(TAB, ["shift"])
    robot.key(key)
    assert robot.shell.name == "help"
    robot.key(ESCAPE)
    assert robot.shell.name == "home"


def test_escape_on_the_home_screen_does_not_close_the_app(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    robot.key(ESCAPE)
    robot.see("New screening")
    assert robot.shell.name == "home"
    robot.tap("Help")
    assert robot.shell.name == "help"


def test_a_touch_takes_the_mark_away(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    robot.key(TAB)
    robot.touch(400, 3)
    assert marked(robot) == []


def test_the_keys_stay_within_a_question(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    answers = list[str]()
    robot.shell.ask("Delete?", "It cannot be undone.", "Delete", lambda: answers.append("yes"))
    robot.frames(3)
    for expected in ("Cancel", "Delete", "Cancel"):
        robot.key(TAB)
        assert marked(robot) == [expected]
    robot.key(TAB)
    robot.key(ENTER)
    robot.frames(3)
    assert answers == ["yes"]
    robot.see("New screening")


def test_escape_answers_a_question_with_no(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    answers = list[str]()
    robot.shell.ask("Delete?", "It cannot be undone.", "Delete", lambda: answers.append("yes"))
    robot.frames(3)
    robot.key(ESCAPE)
    robot.frames(3)
    assert answers == []
    robot.see("New screening")
    assert robot.shell.name == "home"


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_page_without_buttons_is_scrolled_by_keys(start: Callable[..., Robot], is_marked: bool) -> None:
    robot = start((800, 480))
    robot.see("Model: ")
    robot.shell.go("help")
    robot.frames(3)
    if is_marked:
        robot.key(TAB)
        assert marked(robot) == ["\u2039 Back"]
    page = robot.screen.ids.page
    for there, back in (ENDS, PAGES, ARROWS):
        robot.key(there)
        below = page.scroll_y
        assert below < 1
        robot.key(there)
        assert page.scroll_y == 0 if there == ENDS[0] else page.scroll_y < below
        robot.key(back)
        robot.key(back)
        assert page.scroll_y == 1


def test_what_is_marked_takes_the_arrows_first(start: Callable[..., Robot]) -> None:
    from osteo_edge.edge_app.ui.kit import Page, Slide, Words

    robot = start((800, 480))
    robot.see("Model: ")
    page, slide = Page(), Slide(min=0, max=20, value=10)
    page.add_widget(slide)
    page.add_widget(Words(text="word\n" * 100))
    robot.screen.clear_widgets()
    robot.screen.add_widget(page)
    robot.frames(3)
    robot.key(TAB)
    robot.key(ARROWS[0])
    assert (slide.value, page.scroll_y) == (9, 1)
    robot.key(PAGES[0])
    assert (slide.value, page.scroll_y < 1) == (9, True)


def test_tab_goes_on_from_what_can_no_longer_be_reached(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    for _ in range(3):
        robot.key(TAB)
    robot.see(HOME[2]).disabled = True
    robot.key(TAB)
    assert marked(robot) == [HOME[3]]
    robot.key(TAB, ["shift"])
    assert marked(robot) == [HOME[1]]
