"""How a converted model answers beside the Keras model that it was made from, on the same real images."""

from collections.abc import Callable
from typing import Any

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.manifest import Manifest, Parity
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import calibrated, score_of


def measure_parity(
    reference: Bundle,
    model: Any,
    interpreter: Interpreter,
    planes: Pixels,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Parity:
    """Compare calibrated probabilities and decisions on prepared images (n, height, width) in [0, 1]."""
    manifest = reference.manifest
    expected = calibrated(keras_logits(model, planes, manifest.input), manifest.calibration)
    found = calibrated(tflite_logits(interpreter, planes, manifest.input, on_progress), manifest.calibration)
    differences = np.abs(found - expected)
    return Parity(
        reference_sha256=manifest.model.sha256,
        images="validation images of the bundle it was made from",
        n=len(planes),
        largest_difference=float(differences.max()),
        mean_difference=float(differences.mean()),
        decision_agreement=float(np.mean(_referred(found, manifest) == _referred(expected, manifest))),
    )


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


def _referred(probabilities: Any, manifest: Manifest) -> Any:
    return score_of(probabilities, manifest) >= manifest.decision.threshold
