"""Both forms of `outlines` say the same."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from osteo_edge.raster.opencv import outlines as by_opencv
from osteo_edge.raster.plain import outlines as plain
from osteo_edge.raster.plain.outlines import Points

SHARES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08)


def quadrangles(count: int) -> Iterator[Points]:
    random = np.random.default_rng(5)
    for i in range(count):
        yield random.uniform(0, 100, (4, 2)).round(i % 3)


def hulls(count: int) -> Iterator[Points]:
    """Hulls of ragged quadrangles, as those of masks are."""
    random = np.random.default_rng(6)
    steps = np.linspace(0, 1, 60)[:, None]
    for _ in range(count):
        corners = np.array([[0.0, 0], [300, 0], [300, 200], [0, 200]]) + random.normal(0, 25, (4, 2))
        sides = [corners[i] * (1 - steps) + corners[(i + 1) % 4] * steps for i in range(4)]
        ragged = np.rint(np.concatenate(sides) + random.normal(0, 2, (240, 2)))
        yield cv2.convexHull(ragged.astype(np.float32)).reshape(-1, 2).astype(np.float64)


def test_areas_are_the_same() -> None:
    for polygon in (*quadrangles(50), *hulls(20)):
        assert plain.area(polygon) == pytest.approx(by_opencv.area(polygon), abs=0.01)


def test_the_same_are_convex() -> None:
    answers = [(plain.is_convex(polygon), by_opencv.is_convex(polygon)) for polygon in quadrangles(600)]
    assert all(mine == other for mine, other in answers)
    assert {mine for mine, _ in answers} == {True, False}


@pytest.mark.parametrize(
    "polygon",
    [
        [[0, 0], [5, 0], [10, 0], [10, 10]],
        [[0, 0], [0, 0], [10, 0], [10, 10]],
        [[0, 0], [10, 0], [0, 0], [10, 10]],
    ],
    ids=["flat corner", "doubled corner", "there and back"],
)
def test_what_is_nearly_convex_is_not(polygon: list[list[float]]) -> None:
    assert not plain.is_convex(np.array(polygon, np.float64))
    assert not by_opencv.is_convex(np.array(polygon, np.float64))


def test_distances_to_the_sides_are_the_same() -> None:
    for polygon, (x, y) in zip(quadrangles(200), np.random.default_rng(7).uniform(-20, 120, (200, 2)), strict=True):
        assert plain.distance_inside(polygon, x, y) == pytest.approx(by_opencv.distance_inside(polygon, x, y), abs=1e-3)


@pytest.mark.parametrize("share", SHARES)
def test_polygons_are_simplified_to_the_same_corners(share: float) -> None:
    for hull in hulls(60):
        mine, other = plain.simplified(hull, share), by_opencv.simplified(hull, share)
        assert set(map(tuple, mine.tolist())) == set(map(tuple, other.tolist()))


def test_a_polygon_smaller_than_what_may_be_off_becomes_a_point() -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    assert len(plain.simplified(square, 0.5)) == len(by_opencv.simplified(square, 0.5)) == 1


def test_lines_are_the_same_among_strays_too() -> None:
    random = np.random.default_rng(8)
    for count in (8, 9, 20, 64, 64, 64, 64, 64):
        along, off = np.linspace(0, 400, count), random.normal(0, 0.5, count)
        stray = random.random(count) < 0.35
        off[stray] += random.uniform(-12, 12, int(stray.sum()))
        angle = random.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        points = np.stack([along, off], axis=1) @ turn + 300
        ends, lines = points[[0, -1]], (plain.fitted_line(points), by_opencv.fitted_line(points))
        mine, other = (np.abs((ends - line[:2]) @ [-line[3], line[2]]) for line in lines)
        assert np.abs(mine - other).max() < 0.05


def test_two_points_are_on_their_line() -> None:
    x, y, dx, dy = plain.fitted_line(np.array([[10.0, 10], [40, 50]]))
    assert (x, y) == pytest.approx((25, 30))
    assert abs(dx), abs(dy) == pytest.approx((0.6, 0.8))


def test_a_filled_polygon_is_the_same_but_for_its_border() -> None:
    square = np.ones((3, 3), np.uint8)
    for hull in hulls(40):
        mine, other = (form.filled((280, 380), hull + 30) for form in (plain, by_opencv))
        assert not (mine > cv2.dilate(other, square)).any()
        assert int((cv2.erode(other, square) > mine).sum()) <= 4
        assert int((mine != other).sum()) < 0.3 * np.hypot(*(np.roll(hull, -1, axis=0) - hull).T).sum()


def test_what_lies_beyond_the_picture_is_cut_off() -> None:
    polygon = np.array([[-20.0, -5], [60, 3], [55, 70], [-10, 50]])
    mine, other = (form.filled((40, 50), polygon) for form in (plain, by_opencv))
    assert int((mine != other).sum()) < 12
