import hashlib

import numpy as np
import pytest

from osteo_edge.filters import Filter
from osteo_edge.preprocessing import (
    GREY,
    Box,
    InputSpec,
    Normalization,
    Pixels,
    from_canvas,
    letterbox,
    normalize,
    to_plane,
    to_tensor,
)

SPEC = InputSpec(32, 32)
SHAPES = [(400, 300), (300, 400), (320, 320), (40, 1000), (1000, 40), (33, 35)]


def noise(height: int, width: int) -> Pixels:
    return np.random.default_rng(0).random((height, width), np.float32)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("spec", [SPEC, InputSpec(24, 48, channels=1, normalization=GREY), InputSpec(224, 224)])
def test_a_tensor_has_the_shape_and_the_range_that_the_network_takes(shape: tuple[int, int], spec: InputSpec) -> None:
    tensor = to_tensor(noise(*shape), spec)
    assert tensor.shape == (1, spec.height, spec.width, spec.channels)
    assert tensor.dtype == np.float32
    assert -1 <= tensor.min() <= tensor.max() <= 1


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
def test_the_letterbox_is_centred_and_keeps_the_aspect(shape: tuple[int, int], box: Box) -> None:
    assert letterbox(*shape, SPEC) == box


def test_the_letterbox_is_black_outside_and_the_image_inside() -> None:
    plane = to_plane(np.ones((400, 300), np.float32), SPEC)
    np.testing.assert_allclose(plane[:, 4:28], 1, rtol=1e-6)
    assert not plane[:, :4].any()
    assert not plane[:, 28:].any()


def test_black_is_normalized_like_any_other_value() -> None:
    tensor = to_tensor(np.ones((400, 300), np.float32), SPEC)
    np.testing.assert_array_equal(tensor[0, 0, 0], -1)
    np.testing.assert_allclose(tensor[0, 0, 16], 1, rtol=1e-6)


def test_normalization_is_scale_and_offset() -> None:
    spec = InputSpec(4, 4, channels=1, normalization=Normalization(scale=(3.0,), offset=(0.5,)))
    np.testing.assert_array_equal(normalize(np.full((2, 4, 4), 0.5, np.float32), spec), np.full((2, 4, 4, 1), 2.0))


def test_each_channel_has_its_own_normalization() -> None:
    spec = InputSpec(4, 4, normalization=Normalization(scale=(1.0, 2.0, 4.0), offset=(0.0, -1.0, 0.5)))
    np.testing.assert_array_equal(normalize(np.full((1, 4, 4), 0.5, np.float32), spec)[0, 0, 0], [0.5, 0.0, 2.5])


def test_a_channel_without_normalization_is_refused() -> None:
    with pytest.raises(ValueError, match=r"normalization.scale must hold one number for each of 1 channels"):
        InputSpec(4, 4, channels=1)


def test_filters_see_the_film_and_not_the_canvas_around_it() -> None:
    spec = InputSpec(32, 32, filters=(Filter("sobel", 1.0),))
    np.testing.assert_allclose(to_plane(np.full((400, 300), 0.8, np.float32), spec), 0, atol=1e-6)


@pytest.mark.parametrize("size", [320, 331, 1000])
def test_a_fine_checkerboard_becomes_grey(size: int) -> None:
    checkerboard = (np.indices((size, size)).sum(axis=0) % 2).astype(np.float32)
    assert np.abs(to_plane(checkerboard, SPEC) - 0.5).max() < 0.02


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_shrinking_keeps_the_mean(shape: tuple[int, int]) -> None:
    pixels = noise(*shape)
    box = letterbox(*shape, SPEC)
    plane = to_plane(pixels, SPEC)
    inside = plane[box.top : box.top + box.height, box.left : box.left + box.width]
    assert inside.mean() == pytest.approx(pixels.mean(), abs=1e-4)


def test_a_small_image_is_enlarged_smoothly() -> None:
    ramp = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))
    plane = to_plane(ramp, SPEC)
    assert (np.diff(plane, axis=1) >= 0).all()
    assert len(np.unique(plane[0])) > 16


def test_the_same_image_gives_the_same_bits() -> None:
    digests = {hashlib.sha256(to_tensor(noise(3000, 2400), InputSpec(224, 224)).tobytes()).digest() for _ in range(5)}
    assert len(digests) == 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [8, 7, 32])
def test_a_marker_comes_back_to_where_it_was_on_the_film(shape: tuple[int, int], rows: int) -> None:
    height, width = shape
    for y_share, x_share in ((0.1, 0.2), (0.5, 0.5), (0.9, 0.7)):
        box = letterbox(height, width, SPEC)
        row = int((box.top + y_share * box.height) * rows / SPEC.height)
        column = int((box.left + x_share * box.width) * rows / SPEC.width)
        canvas = np.zeros((rows, rows), np.float32)
        canvas[row, column] = 1
        film = from_canvas(canvas, height, width, SPEC)
        assert film.shape == shape
        y, x = np.argwhere(film == film.max()).mean(axis=0)
        assert abs(y / height - y_share) <= SPEC.height / rows / box.height
        assert abs(x / width - x_share) <= SPEC.width / rows / box.width


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_a_canvas_at_full_resolution_comes_back_as_the_film(shape: tuple[int, int]) -> None:
    height, width = shape
    smooth = np.outer(np.linspace(0, 1, height), np.linspace(0.2, 1, width)).astype(np.float32)
    spec = InputSpec(256, 256)
    assert np.abs(from_canvas(to_plane(smooth, spec), height, width, spec) - smooth)[8:-8, 8:-8].max() < 0.01


@pytest.mark.parametrize("side", [0, -1, 4097])
def test_a_side_that_no_network_has_is_refused(side: int) -> None:
    with pytest.raises(ValueError, match="height must lie between 1 and 4096"):
        InputSpec(side, 32)
