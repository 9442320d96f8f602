"""Both forms of `components` find the same areas."""

import cv2
import numpy as np
import pytest

from osteo_edge.raster.opencv import components as by_opencv
from osteo_edge.raster.plain import components as plain
from osteo_edge.raster.plain import outlines
from osteo_edge.raster.plain.components import Mask

RANDOM = np.random.default_rng(11)


def clouds(height: int, width: int, sigma: float, share: float) -> Mask:
    """A mask of rounded areas of about `sigma` pixels, ones on a share of it."""
    noise = RANDOM.random((height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), sigma) if sigma else noise
    return (soft < np.quantile(soft, share)).astype(np.uint8)


def drawn(*rows: str) -> Mask:
    return np.array([[letter == "#" for letter in row] for row in rows], np.uint8)


MASKS = [
    clouds(200, 300, 0, 0.5),
    clouds(200, 300, 0, 0.1),
    clouds(300, 200, 2, 0.5),
    clouds(300, 200, 2, 0.9),
    clouds(200, 200, 12, 0.4),
    drawn("#.#", ".#.", "#.#"),
    drawn("#####", "#...#", "#.#.#", "#...#", "#####"),
    drawn("##.##", ".....", "#...#"),
    drawn("#.#.#.#", "#.#.#.#", "#######"),
    drawn("#"),
    np.ones((7, 5), np.uint8),
    np.zeros((7, 5), np.uint8),
]


@pytest.mark.parametrize("mask", MASKS)
def test_sizes_and_boxes_are_the_same(mask: Mask) -> None:
    one, two = by_opencv.sizes_and_boxes(mask), plain.sizes_and_boxes(mask)
    assert (one.dtype, one.shape) == (two.dtype, two.shape)
    assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, two.tolist()))


@pytest.mark.parametrize("mask", MASKS)
def test_labels_part_the_pixels_in_the_same_way(mask: Mask) -> None:
    one, two = by_opencv.labels(mask), plain.labels(mask)
    pairs = set(zip(one.ravel().tolist(), two.ravel().tolist(), strict=True))
    assert two.dtype == one.dtype
    assert len(pairs) == one.max() + 1 == two.max() + 1 or not mask.any() or mask.all()
    assert {pair for pair in pairs if 0 in pair} <= {(0, 0)}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("count", "least"), [(1, 0.5), (2, 3.0), (5, 60.0)])
def test_the_largest_hulls_are_the_same(mask: Mask, count: int, least: float) -> None:
    one, two = by_opencv.largest_hulls(mask, count, least), plain.largest_hulls(mask, count, least)
    assert [outlines.area(hull) for hull in one] == [outlines.area(hull) for hull in two]
    areas = [outlines.area(hull) for hull in one]
    if len(set(areas)) == len(areas):  # of equal ones either may come
        assert [set(map(tuple, hull.tolist())) for hull in one] == [set(map(tuple, hull.tolist())) for hull in two]


def test_an_area_in_the_hole_of_another_has_no_hull_of_its_own() -> None:
    ring = drawn("######", "#....#", "#.##.#", "#.##.#", "#....#", "######")
    assert [outlines.area(hull) for hull in plain.largest_hulls(ring, 5, 0.0)] == [25.0]
