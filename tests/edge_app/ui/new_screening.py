"""The form of a new screening, as the tests of it use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from osteo_edge.edge_app.history.drafts import Draft

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot


def fill(robot: Robot, **texts: str) -> None:
    for name, text in texts.items():
        robot.type(robot.screen.ids[name].ids.box, text)


def drafts(robot: Robot) -> tuple[Draft, ...]:
    return robot.clinic.history().drafts()


def opened(robot: Robot) -> dict[str, Any]:
    """What the result was opened with."""
    robot.until(lambda: robot.shell.name == "result")
    return dict(robot.shell._open[-1][1])


def rows(robot: Robot) -> Iterator[str]:
    return (row.film.name for row in reversed(robot.screen.ids.queue.ids.rows.children))


def choose(robot: Robot, name: str) -> None:
    """Choose a film of the home folder."""
    robot.tap("Choose a film")
    robot.tap("This device")
    robot.tap(name)


def leave_unsaved(robot: Robot) -> None:
    """Leave the answer without saving it."""
    opened(robot)
    robot.shell.close(robot.screen)
    robot.until(lambda: not robot.shell.jobs.saving)
    robot.frames(5)
