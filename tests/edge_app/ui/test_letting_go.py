"""Screens that were left go, with all that they held: nothing else keeps them, such as the look, the clock or a job."""

from __future__ import annotations

import gc
from weakref import WeakSet

import pytest

from tests.edge_app.ui.stage import Stage, set_up
from tests.edge_app.ui.test_layout import STATES

pytestmark = pytest.mark.kivy


@pytest.fixture(scope="module")
def stage(display: str, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return set_up(tmp_path_factory.mktemp("stage"))


@pytest.mark.parametrize("screen", sorted(set(STATES) - {"home", "lock"}))
def test_screens_that_were_left_are_let_go(stage: Stage, screen: str) -> None:
    """All but one: the last screen with a line to type in may stay for a while, but they do not gather."""
    from osteo_edge.edge_app.ui.screen import Screen
    from tests.edge_app.ui.plays import PLAYS, on_stage, settle
    from tests.edge_app.ui.robot import end_fading

    state, left = STATES[screen][0], WeakSet[Screen]()
    with on_stage(stage, screen, state, (800, 480)) as robot:
        for _ in range(3):
            left.add(robot.screen)
            robot.shell.home()
            PLAYS[screen][state](robot, stage)
            settle(robot)
        robot.shell.home()
        end_fading()

        def are_gone() -> bool:
            gc.collect()
            return len(left) <= 1

        robot.until(are_gone, patience_s=5)
