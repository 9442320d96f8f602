"""Fusing the image with the patient: better where the image tells something, no worse where it tells nothing."""

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.train.recipe import Answers
from osteo_edge.train.stacking import fuse

TRAIN, VALIDATION, TEST = 200, 60, 400
CLASSES = np.arange(TRAIN + VALIDATION + TEST) % 2
REST = CLASSES[: TRAIN + VALIDATION]
GROUPS = np.arange(TRAIN + VALIDATION) // 2


def _answers(strength: float, seed: int, *, held_out: bool = True) -> Answers:
    """Logits that tell the class as well as `strength` says."""
    rng = np.random.default_rng(seed)
    score = strength * (CLASSES - 0.5) + rng.normal(size=CLASSES.size)
    logits = np.stack([-score, score], axis=1) * strength / 2
    rest = logits[: TRAIN + VALIDATION]
    return Answers(rest[TRAIN:], logits[TRAIN + VALIDATION :], rest if held_out else None)


def _auroc(answers: Answers) -> float:
    return metrics.auroc(CLASSES[TRAIN + VALIDATION :] == 1, answers.test[:, 1] - answers.test[:, 0])


@pytest.mark.parametrize("held_out", [True, False])
def test_an_image_that_tells_something_helps(held_out: bool) -> None:
    patient = _answers(1.5, 0)
    fused = fuse(_answers(1.5, 1, held_out=held_out), patient, REST, GROUPS)
    assert _auroc(fused) > _auroc(patient) + 0.03
    assert fused.validation.shape == (VALIDATION, 2)
    assert fused.held_out is None


@pytest.mark.parametrize("held_out", [True, False])
def test_an_image_that_tells_nothing_does_little_harm(held_out: bool) -> None:
    patient = _answers(1.5, 0)
    noise = _answers(0.0, 1, held_out=held_out)
    noise = Answers(noise.validation + np.random.default_rng(2).normal(size=noise.validation.shape), noise.test)
    assert _auroc(fuse(noise, patient, REST, GROUPS)) > _auroc(patient) - 0.02


def test_validation_is_answered_by_a_fit_that_did_not_see_its_labels() -> None:
    patient, image = _answers(1.5, 0), _answers(1.0, 1, held_out=False)
    changed = REST.copy()
    own = np.flatnonzero(GROUPS[TRAIN:] == GROUPS[TRAIN])
    changed[TRAIN + own] = 1 - changed[TRAIN + own]
    one, other = fuse(image, patient, REST, GROUPS), fuse(image, patient, changed, GROUPS)
    np.testing.assert_array_equal(one.validation[own], other.validation[own])
    assert not np.array_equal(one.test, other.test)


def test_without_held_out_scores_of_the_patient_it_cannot_be_done() -> None:
    with pytest.raises(ValueError, match="held_out"):
        fuse(_answers(1.0, 0), _answers(1.0, 1, held_out=False), REST, GROUPS)


def test_a_single_group_on_validation_is_no_error() -> None:
    fused = fuse(_answers(1.0, 0, held_out=False), _answers(1.0, 1), REST, np.zeros(REST.size, np.intp))
    assert np.isfinite(fused.validation).all()
