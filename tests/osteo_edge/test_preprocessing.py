import hashlib

import numpy as np
import pytest

from osteo_edge.filters import Filter
from osteo_edge.layout import from_canvas
from osteo_edge.preprocessing import (
    GREY,
    InputSpec,
    Normalization,
    Pixels,
    lay_out,
    normalize,
    to_plane,
    to_tensor,
)
from osteo_edge.strict import from_dict, to_dict
from osteo_edge.train.knee_template import draw_knee

SPEC = InputSpec(32, 32)
KNEES = InputSpec(112, 224, resize="knees")
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
    box = lay_out(pixels, SPEC).placements[0].target
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


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_a_canvas_at_full_resolution_comes_back_as_the_film(shape: tuple[int, int]) -> None:
    height, width = shape
    smooth = np.outer(np.linspace(0, 1, height), np.linspace(0.2, 1, width)).astype(np.float32)
    spec = InputSpec(256, 256)
    back = from_canvas(to_plane(smooth, spec), lay_out(smooth, spec))
    assert np.abs(back - smooth)[8:-8, 8:-8].max() < 0.01


@pytest.mark.parametrize("side", [0, -1, 4097])
def test_a_side_that_no_network_has_is_refused(side: int) -> None:
    with pytest.raises(ValueError, match="height must lie between 1 and 4096"):
        InputSpec(side, 32)


def halves(plane: Pixels) -> tuple[Pixels, Pixels]:
    middle = plane.shape[1] // 2
    return plane[:, :middle], plane[:, middle:]


def film_of_two(seed: int) -> Pixels:
    """A drawn knee and its mirror image beside it, the fibulas outside."""
    drawn = draw_knee(seed)
    right = drawn.pixels if drawn.fibula_right else drawn.pixels[:, ::-1]
    return np.hstack([right[:, ::-1], right])


@pytest.mark.parametrize("seed", [1000, 1001, 1002])
def test_one_knee_fills_both_halves_alike(seed: int) -> None:
    left, right = halves(to_plane(draw_knee(seed).pixels, KNEES))
    np.testing.assert_array_equal(left, right)
    assert left.std() > 0.1


@pytest.mark.parametrize("seed", [1000, 1001, 1002])
def test_a_knee_looks_the_same_on_a_mirrored_film(seed: int) -> None:
    film = draw_knee(seed).pixels
    plane = to_plane(film, KNEES)
    assert np.abs(plane - to_plane(np.ascontiguousarray(film[:, ::-1]), KNEES)).mean() < 0.03
    assert np.abs(plane - plane[:, ::-1]).mean() > 0.04, "left and right differ, so the test can fail"


def test_two_knees_change_places_on_a_mirrored_film() -> None:
    film = np.array(film_of_two(1000))
    film[:, : film.shape[1] // 2] **= 0.5  # so that the halves differ
    left, right = halves(to_plane(film, KNEES))
    first, second = halves(to_plane(np.ascontiguousarray(film[:, ::-1]), KNEES))
    assert max(np.abs(left - second).mean(), np.abs(right - first).mean()) < 0.03
    assert np.abs(left - right).mean() > 0.06


def test_the_joint_lies_in_the_middle_of_each_half() -> None:
    film = draw_knee(1000)
    (knee,) = lay_out(film.pixels, KNEES).knees or ()
    assert knee.x_px == pytest.approx(film.x_px, abs=0.1 * film.width_px)
    dark = halves(to_plane(film.pixels, KNEES))[0][46:66, 20:92].mean(axis=1)
    assert 4 < dark.argmin() < 16, "the joint space is a dark line across the middle"


def test_a_darker_flatter_film_gives_the_same_knee() -> None:
    film = draw_knee(1000).pixels
    assert np.abs(to_plane(film, KNEES) - to_plane(0.1 + 0.4 * film, KNEES)).mean() < 0.01


def test_every_half_uses_the_whole_range() -> None:
    for half in halves(to_plane(film_of_two(1001), KNEES)):
        assert (half == 0).mean() == pytest.approx(0.01, abs=0.005)
        assert (half == 1).mean() == pytest.approx(0.01, abs=0.005)


def test_without_a_knee_the_whole_film_is_drawn_twice() -> None:
    left, right = halves(to_plane(0.3 + 0.1 * noise(100, 200), KNEES))
    np.testing.assert_array_equal(left, right)
    assert not left[:28].any()
    assert not left[84:].any()
    assert (left[28:84].min(), left[28:84].max()) == (0, 1)


def test_a_black_film_is_a_black_canvas() -> None:
    assert not to_plane(np.zeros((300, 200), np.float32), KNEES).any()


def test_filters_see_one_knee_at_a_time() -> None:
    sharp = InputSpec(112, 224, resize="knees", filters=(Filter("sharpen", 1.0),))
    left, right = halves(to_plane(draw_knee(1000).pixels, sharp))
    np.testing.assert_array_equal(left, right)


def test_a_layout_that_is_known_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    film = draw_knee(1000).pixels
    layout, expected = lay_out(film, KNEES), to_tensor(film, KNEES)
    monkeypatch.setattr("osteo_edge.preprocessing.find_knees", lambda pixels: ())
    np.testing.assert_array_equal(to_tensor(film, KNEES, layout), expected)


def test_a_spec_with_knees_survives_the_manifest() -> None:
    assert from_dict(InputSpec, to_dict(KNEES)) == KNEES


def test_a_canvas_too_narrow_for_two_knees_is_refused() -> None:
    with pytest.raises(ValueError, match="width must be at least 2"):
        InputSpec(4, 1, resize="knees")
