import numpy as np
import pytest

from osteo_edge.filters import Pixels
from osteo_edge.knees import Knee
from osteo_edge.layout import Box, Layout, cut_out, fit, from_canvas, lay_out_film, lay_out_knees

SQUARE = (32, 32)
WIDE = (64, 128)
FILM = (400, 600)
LEFT = Knee(x_px=150.3, y_px=190.6, width_px=80.0, score=1.5, fibula_right=False)
RIGHT = Knee(x_px=420.0, y_px=210.0, width_px=90.0, score=1.4, fibula_right=True)
SHAPES = [(400, 300), (300, 400), (320, 320), (40, 1000), (1000, 40), (33, 35)]


def on_canvas(layout: Layout, number: int, x: float, y: float) -> tuple[float, float]:
    """Where a point of the film lies on the canvas, by one placement."""
    column, row = layout.placements[number].matrix() @ (x, y, 1)
    return float(column), float(row)


def blob(shape: tuple[int, int], x: float, y: float, sigma: float) -> Pixels:
    """A round spot whose middle is at (x, y), counted from the top left corner."""
    rows, columns = np.indices(shape) + 0.5
    return np.asarray(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)), np.float32)


def middle_of(picture: Pixels) -> tuple[float, float]:
    """The centroid (x, y) of what is bright, counted from the top left corner."""
    rows, columns = np.indices(picture.shape) + 0.5
    return float((picture * columns).sum() / picture.sum()), float((picture * rows).sum() / picture.sum())


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((400, 300), Box(0, 4, 32, 24)),
        ((300, 400), Box(4, 0, 24, 32)),
        ((320, 320), Box(0, 0, 32, 32)),
        ((40, 1000), Box(15, 0, 1, 32)),
        ((10_000, 40), Box(0, 15, 32, 1)),
        ((8, 8), Box(0, 0, 32, 32)),
    ],
)
def test_the_whole_film_is_centred_and_keeps_its_aspect(shape: tuple[int, int], box: Box) -> None:
    layout = lay_out_film(shape, SQUARE)
    assert [placement.target for placement in layout.placements] == [box]
    assert layout.knees is None


def test_a_box_is_centred_in_its_panel_and_not_on_the_canvas() -> None:
    assert fit((10, 10), Box(0, 32, 64, 32)) == Box(16, 32, 32, 32)


def test_two_knees_lie_in_the_halves_as_on_the_film() -> None:
    layout = lay_out_knees(FILM, (LEFT, RIGHT), WIDE)
    assert [placement.target for placement in layout.placements] == [Box(0, 0, 64, 64), Box(0, 64, 64, 64)]
    assert [placement.source for placement in layout.placements] == [Box(131, 90, 120, 120), Box(142, 352, 135, 135)]
    assert [placement.mirrored for placement in layout.placements] == [True, False]
    assert layout.knees == (LEFT, RIGHT)


def test_one_knee_lies_in_both_halves() -> None:
    first, second = lay_out_knees(FILM, (LEFT,), WIDE).placements
    assert (first.source, first.mirrored) == (second.source, second.mirrored)
    assert (first.target, second.target) == (Box(0, 0, 64, 64), Box(0, 64, 64, 64))


def test_without_a_knee_the_whole_film_lies_in_both_halves() -> None:
    layout = lay_out_knees(FILM, (), WIDE)
    assert [placement.source for placement in layout.placements] == [Box(0, 0, 400, 600)] * 2
    assert [placement.target for placement in layout.placements] == [Box(10, 0, 43, 64), Box(10, 64, 43, 64)]
    assert layout.knees == ()


def test_knees_stay_square_on_a_canvas_that_is_not_twice_as_wide_as_high() -> None:
    layout = lay_out_knees(FILM, (LEFT, RIGHT), (64, 201))
    assert [placement.panel for placement in layout.placements] == [Box(0, 0, 64, 100), Box(0, 100, 64, 101)]
    assert [placement.target for placement in layout.placements] == [Box(0, 18, 64, 64), Box(0, 118, 64, 64)]


def test_the_middle_of_the_joint_is_the_middle_of_its_half() -> None:
    layout = lay_out_knees(FILM, (LEFT, RIGHT), WIDE)
    assert on_canvas(layout, 0, LEFT.x_px, LEFT.y_px) == pytest.approx((32, 32), abs=0.5)
    assert on_canvas(layout, 1, RIGHT.x_px, RIGHT.y_px) == pytest.approx((96, 32), abs=0.5)


def test_the_side_of_the_fibula_is_the_right_one_on_the_canvas() -> None:
    layout = lay_out_knees(FILM, (LEFT, RIGHT), WIDE)
    assert on_canvas(layout, 0, LEFT.x_px - 20, LEFT.y_px)[0] > 40
    assert on_canvas(layout, 1, RIGHT.x_px + 20, RIGHT.y_px)[0] > 104


@pytest.mark.parametrize(("number", "knee"), [(0, LEFT), (1, RIGHT)])
@pytest.mark.parametrize(("across", "down"), [(-25.0, 10.0), (0.0, 0.0), (30.0, -28.0)])
def test_a_point_comes_back_to_within_half_a_pixel(number: int, knee: Knee, across: float, down: float) -> None:
    layout = lay_out_knees(FILM, (LEFT, RIGHT), (224, 448))
    x, y = knee.x_px + across, knee.y_px + down
    canvas = blob((224, 448), *on_canvas(layout, number, x, y), sigma=6)
    assert middle_of(from_canvas(canvas, layout)) == pytest.approx((x, y), abs=0.5)


@pytest.mark.parametrize("shape", [(200, 300), (133, 77)])
def test_a_shrunk_film_gets_the_map_at_the_same_place(shape: tuple[int, int]) -> None:
    layout = lay_out_knees(FILM, (RIGHT,), (224, 448))
    canvas = blob((224, 448), *on_canvas(layout, 1, RIGHT.x_px + 10, RIGHT.y_px - 20), sigma=9)
    x, y = middle_of(from_canvas(canvas, layout, shape))
    assert (x * FILM[1] / shape[1], y * FILM[0] / shape[0]) == pytest.approx(
        (RIGHT.x_px + 10, RIGHT.y_px - 20), abs=1.5
    )


def test_film_that_lies_nowhere_on_the_canvas_gets_nothing() -> None:
    film = from_canvas(np.ones((7, 14), np.float32), lay_out_knees(FILM, (LEFT, RIGHT), WIDE))
    assert film[131:251, 90:210].all()
    assert film[142:277, 352:487].all()
    assert film.sum() == pytest.approx(120**2 + 135**2)


def test_one_half_does_not_leak_into_the_other() -> None:
    canvas = np.zeros((7, 14), np.float32)
    canvas[:, 7:] = 1
    film = from_canvas(canvas, lay_out_knees(FILM, (LEFT, RIGHT), WIDE))
    assert not film[:, :300].any()
    assert film[142:277, 352:487].all()


def test_where_two_placements_overlap_the_larger_value_counts() -> None:
    canvas = np.zeros((4, 8), np.float32)
    canvas[:, :4], canvas[:, 4:] = -2, -1
    film = from_canvas(canvas, lay_out_knees(FILM, (RIGHT,), WIDE))
    assert film[200, 420] == -1
    assert film[0, 0] == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [8, 7, 32])
def test_a_marker_comes_back_to_where_it_was_on_the_film(shape: tuple[int, int], rows: int) -> None:
    height, width = shape
    layout = lay_out_film(shape, SQUARE)
    box = layout.placements[0].target
    for y_share, x_share in ((0.1, 0.2), (0.5, 0.5), (0.9, 0.7)):
        row = int((box.top + y_share * box.height) * rows / SQUARE[0])
        column = int((box.left + x_share * box.width) * rows / SQUARE[1])
        canvas = np.zeros((rows, rows), np.float32)
        canvas[row, column] = 1
        film = from_canvas(canvas, layout)
        assert film.shape == shape
        y, x = np.argwhere(film == film.max()).mean(axis=0)
        assert abs(y / height - y_share) <= SQUARE[0] / rows / box.height
        assert abs(x / width - x_share) <= SQUARE[1] / rows / box.width


def test_beyond_the_film_its_outermost_pixels_go_on() -> None:
    film = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(
        cut_out(film, Box(-1, 1, 4, 4)), [[1, 2, 2, 2], [1, 2, 2, 2], [4, 5, 5, 5], [4, 5, 5, 5]]
    )
    np.testing.assert_array_equal(cut_out(film, Box(0, 0, 2, 2)), [[0, 1], [3, 4]])
