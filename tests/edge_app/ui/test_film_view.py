"""A film is looked at closely: by two fingers, the wheel and the buttons."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM

if TYPE_CHECKING:
    from tests.edge_app.ui.robot import Robot

pytestmark = pytest.mark.kivy

TAB, UP, DOWN, RIGHT, LEFT = 9, 273, 274, 275, 276


@pytest.fixture
def robot(start: Callable[..., Robot]) -> Robot:
    """Before the answer of a film."""
    robot = start((800, 480))
    robot.shell.go("result", film=DRAWN_FILM)
    robot.see("Save")
    return robot


@pytest.fixture
def film(robot: Robot) -> Any:
    """The widget that shows the film."""
    return robot.screen.panel.view.ids.film


def place_at(film: Any, x: float, y: float) -> tuple[float, float]:
    """Which place of the film, as shares from its lower left corner, is at a point of the window."""
    left, low = film.to_window(*film.film_pos)
    return (x - left) / film.film_size[0], (y - low) / film.film_size[1]


def middle_of(film: Any) -> tuple[float, float]:
    x, y = film.to_window(*film.center)
    return x, y


def seen(robot: Robot, film: Any, path: Path) -> np.ndarray[Any, Any]:
    """The pixels of the window where the film is, its top row first."""
    picture = cv2.imread(str(robot.shot(path)))
    assert picture is not None
    left, low = (round(value) for value in film.to_window(*film.film_pos))
    width, height = (round(value) for value in film.film_size)
    return picture[picture.shape[0] - low - height : picture.shape[0] - low, left : left + width]


def test_the_film_is_shown_whole_and_upright(robot: Robot, film: Any, tmp_path: Path) -> None:
    robot.tap("Evidence")
    shown = seen(robot, film, tmp_path / "film.png")
    drawn = cv2.imread(str(DRAWN_FILM), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    expected = cv2.resize(drawn, shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.ptp(shown.astype(int), axis=-1).max() == 0
    assert np.abs(shown[..., 0].astype(int) - expected).mean() < 3
    assert (film.zoom, film.film_size[0] <= film.width, film.film_size[1] <= film.height) == (1, True, True)


def test_the_evidence_lies_over_the_film_as_strongly_as_the_slider_says(
    robot: Robot, film: Any, tmp_path: Path
) -> None:
    def colourfulness() -> float:
        return float(np.ptp(seen(robot, film, tmp_path / "film.png").astype(int), axis=-1).mean())

    as_it_came = colourfulness()
    slider = next(widget for widget in robot.widgets() if type(widget).__name__ == "Slide")
    slider.value = 1
    strongest = colourfulness()
    slider.value = slider.min
    assert 0 < colourfulness() < as_it_came < strongest
    robot.tap("Evidence")
    assert colourfulness() == 0
    robot.tap("Evidence")
    assert colourfulness() > 0


def test_two_fingers_enlarge_what_is_between_them_within_limits(robot: Robot, film: Any) -> None:
    x, y = middle_of(film)
    held = x + 40, y - 30
    film.step(2)
    before = place_at(film, *held)
    robot.pinch(held, 60, 120)
    assert film.zoom == pytest.approx(4.5, rel=0.05)
    assert place_at(film, *held) == pytest.approx(before, abs=0.01)
    for _ in range(3):
        robot.pinch((x, y), 20, 240)
    assert film.zoom == 12
    for _ in range(4):
        robot.pinch((x, y), 240, 20)
    assert (film.zoom, film.middle_x, film.middle_y) == (1, 0.5, 0.5)


def test_one_finger_moves_an_enlarged_film_and_never_past_its_edge(robot: Robot, film: Any) -> None:
    x, y = middle_of(film)
    robot.drag((x, y), (x + 50, y + 50))
    assert (film.middle_x, film.middle_y) == (0.5, 0.5)
    robot.pinch((x, y), 40, 160)
    before = place_at(film, x, y)
    robot.drag((x, y), (x + 30, y - 20))
    assert place_at(film, x + 30, y - 20) == pytest.approx(before, abs=0.01)
    for _ in range(3):
        robot.drag((x - 100, y), (x + 100, y))
    left = film.to_window(*film.film_pos)[0]
    assert left == pytest.approx(film.to_window(film.x, film.y)[0], abs=1)


def test_a_double_tap_shows_the_whole_film_again(robot: Robot, film: Any) -> None:
    from tests.edge_app.ui.robot import Finger

    robot.pinch(middle_of(film), 40, 160)
    finger = Finger(*middle_of(film))
    finger.is_double_tap = True
    finger.down().up()
    assert film.zoom == 1


def test_the_wheel_and_the_buttons_enlarge_too(robot: Robot, film: Any) -> None:
    from tests.edge_app.ui.robot import Finger

    x, y = middle_of(film)
    held = x - 50, y + 20
    before = place_at(film, *held)
    finger = Finger(*held)
    finger.profile, finger.button = ["pos", "button"], "scrolldown"
    finger.down().up()
    assert film.zoom == 1.5
    assert place_at(film, *held) == pytest.approx(before, abs=0.01)
    robot.tap("\u2212")
    assert film.zoom == 1
    robot.tap("+")
    assert film.zoom == 1.5


def test_an_enlarged_film_shows_more_than_was_needed_before(robot: Robot, film: Any) -> None:
    assert max(film.film_texture.size) == 768
    robot.pinch(middle_of(film), 40, 200)
    assert max(film.film_texture.size) == 1536


def test_textures_are_let_go_while_another_screen_is_open(robot: Robot, film: Any) -> None:
    robot.shell.go("home")
    assert (film.film_texture, film.overlay_texture) == (None, None)
    robot.shell.back()
    assert film.film_texture is not None
    assert film.overlay_texture is not None


def test_the_film_can_have_the_window_for_itself(robot: Robot, film: Any) -> None:
    alone = robot.screen.panel.view.ids.alone
    before = film.width
    robot.tap(alone)
    robot.frames(3)
    gc.collect()
    assert not robot.sees("Save")
    assert film.width > 1.5 * before
    robot.tap(alone)
    robot.see("Save")
    assert film.width == before


def test_the_colours_are_those_of_the_settings(start: Callable[..., Robot]) -> None:
    robot = start((800, 480), colour_map="jet")
    robot.shell.go("result", film=DRAWN_FILM)
    robot.see("Save")
    assert robot.screen.panel.view.ids.film.colour_map == "jet"


def test_a_resized_window_keeps_the_film_within_its_place(robot: Robot, film: Any) -> None:
    from kivy.core.window import Window

    robot.pinch(middle_of(film), 40, 80)
    Window.size = (360, 740)
    robot.until(lambda: tuple(Window.size) == (360, 740))
    robot.frames(4)
    left = film.film_pos[0]
    assert film.width <= 360
    assert left <= film.x + 1
    assert left + film.film_size[0] >= film.right - 1


def test_an_enlarged_film_is_moved_by_the_arrow_keys(robot: Robot, film: Any) -> None:
    robot.key(TAB)
    robot.key(TAB)
    assert not film.is_marked
    film.step(2)
    robot.key(TAB, ["shift"])
    assert film.is_marked
    for key, name, sign in (
        (RIGHT, "middle_x", 1),
        (LEFT, "middle_x", -1),
        (UP, "middle_y", 1),
        (DOWN, "middle_y", -1),
    ):
        before = getattr(film, name)
        robot.key(key)
        assert (getattr(film, name) - before) * sign > 0
    for _ in range(20):
        robot.key(DOWN)
    low = film.to_window(*film.film_pos)[1]
    assert low == pytest.approx(film.to_window(*film.pos)[1])
    film.fit()
    robot.key(UP)
    assert film.middle_y == 0.5
