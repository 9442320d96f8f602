"""What a picture of the window must show, and windows of which less can be seen than they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

WITHOUT_A_DISPLAY = """\
from kivy.core.window import Window
from tests.edge_app.ui.picture import can_be_drawn_on
was_whole = can_be_drawn_on(*Window.size)
Window.size = (1280, 800)
assert tuple(Window.size) == (1280, 800)
print(was_whole, can_be_drawn_on(1280, 800))
"""


def test_a_window_ends_where_it_says(start: Callable[..., Robot]) -> None:
    from tests.edge_app.ui.picture import can_be_drawn_on

    start((360, 740))
    assert can_be_drawn_on(360, 740)
    assert not can_be_drawn_on(360, 741)
    assert not can_be_drawn_on(361, 740)


def test_a_window_that_no_display_holds_keeps_its_size_whatever_it_says() -> None:
    around = os.environ | {"SDL_VIDEODRIVER": "offscreen", "KIVY_WINDOW": "sdl2", "KIVY_LOG_MODE": "PYTHON"}
    command = [sys.executable, "-c", WITHOUT_A_DISPLAY]
    answer = subprocess.run(command, env=around, capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.split() == ["True", "False"], answer.stderr


def test_what_is_on_the_screen_is_in_its_picture(start: Callable[..., Robot], tmp_path: Path) -> None:
    from tests.edge_app.ui.picture import not_drawn

    robot = start((360, 740))
    robot.see("New screening")
    picture = robot.shot(tmp_path / "home.png")
    assert not_drawn(robot.top, picture) == []
    pixels = cv2.imread(str(picture))
    assert pixels is not None
    pixels[:140] = pixels[200, 2]
    cv2.imwrite(str(picture), pixels)
    assert any("Demonstration" in line for line in not_drawn(robot.top, picture))
    cv2.imwrite(str(picture), pixels[140:])
    assert not_drawn(robot.top, picture) == ["the picture is 360 x 600, the window 360 x 740"]


def test_a_window_that_is_resized_or_turned_from_outside_is_drawn_whole(
    start: Callable[..., Robot], tmp_path: Path
) -> None:
    from kivy.core.window import Window

    from tests.edge_app.ui.fit import flaws
    from tests.edge_app.ui.picture import can_be_drawn_on, not_drawn

    if shutil.which("xdotool") is None:
        pytest.skip("no xdotool: make display")
    robot = start((800, 480))
    robot.see("New screening")
    for width, height in ((480, 800), (1024, 600), (800, 480)):
        resize = ["xdotool", "windowsize", str(Window.get_window_info().window), str(width), str(height)]
        subprocess.run(resize, check=True, timeout=30)
        end = time.monotonic() + 10
        while tuple(robot.app.root.size) != (width, height):
            assert time.monotonic() < end, (Window.size, robot.app.root.size)
            Window.mainloop()  # a robot does not look for what the display has to say
            robot.frames()
        picture = robot.shot(tmp_path / "home.png")
        assert not_drawn(robot.top, picture) == []
        assert flaws(robot.top) == []
        assert can_be_drawn_on(width, height)
