"""The temperature and the operating point that are chosen on validation."""

import numpy as np
import pytest

from osteo_edge.metrics import sensitivity
from osteo_edge.train.calibrating import choose_decision, fit_temperature, highest_threshold
from osteo_edge.train.config import TrainConfig

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true_temperature: float) -> None:
    logits = RNG.normal(0, 3, (4000, 3))
    scaled = np.exp(logits / true_temperature)
    probabilities = scaled / scaled.sum(axis=1, keepdims=True)
    classes = np.array([RNG.choice(3, p=row) for row in probabilities])
    assert fit_temperature(logits, classes).temperature == pytest.approx(true_temperature, rel=0.1)


def test_a_temperature_does_not_overflow_on_large_logits() -> None:
    fitted = fit_temperature(np.array([[900.0, -900.0], [-900.0, 900.0]]), np.array([0, 0]))
    assert np.isfinite(fitted.temperature)


def test_the_threshold_reaches_its_sensitivity_and_no_higher_one_does() -> None:
    positive = RNG.random(300) < 0.4
    scores = np.clip(RNG.normal(0.4, 0.15, 300) + 0.2 * positive, 0, 1)
    threshold = highest_threshold(scores, positive, 0.9)
    assert sensitivity(positive, scores >= threshold) >= 0.9
    next_score = scores[positive & (scores >= threshold)].min()
    assert sensitivity(positive, scores > next_score) < 0.9


def test_the_threshold_stands_clear_of_every_score() -> None:
    scores = np.array([0.1, 0.2, 0.6, 0.9])
    threshold = highest_threshold(scores, np.array([False, False, True, True]), 0.9)
    assert threshold == pytest.approx(0.4)
    assert np.abs(scores - threshold).min() > 0.1


def test_a_single_positive_case_and_ties_give_a_threshold() -> None:
    assert highest_threshold(np.array([0.5, 0.5]), np.array([True, False]), 0.9) == pytest.approx(0.25)


def test_the_abstain_band_ends_at_the_threshold_and_reaches_down_to_the_higher_sensitivity() -> None:
    positive = np.arange(200) % 2 == 0
    scores = np.where(positive, np.linspace(0.2, 1, 200), np.linspace(0, 0.8, 200))
    decision = choose_decision(scores, positive, TrainConfig())
    assert decision.abstain_low < decision.threshold == decision.abstain_high
    assert sensitivity(positive, scores >= decision.abstain_low) >= 0.97
    assert decision.positive_labels == ("osteopenia", "osteoporosis")
    assert decision.chosen_on == "validation"
