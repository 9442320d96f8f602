"""Losses, targets and learning rates, each held to a value worked out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from osteo_edge.train.config import TrainConfig
from osteo_edge.train.objectives import class_weights, example_losses, label_targets, mix, peak_rate, plateaus, rate_at

PLAIN = TrainConfig(class_weights=False)
LOGITS = np.log(np.array([[0.25, 0.75], [0.5, 0.5]], np.float32))


def test_class_weights_let_each_class_count_alike() -> None:
    weights = class_weights(np.array([0, 0, 0, 1]), 2)
    assert weights == {0: pytest.approx(4 / 6), 1: pytest.approx(2.0)}


def test_targets_are_one_where_the_label_is() -> None:
    np.testing.assert_array_equal(label_targets(np.array([1, 0]), 3, PLAIN), [[0, 1, 0], [1, 0, 0]])


def test_label_smoothing_spreads_its_share_over_all_labels() -> None:
    targets = label_targets(np.array([1]), 3, replace(PLAIN, label_smoothing=0.3))
    np.testing.assert_allclose(targets, [[0.1, 0.8, 0.1]], rtol=1e-6)


def test_targets_carry_the_weight_of_their_class() -> None:
    targets = label_targets(np.array([0, 0, 0, 1]), 2, TrainConfig())
    np.testing.assert_allclose(targets, [[4 / 6, 0]] * 3 + [[0, 2]], rtol=1e-6)


def test_mixup_blends_images_and_targets_in_the_same_proportion() -> None:
    images, targets = np.eye(4, dtype=np.float32).reshape(4, 2, 2, 1), np.eye(4, dtype=np.float32)
    mixed, mixed_targets = mix(images, targets, 1.0, np.random.default_rng(3))
    np.testing.assert_array_equal(mixed.reshape(4, 4), mixed_targets)
    np.testing.assert_allclose(mixed_targets.sum(axis=1), 1.0, rtol=1e-6)
    assert 0.0 < np.random.default_rng(3).beta(1.0, 1.0) < 1.0
    assert ((mixed_targets > 0) & (mixed_targets < 1)).any()


@pytest.mark.tf
def test_cross_entropy_is_the_negative_logarithm_of_the_target_s_probability() -> None:
    losses = example_losses(np.array([[1, 0], [0, 1]], np.float32), LOGITS, PLAIN).numpy()
    np.testing.assert_allclose(losses, [math.log(4), math.log(2)], rtol=1e-6)


@pytest.mark.tf
def test_a_soft_and_weighted_target_sums_its_terms() -> None:
    losses = example_losses(np.array([[0.5, 1.5]], np.float32), LOGITS[:1], PLAIN).numpy()
    np.testing.assert_allclose(losses, [0.5 * math.log(4) + 1.5 * math.log(4 / 3)], rtol=1e-6)


@pytest.mark.tf
def test_the_focal_loss_weighs_what_is_easy_less() -> None:
    config = replace(PLAIN, loss="focal", focal_gamma=2.0)
    losses = example_losses(np.array([[1, 0], [0, 1]], np.float32), LOGITS, config).numpy()
    np.testing.assert_allclose(losses, [0.75**2 * math.log(4), 0.5**2 * math.log(2)], rtol=1e-6)
    same = example_losses(np.array([[1, 0], [0, 1]], np.float32), LOGITS, replace(config, focal_gamma=0.0)).numpy()
    np.testing.assert_allclose(same, [math.log(4), math.log(2)], rtol=1e-6)


def test_the_rate_depends_on_the_start_unless_it_is_given() -> None:
    assert peak_rate(TrainConfig(weights="none")) == 2e-3
    assert peak_rate(TrainConfig(weights="imagenet")) == 1e-4
    assert peak_rate(TrainConfig(weights="none", learning_rate=0.5)) == 0.5


def test_cosine_warms_up_over_one_epoch_and_falls_to_a_hundredth() -> None:
    config = TrainConfig(epochs=10, schedule="cosine")
    rates = [rate_at(step, 4, 1.0, config, ()) for step in (0, 2, 4, 24, 44, 999)]
    assert rates == pytest.approx([0.1, 0.55, 1.0, 0.505, 0.01, 0.01])


def test_constant_stays() -> None:
    config = TrainConfig(schedule="constant")
    assert {rate_at(step, 4, 0.3, config, (1.0, 2.0, 3.0)) for step in range(50)} == {0.3}


def test_plateau_halves_after_two_epochs_without_a_better_loss() -> None:
    config = TrainConfig(schedule="plateau")
    losses = (1.0, 0.9, 0.95, 0.9, 0.85, 0.9, 0.9)
    rates = [rate_at(0, 4, 1.0, config, losses[:epochs]) for epochs in range(8)]
    assert rates == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    assert plateaus([]) == 0
