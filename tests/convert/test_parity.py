"""Whether two models decide alike: where they tell bones apart, only about the same bone."""

from dataclasses import replace

import numpy as np

from osteo_edge.agreement import measure_agreement
from osteo_edge.answers import Answers
from osteo_edge.convert.parity import agreeing
from osteo_edge.manifest import Manifest
from osteo_edge.routing import head_places, thresholds
from tests.cascade import cascade_manifest

EXPECTED = np.array([[0.1, 0.8, 0.05, 0.05], [0.8, 0.1, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05]])
FOUND = np.array([[0.1, 0.8, 0.05, 0.05], [0.1, 0.8, 0.05, 0.05], [0.05, 0.05, 0.1, 0.8], [np.nan] * 4])
ALIKE = [True, False, False, False]
"""The same; the other decision; the same decision about the other bone; no number."""


def test_a_film_that_goes_to_another_bone_is_not_decided_alike(manifest: Manifest) -> None:
    assert agreeing(FOUND, EXPECTED, cascade_manifest(manifest)).tolist() == ALIKE


def test_scores_that_are_one_about_the_threshold_are_decided_alike(manifest: Manifest) -> None:
    plain = replace(manifest, labels=("normal", "low"), decision=replace(manifest.decision, positive_labels=("low",)))
    limit = plain.decision.threshold
    expected, found = np.array([[1 - limit, limit]]), np.array([[1 - limit + 1e-12, limit - 1e-12]])
    assert agreeing(found, expected, plain).tolist() == [True]


def test_compare_asks_for_the_same_bone_too(manifest: Manifest) -> None:
    limbs = cascade_manifest(manifest)
    before, after = (
        Answers(np.arange(3), values, limbs.labels, limbs.decision.positive_labels, thresholds(values, limbs),
                np.arange(3), heads=head_places(limbs))
        for values in (EXPECTED[:3], FOUND[:3])
    )  # fmt: skip
    assert measure_agreement(before, after).decisions.value == 1 / 3
