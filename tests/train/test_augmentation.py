"""What augmentation may change of a film, and what not."""

import numpy as np

from osteo_edge.train.augmentation import augment

PLANE = np.zeros((64, 64), np.float32)
PLANE[16:48, 20:40] = np.linspace(0.2, 0.9, 20, dtype=np.float32)


def test_the_same_generator_gives_the_same_variation() -> None:
    first, again = (augment(PLANE, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - augment(PLANE, np.random.default_rng(4))).max() > 0.05


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
