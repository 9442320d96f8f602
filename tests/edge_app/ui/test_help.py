from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.help_text import AFTER_THE_ANSWERS, BEFORE_THE_ANSWERS
from osteo_edge.version import VERSION
from osteo_edge.wording import ADVICE, HEADLINES

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def test_help_says_it_all_on_one_page_and_back_leaves_it(start: Callable[..., Robot], folders: Folders) -> None:
    robot = start()
    robot.tap("Help")
    shown = robot.texts()
    for section in (*BEFORE_THE_ANSWERS, *AFTER_THE_ANSWERS):
        assert section.title in shown
        assert set(section.paragraphs) <= set(shown)
    assert {*HEADLINES.values(), *ADVICE.values()} <= set(shown)
    assert any(VERSION in text and "Apache License 2.0" in text for text in shown)
    assert any(str(folders.root) in text for text in shown)
    symbols = [widget.outcome for widget in robot.widgets() if type(widget).__name__ == "Symbol"]
    assert symbols == ["refer", "no_finding", "uncertain", "rejected"]
    robot.tap("\u2039 Back")
    robot.see("New screening")
