from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.wording import PHANTOM_USE

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy


def test_the_first_start_shows_the_demonstration_and_what_can_be_done(start: Callable[..., Robot]) -> None:
    robot = start()
    robot.see("New screening")
    for text in ("History", "Follow-up", "Model", "Settings", "Help"):
        robot.see(text)
    robot.see(PHANTOM_USE)
    robot.see(MARK)
