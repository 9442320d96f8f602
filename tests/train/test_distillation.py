"""The loss that lets a network learn from another one's answers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.train.distillation import Distillation, distilled_losses, divergences

pytestmark = pytest.mark.tf
Floats = npt.NDArray[np.floating[Any]]
LOGITS = np.array([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0]], np.float32)
TAUGHT = np.array([[1.0, 1.0, -2.0], [0.5, 0.0, 2.0]], np.float32)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits.astype(np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_the_loss_is_blended_with_the_softened_divergence_times_the_squared_temperature() -> None:
    losses = np.array([0.7, 0.2], np.float32)
    found = distilled_losses(losses, LOGITS, TAUGHT, Distillation(weight=0.3, temperature=2.0)).numpy()
    taught, learnt = _softmax(TAUGHT / 2), _softmax(LOGITS / 2)
    apart = (taught * np.log(taught / learnt)).sum(axis=1)
    np.testing.assert_allclose(found, 0.7 * losses + 0.3 * 4 * apart, rtol=1e-5)


def test_equal_answers_are_no_distance_apart_whatever_is_added_to_all_logits() -> None:
    np.testing.assert_allclose(divergences(LOGITS + 3.0, LOGITS, 4.0).numpy(), 0.0, atol=1e-6)
    assert np.all(divergences(LOGITS, TAUGHT).numpy() > 0)
