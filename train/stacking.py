"""Fuse what a recipe saw in the image with what is known of the patient, inside each fold."""

from dataclasses import replace

import numpy as np

from osteo_edge.train.logistic import Floats, Indices, fit_coefficients, standardize
from osteo_edge.train.recipe import Answers

INNER_FOLDS = 4
PENALTY = 5.0
"""A prior whose standard deviation is 0.45 for what a standard deviation of the image's logit changes: about what an
AUROC of 0.62 comes from. Films tell little of bone density, and there are few to learn from."""


def fuse(image: Answers, patient: Answers, classes: Indices, groups: Indices) -> Answers:
    """Logistic stacking (Wolpert 1992): the patient's logits plus a penalized linear function of the image's.

    Without evidence in the image the penalty leaves what the patient's numbers tell, so the fusion has little to
    lose. It is fitted on scores of images that their models did not see: on train and validation where the recipe
    has `held_out`, else on validation alone; validation itself is answered by fits without the image's group.
    `patient` must have `held_out`; `classes` and `groups`, as numbers, are those of train and then validation. No
    label of a test image is used.
    """
    if patient.held_out is None:
        raise ValueError("the patient's answers must have held_out")
    seen = image.validation if image.held_out is None else image.held_out
    rows = slice(classes.size - len(seen), None)
    known, given = patient.held_out[rows], classes[rows]
    inner = np.unique(groups[rows], return_inverse=True)[1] % INNER_FOLDS
    held_out = np.zeros_like(known)
    for number in np.unique(inner):
        out = inner == number
        fitted = ~out if np.ptp(inner) else out  # a single group cannot be held out
        held_out[out] = _stack(seen[fitted], known[fitted], given[fitted], seen[out], known[out])
    validation = held_out[len(seen) - len(image.validation) :]
    return replace(
        image, validation=validation, test=_stack(seen, known, given, image.test, patient.test), held_out=None
    )


def _stack(seen: Floats, known: Floats, classes: Indices, new_seen: Floats, new_known: Floats) -> Floats:
    """Fit on the first three and answer for the last two."""
    columns = standardize(seen)
    coefficients = fit_coefficients(columns.apply(seen), classes, known.shape[1], offset=known, penalty=PENALTY)
    return columns.apply(new_seen) @ coefficients + new_known
