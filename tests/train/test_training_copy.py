"""The copy that is trained: repeatable dropout, and weights that fit the network it was made from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import build, set_trainable
from osteo_edge.train.training_copy import TrainingCopy, open_copy

pytestmark = pytest.mark.tf

CONFIG = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, dropout=0.5)
SPEC = input_spec(CONFIG)
IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 64, 64, 1)).astype(np.float32)
TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]


def _copy(config: TrainConfig = CONFIG) -> tuple[Any, TrainingCopy]:
    tensorflow, _ = load_tensorflow()
    network = build(config, SPEC)
    set_trainable(network, config)
    element = (tensorflow.TensorSpec((None, 64, 64, 1)), tensorflow.TensorSpec((None, 3)))
    return network, open_copy(network, config, tensorflow.distribute.get_strategy(), element)


def _losses(copy: TrainingCopy, steps: int, rate: float = 0.0) -> list[float]:
    copy.set_rate(rate)
    return [float(copy.step(IMAGES, TARGETS)) for _ in range(steps)]


def test_dropout_differs_between_steps_and_is_the_same_in_two_runs() -> None:
    losses = _losses(_copy()[1], 4)
    assert len(set(losses)) == 4
    assert losses == _losses(_copy()[1], 4)


def test_the_seed_decides_what_is_dropped() -> None:
    tensorflow, _ = load_tensorflow()
    network = build(CONFIG, SPEC)
    element = (tensorflow.TensorSpec((None, 64, 64, 1)), tensorflow.TensorSpec((None, 3)))
    strategy = tensorflow.distribute.get_strategy()
    first, other = (open_copy(network, replace(CONFIG, seed=seed), strategy, element) for seed in (0, 1))
    assert _losses(first, 1) != _losses(other, 1)


def test_the_copy_is_independent_of_its_network() -> None:
    network, copy = _copy()
    before = network.model.get_weights()
    _losses(copy, 2, rate=0.01)
    for weight, same in zip(network.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, same)
    assert [weight.shape for weight in copy.weights()] == [weight.shape for weight in before]
    assert any(not np.array_equal(weight, same) for weight, same in zip(copy.weights(), before, strict=True))


def test_what_was_restored_goes_on_as_it_would_have() -> None:
    _, whole = _copy()
    _losses(whole, 2, rate=0.01)
    weights, optimizer = whole.weights(), whole.optimizer_state()
    expected = _losses(whole, 2, rate=0.01)
    _, resumed = _copy()
    resumed.restore(weights, optimizer)
    assert _losses(resumed, 2, rate=0.01) == expected


def test_what_is_frozen_in_the_network_is_frozen_in_the_copy() -> None:
    _, copy = _copy(replace(CONFIG, trainable_layers=2))
    before = copy.weights()
    _losses(copy, 1, rate=0.01)
    frozen = [layer for layer in copy.model.layers if layer.weights and not layer.trainable]
    assert len(frozen) > 3
    np.testing.assert_array_equal(copy.weights()[0], before[0])
