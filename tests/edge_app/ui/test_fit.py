"""The eye that looks at all screens sees each of the things that it looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.kivy

FLAWS: dict[str, tuple[str, str]] = {
    "cut_off": ("Label:\n    size_hint: None, None\n    size: 40, 20\n    text: 'Much longer than that'", "cut off"),
    "too_high": (
        "Label:\n    size_hint: None, None\n    size: 90, 20\n    text_size: 90, None\n    text: 'on two lines or so'",
        "cut off",
    ),
    "shortened": (
        "Label:\n    size_hint: None, None\n    size: 90, 20\n    text_size: self.size\n    shorten: True\n"
        "    text: 'A text that is far too long for it'",
        "shortened",
    ),
    "broken_word": (
        "Label:\n    size_hint: None, None\n    size: 60, 200\n    text_size: 60, None\n    text: 'Incomprehensibly'",
        "is broken",
    ),
    "out_of_window": (
        "Label:\n    size_hint: None, None\n    size: 300, 60\n    pos: 700, 0\n    text: 'Over the edge'",
        "sticks out",
    ),
    "out_of_parent": (
        "BoxLayout:\n    size_hint: None, None\n    size: 200, 50\n    orientation: 'vertical'\n"
        "    Label:\n        text: 'one'\n        size_hint_y: None\n        height: 40\n"
        "    Label:\n        text: 'two'\n        size_hint_y: None\n        height: 40",
        "sticks out",
    ),
    "too_small": (
        "Tap:\n    size_hint: None, None\n    size: 30, 60\n    text: 'x'\n    text_size: None, None",
        "less than",
    ),
    "overlap": (
        "FloatLayout:\n    Label:\n        text: 'below'\n    Label:\n        text: 'above'",
        "lies over",
    ),
    "touch_overlap": (
        "FloatLayout:\n    Tap:\n        size_hint: None, None\n        size: 100, 60\n        pos: 0, 0\n"
        "    Tap:\n        size_hint: None, None\n        size: 100, 60\n        pos: 90, 0",
        "are touched at one place",
    ),
    "hint": (
        "TextBox:\n    size_hint: None, None\n    size: 100, 60\n    hint_text: 'A hint that is longer than its box'",
        "hint",
    ),
    "no_room_to_scroll": (
        "ScrollView:\n    size_hint: None, None\n    size: 300, 20\n    do_scroll_x: False\n"
        "    Tap:\n        text: 'reachable, but hardly'\n        size_hint_y: None\n        height: 60",
        "only 20 high",
    ),
    "wider_than_scroll": (
        "ScrollView:\n    size_hint: None, None\n    size: 200, 200\n    do_scroll_x: False\n"
        "    Label:\n        text: 'wide'\n        size_hint: None, None\n        size: 400, 40",
        "sticks out",
    ),
}
SOUND = (
    "ScrollView:\n    do_scroll_x: False\n    BoxLayout:\n        orientation: 'vertical'\n        size_hint_y: None\n"
    "        height: self.minimum_height\n        Words:\n            text: 'In as many lines as it takes ' * 40\n"
    "        Tap:\n            text: 'Go on'\n            size_hint_y: None\n            height: 60\n"
    "        TextBox:\n            hint_text: 'K-17'\n        Label:\n            text: ''\n"
    "            size_hint_y: None\n            height: 5"
)


@pytest.fixture
def look(start: Callable[..., Any]) -> Callable[[str], list[str]]:
    """Put what is described over the window, and look at it."""
    from kivy.core.window import Window
    from kivy.lang import Builder

    from tests.edge_app.ui.fit import flaws

    robot = start((800, 480))

    def look(description: str) -> list[str]:
        widget = Builder.load_string(description)
        Window.add_widget(widget)
        try:
            robot.frames(4)
            return flaws(widget)
        finally:
            Window.remove_widget(widget)

    return look


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_seen(look: Callable[[str], list[str]], flaw: str) -> None:
    description, words = FLAWS[flaw]
    found = look(description)
    assert any(words in line for line in found), found


def test_nothing_is_said_of_what_fits(look: Callable[[str], list[str]]) -> None:
    assert look(SOUND) == []
