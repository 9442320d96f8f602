"""The learning-rate range test: what it suggests, and that the network stays as it is."""

import numpy as np
import pytest

from osteo_edge.dataset import Dataset
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import build
from osteo_edge.train.prepared import prepare
from osteo_edge.train.range_test import lr_range_test, smooth, steepest

SMALL = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, batch_size=8)
SPEC = input_spec(SMALL)


def test_the_steepest_descent_is_suggested() -> None:
    rates = np.geomspace(1e-6, 1e-1, 51)
    losses = 1.0 - 0.8 / (1.0 + (1e-3 / rates) ** 2)
    assert steepest(rates, losses) == pytest.approx(1e-3, rel=0.3)


def test_noise_between_batches_does_not_decide() -> None:
    rates = np.geomspace(1e-6, 1e-1, 61)
    noise = np.random.default_rng(0).normal(0, 0.1, 61)
    losses = smooth(list(1.4 - 1.0 / (1.0 + (1e-3 / rates) ** 2) + noise))
    assert 1e-4 < steepest(rates, losses) < 1e-2


def test_what_comes_after_the_lowest_loss_suggests_nothing() -> None:
    rates = np.geomspace(1e-6, 1e-1, 11)
    losses = np.array([1.0, 1.0, 0.95, 0.8, 0.6, 0.58, 0.9, 3.0, 9.0, 2.0, 0.6])
    assert steepest(rates, losses) == pytest.approx(rates[3])


def test_smoothing_is_exact_for_a_constant_and_follows_slowly() -> None:
    np.testing.assert_allclose(smooth([2.0, 2.0, 2.0]), 2.0)
    assert smooth([0.0, 1.0])[1] == pytest.approx(0.1 / 0.19)


@pytest.mark.tf
def test_the_test_raises_the_rate_and_leaves_the_network_alone(phantoms: Dataset) -> None:
    network = build(SMALL, SPEC)
    before = network.model.get_weights()
    part = Labelled.of(prepare(phantoms.cases[::3], SPEC), SMALL.labels)
    shown: list[int] = []

    def show(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        shown.append(done)

    found = lr_range_test(network, SMALL, SPEC, part, steps=12, highest=1.0, on_progress=show)
    assert found.rates[0] == pytest.approx(1e-6)
    assert (np.diff(np.log(found.rates)) > 0).all()
    assert found.rates.shape == found.losses.shape
    assert found.suggested in found.rates
    assert shown == list(range(1, len(shown) + 1))
    for weight, same in zip(network.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
