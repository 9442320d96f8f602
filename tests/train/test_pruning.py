"""Zeros and shared values appear where they were asked for, and stay while a network is fitted."""

import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.dataset import Dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.distillation import divergences
from osteo_edge.train.fitting import Fit, cross_entropy, predict_logits
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, build
from osteo_edge.train.prepared import prepare
from osteo_edge.train.pruning import (
    clustered_student,
    clusters_for,
    is_compressed,
    most_values,
    share_of_zeros,
    sparse_student,
    two_of_four_student,
)
from osteo_edge.train.refit import Refit, Student, plain_student, refit

pytestmark = [pytest.mark.tf, pytest.mark.slow]
SMALL = TrainConfig(
    backbone="custom_cnn", weights="none", side_px=64, epochs=3, batch_size=5, learning_rate=1e-3, dropout=0.0
)
SPEC = input_spec(SMALL)
MakeStudent = Callable[[Any], Student]


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


@pytest.fixture(scope="module")
def part(phantoms: Dataset) -> Labelled:
    return Labelled.of(prepare(phantoms.cases[::2], SPEC), SMALL.labels)


def _refit(part: Labelled, make: MakeStudent, config: TrainConfig = SMALL, **changes: Any) -> tuple[Network, Fit]:
    network = build(config, SPEC)
    task = Refit(network, make(network.model), config, SPEC, part, part, _silent)
    return network, refit(replace(task, **changes))


@pytest.mark.parametrize("amount", [0.5, 0.9])
def test_the_share_of_zeros_is_reached_and_kept_while_the_rest_is_fitted(part: Labelled, amount: float) -> None:
    network, fit = _refit(part, lambda model: sparse_student(model, amount, steps=3, epochs=3))
    assert share_of_zeros(network.model) == pytest.approx(amount, abs=0.005)
    assert len(fit.epochs) == 3
    assert fit.best_epoch >= 1
    assert cross_entropy(network, SPEC, part) == pytest.approx(fit.validation_losses[fit.best_epoch - 1], rel=1e-6)
    untouched = [layer for layer in network.model.layers if layer.weights and not is_compressed(layer)]
    assert all(np.count_nonzero(layer.get_weights()[0]) for layer in untouched)


def test_only_epochs_with_all_zeros_in_place_are_chosen_from(part: Labelled) -> None:
    config = replace(SMALL, epochs=4, learning_rate=1e-9)  # the first epochs, hardly pruned, would win
    _, fit = _refit(part, lambda model: sparse_student(model, 0.9, steps=3, epochs=4), config)
    assert fit.best_epoch >= 2


def test_two_of_every_four_neighbouring_weights_are_zero(part: Labelled) -> None:
    network, _ = _refit(part, two_of_four_student, replace(SMALL, epochs=1))
    assert share_of_zeros(network.model) == pytest.approx(0.5, abs=0.001)
    for layer in filter(is_compressed, network.model.layers):
        by_output = np.transpose(layer.kernel.numpy(), (3, 0, 1, 2))  # as in a TFLite file
        assert np.all((by_output.reshape(-1, 4) == 0).sum(axis=1) >= 2), layer.name


def test_each_kernel_holds_as_many_values_as_there_are_clusters(part: Labelled) -> None:
    network, _ = _refit(part, lambda model: clustered_student(model, 8), replace(SMALL, epochs=1))
    assert 1 < most_values(network.model) <= 8


@pytest.mark.parametrize("epochs", [3, 6], ids=["in the last epoch of the way", "in the first of several"])
def test_a_fit_that_is_interrupted_is_compressed_all_the_same(part: Labelled, epochs: int) -> None:
    def interrupt(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        if done == 2:
            signal.raise_signal(signal.SIGINT)

    config = replace(SMALL, epochs=epochs)
    network, fit = _refit(
        part, lambda model: sparse_student(model, 0.75, steps=3, epochs=epochs), config, on_progress=interrupt
    )
    assert fit.interrupted
    assert len(fit.epochs) == 1
    assert share_of_zeros(network.model) == pytest.approx(0.75, abs=0.005)
    assert cross_entropy(network, SPEC, part) == pytest.approx(fit.validation_losses[0], rel=1e-6)


def test_the_same_seed_gives_the_same_weights(part: Labelled) -> None:
    config = replace(SMALL, dropout=0.3, epochs=2)
    make = lambda model: sparse_student(model, 0.5, steps=3, epochs=2)  # noqa: E731
    (first, fit), (second, again) = (_refit(part, make, config) for _ in range(2))
    assert fit.validation_losses == again.validation_losses
    for weight, same in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_distillation_brings_the_answers_closer_to_the_teachers(part: Labelled) -> None:
    config = replace(SMALL, epochs=6, augmentation="none")
    teacher = build(replace(config, seed=7), SPEC)
    head = teacher.model.get_layer("activation_map")
    head.set_weights([20 * head.get_weights()[0], np.array([1.0, 0.0, -1.0], np.float32)])
    taught = predict_logits(teacher.model, part, SPEC)
    apart = [
        float(np.mean(divergences(predict_logits(network.model, part, SPEC), taught)))
        for network in (_refit(part, plain_student, config, teacher=one)[0] for one in (None, teacher.model))
    ]
    assert apart[1] < apart[0]


def test_a_rate_that_lets_it_diverge_is_named(part: Labelled) -> None:
    config = replace(SMALL, learning_rate=1e38, schedule="constant", epochs=1)
    with pytest.raises(OsteoEdgeError, match="lower the learning rate"):
        _refit(part, plain_student, config)


def test_clusters_follow_from_the_bits_that_are_to_go() -> None:
    assert [clusters_for(amount) for amount in (0.25, 0.5, 0.75, 0.99)] == [64, 16, 4, 2]
