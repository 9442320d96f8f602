"""What augmentation may change of a film, and what not."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from osteo_edge.preprocessing import Pixels
from osteo_edge.train.augmentation import STRONG, Level, _cut_out, _expose, _noise, augment

PLANE = np.zeros((64, 64), np.float32)
PLANE[16:48, 20:40] = np.linspace(0.2, 0.9, 20, dtype=np.float32)


def test_the_same_generator_gives_the_same_variation() -> None:
    first, again = (augment(PLANE, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - augment(PLANE, np.random.default_rng(4))).max() > 0.05


def test_variations_made_in_several_threads_are_those_made_in_one() -> None:
    def varied(seed: int) -> Pixels:
        return augment(PLANE, np.random.default_rng(seed))

    with ThreadPoolExecutor(4) as pool:
        for alone, together in zip(map(varied, range(40)), pool.map(varied, range(40)), strict=True):
            np.testing.assert_array_equal(alone, together)


def test_an_exposure_is_gamma_then_contrast_about_mid_grey_then_brightness() -> None:
    exposed = _expose(PLANE, np.random.default_rng(5), replace(STRONG, noise=0.0))
    rng = np.random.default_rng(5)
    gamma, contrast, brightness = (rng.uniform(-most, most) for most in (0.8, 0.35, 0.15))
    expected = np.clip((PLANE**2.0**gamma - 0.5) * (1.0 + contrast) + 0.5 + brightness, 0.0, 1.0)
    np.testing.assert_allclose(exposed, np.where(PLANE > 0.0, expected, 0.0), atol=1e-6)


def test_noise_is_normal_and_fresh_in_every_image() -> None:
    fields = np.stack([_noise((64, 64), np.random.default_rng(seed), 0.25, 2.0) for seed in range(400)])
    values = (fields - 0.25) / 2.0
    assert abs(values.mean()) < 0.01
    assert abs(values.std() - 1.0) < 0.01
    assert abs((values**4).mean() - 3.0) < 0.05
    assert np.abs(values.mean(axis=0)).max() < 0.3
    assert np.abs(np.corrcoef(values.reshape(400, -1)) - np.eye(400)).max() < 0.1


def test_a_variation_keeps_shape_type_and_range() -> None:
    for seed in range(20):
        varied = augment(PLANE, np.random.default_rng(seed))
        assert varied.shape == PLANE.shape
        assert varied.dtype == np.float32
        assert varied.min() >= 0.0
        assert varied.max() <= 1.0


def test_the_black_around_a_film_stays_black() -> None:
    for seed in range(20):
        assert not augment(PLANE, np.random.default_rng(seed))[:4].any()


def test_about_half_of_the_variations_are_mirrored() -> None:
    def brighter_on_the_left(seed: int) -> bool:
        varied = augment(PLANE, np.random.default_rng(seed))
        return bool(varied[:, :32].mean() > varied[:, 32:].mean())

    assert 20 < sum(brighter_on_the_left(seed) for seed in range(60)) < 40


def test_no_augmentation_is_the_image_itself() -> None:
    np.testing.assert_array_equal(augment(PLANE, np.random.default_rng(0), "none"), PLANE)


def test_a_strong_variation_is_repeatable_and_keeps_shape_type_and_range() -> None:
    for seed in range(20):
        varied = augment(PLANE, np.random.default_rng(seed), "strong")
        np.testing.assert_array_equal(varied, augment(PLANE, np.random.default_rng(seed), "strong"))
        assert varied.shape == PLANE.shape
        assert varied.dtype == np.float32
        assert varied.min() >= 0.0
        assert varied.max() <= 1.0


def test_a_strong_variation_lies_further_from_the_image_than_a_standard_one() -> None:
    def distance(level: Level) -> float:
        return float(
            np.mean([np.abs(augment(PLANE, np.random.default_rng(i), level) - PLANE).mean() for i in range(40)])
        )

    assert distance("strong") > 1.2 * distance("standard")


def test_a_strong_variation_takes_the_sharpness_of_a_file_away() -> None:
    """Noise as fine as a pixel is what tells formats apart; it must not come through as it was."""
    fine = np.clip(0.5 + 0.2 * np.random.default_rng(0).standard_normal((64, 64)), 0.05, 1).astype(np.float32)

    def sharpness(level: Level) -> float:
        planes = [augment(fine, np.random.default_rng(seed), level) for seed in range(40)]
        return float(np.mean([np.abs(np.diff(plane, axis=1)).mean() for plane in planes]))

    assert sharpness("strong") < 0.6 * sharpness("standard")


def test_at_most_a_sixteenth_of_a_film_is_cut_out() -> None:
    whole = np.full((64, 64), 0.5, np.float32)
    covered = [float((_cut_out(whole, np.random.default_rng(seed)) == 0).mean()) for seed in range(200)]
    assert 0.03 < max(covered) <= 1 / 16
