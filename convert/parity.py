"""How a converted model answers beside the Keras model that it was made from, on the same real images."""

from collections.abc import Callable
from typing import Any

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.manifest import Manifest, Parity
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.routing import Probabilities, head_places, routed, thresholds
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import calibrated, score_of

MIN_DECISION_AGREEMENT = 0.98
MAX_MEAN_DIFFERENCE = 0.1
"""Twice what conversions that keep the decisions differ by on average, 0.01 to 0.05 on knee films."""
SAME_SCORE = 1e-4
"""Scores that differ by less are one: two runtimes add float32 numbers up in another order."""


def measure_parity(
    reference: Bundle,
    model: Any,
    interpreter: Interpreter,
    planes: Pixels,
    *,
    min_agreement: float = MIN_DECISION_AGREEMENT,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Parity:
    """Compare calibrated probabilities and decisions on prepared images (n, height, width) in [0, 1].

    The verdict asks for decisions that agree on a share of `min_agreement`, as far as n images can tell, and for
    probabilities that differ by `MAX_MEAN_DIFFERENCE` on average at most. Where the converted model gives no number,
    the difference is 1 and the decision another.
    """
    manifest = reference.manifest
    expected = calibrated(keras_logits(model, planes, manifest.input), manifest.calibration)
    found = calibrated(tflite_logits(interpreter, planes, manifest.input, on_progress), manifest.calibration)
    differences = np.nan_to_num(np.abs(found - expected), nan=1.0)
    parity = Parity(
        reference_sha256=manifest.model.sha256,
        images="validation images of the bundle it was made from",
        n=len(planes),
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        decision_agreement=float(np.mean(agreeing(found, expected, manifest))),
    )
    return parity.judged(min_agreement, MAX_MEAN_DIFFERENCE)


def keras_logits(model: Any, planes: Pixels, spec: InputSpec) -> Pixels:
    """The Keras model's logits, (n, labels), one image at a time as on the device."""
    tensorflow, _ = load_tensorflow()
    call = tensorflow.function(lambda tensor: model(tensor, training=False)[0])
    return np.concatenate([call(normalize(planes[i : i + 1], spec)).numpy() for i in range(len(planes))])


def tflite_logits(
    interpreter: Interpreter, planes: Pixels, spec: InputSpec, on_progress: Callable[[int, int], None]
) -> Pixels:
    """The converted model's logits, (n, labels)."""
    logits = []
    for number in range(len(planes)):
        logits.append(interpreter.run(normalize(planes[number : number + 1], spec)).logits)
        on_progress(number + 1, len(planes))
    return np.stack(logits)


def agreeing(found: Probabilities, expected: Probabilities, manifest: Manifest) -> Any:
    """For which images, of probabilities (n, labels), the decision is the same, about the same bone.

    Scores that are one, about the threshold, agree too.
    """
    limits, scores = [], []
    for probabilities in (found, expected):
        limits.append(thresholds(probabilities, manifest))
        scores.append(score_of(probabilities, manifest))
    positive = [score >= limit for score, limit in zip(scores, limits, strict=True)]
    heads = head_places(manifest)
    one_bone = routed(found, heads) == routed(expected, heads) if heads else np.ones(len(found), bool)
    decided_alike = np.isfinite(scores[0]) & (positive[0] == positive[1])
    return one_bone & (decided_alike | (np.abs(scores[0] - scores[1]) < SAME_SCORE))
