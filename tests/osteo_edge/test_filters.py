import cv2
import numpy as np
import pytest

from osteo_edge.filters import DEFAULT_AMOUNTS, KINDS, Filter, Pixels, apply_filters, parse_filter

EDGES = ("sobel", "prewitt", "roberts", "canny")


def step(height: float = 1.0) -> Pixels:
    """Black on the left, `height` on the right."""
    image = np.zeros((32, 32), np.float32)
    image[:, 16:] = height
    return image


@pytest.mark.parametrize("kind", KINDS)
def test_a_filtered_image_keeps_shape_type_and_range(kind: str) -> None:
    image = np.random.default_rng(0).random((40, 30), np.float32)
    found = apply_filters(image, [parse_filter(kind)])
    assert found.shape == image.shape
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("kind", EDGES)
def test_an_edge_filter_answers_at_the_edge_alone(kind: str) -> None:
    found = apply_filters(step(), [parse_filter(kind)])
    assert found[:, 14:18].max() > 0.5
    assert not found[:, :14].any()
    assert not found[:, 18:].any()


@pytest.mark.parametrize("kind", ["sobel", "prewitt"])
def test_a_full_step_has_magnitude_one_and_a_half_step_a_half(kind: str) -> None:
    assert apply_filters(step(), [Filter(kind, 1.0)]).max() == pytest.approx(1)  # type: ignore[arg-type]
    assert apply_filters(step(0.5), [Filter(kind, 1.0)]).max() == pytest.approx(0.5)  # type: ignore[arg-type]


def test_canny_leaves_out_what_is_less_steep_than_its_threshold() -> None:
    assert apply_filters(step(0.6), [Filter("canny", 0.3)]).any()
    assert not apply_filters(step(0.2), [Filter("canny", 0.3)]).any()


def test_sharpening_steepens_a_blurred_edge_by_its_factor() -> None:
    blurred = np.asarray(cv2.GaussianBlur(step(0.5) + np.float32(0.25), (0, 0), 2), np.float32)
    slopes = [
        np.abs(np.diff(apply_filters(blurred, [Filter("sharpen", amount)]), axis=1)).max() for amount in (0.1, 1, 3)
    ]
    assert np.abs(np.diff(blurred, axis=1)).max() < slopes[0] < slopes[1] < slopes[2]


def test_clahe_raises_weak_contrast_and_a_higher_limit_more_so() -> None:
    weak = np.float32(0.5) + np.random.default_rng(0).normal(0, 0.01, (224, 224)).astype(np.float32)
    spreads = [apply_filters(weak, [Filter("clahe", limit)]).std() for limit in (2, 8)]
    assert weak.std() < spreads[0] < spreads[1]


def test_filters_are_applied_in_their_order() -> None:
    first, second = Filter("clahe", 2.0), Filter("sobel", 1.0)
    image = np.random.default_rng(1).random((32, 32), np.float32)
    np.testing.assert_array_equal(
        apply_filters(image, [first, second]), apply_filters(apply_filters(image, [first]), [second])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_alone_takes_its_usual_amount(kind: str) -> None:
    assert parse_filter(kind) == Filter(kind, DEFAULT_AMOUNTS[kind])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("blur", "no filter is called 'blur'"),
        ("clahe:much", "'much' is no number"),
        ("sobel:0", "amount must lie above 0"),
        ("canny:2", "amount must not be above 1 for canny"),
    ],
)
def test_a_filter_that_is_none_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_filter(text)
