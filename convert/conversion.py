"""The whole conversion: Keras bundle in, TFLite bundle with its measured loss out."""

import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.convert.equalization import equalize
from osteo_edge.convert.graph import sources_of
from osteo_edge.convert.parity import keras_logits, measure_parity, tflite_logits
from osteo_edge.convert.rounding import compensate
from osteo_edge.convert.tapped_head import split_heads
from osteo_edge.convert.tflite import ConvertPrecision, load_keras, to_tflite
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest, Metric, ModelFile, Outputs, Parent
from osteo_edge.preprocessing import Pixels
from osteo_edge.runtime import Interpreter, open_interpreter, output_places
from osteo_edge.samples import CALIBRATION, PARITY, read_samples
from osteo_edge.version import VERSION

MODEL_FILE = "model.tflite"
ROUNDING_IMAGES = 64
"""Images that weights are rounded for; their places are plenty, and time grows with them."""


def convert_bundle(
    source: Bundle, precision: ConvertPrecision, out: Path, *, plain: bool = False, on_progress: Advance
) -> Bundle:
    """Convert a Keras bundle to `precision`, measure what that changed, and write the bundle `out`.

    `plain` int8 is what the TensorFlow Lite converter makes by itself, to compare with.
    """
    require_free(out)
    reference = load_keras(source)
    calibration = read_samples(source, CALIBRATION)
    if precision == "int8" and not plain:
        data = _to_int8(source, reference, calibration, on_progress)
    else:
        data = to_tflite(reference if plain else split_heads(reference), source.manifest.input, precision, calibration)
    manifest = _manifest(source, data, _recipe(precision, plain, len(calibration)))
    interpreter = _open(manifest, data)
    parity = measure_parity(
        source,
        reference,
        interpreter,
        read_samples(source, PARITY),
        on_progress=lambda done, total: on_progress(done, total, stage="compare"),
    )
    return write_bundle(out, replace(manifest, parity=parity), {MODEL_FILE: data})


def _to_int8(source: Bundle, reference: Any, calibration: Pixels, on_progress: Advance) -> bytes:
    """Equalize, round with compensation, convert, and take the mean error that is left out of the head's bias."""
    spec = source.manifest.input
    model = split_heads(load_keras(source))
    few = spread(calibration, ROUNDING_IMAGES)
    equalize(model, few, spec)
    compensate(
        model,
        few,
        spec,
        on_progress=lambda done, total: on_progress(done, total, stage="round weights"),
    )
    draft = to_tflite(model, spec, "int8", calibration)
    interpreter = _open(_manifest(source, draft, {"precision": "int8"}), draft)
    found = tflite_logits(interpreter, calibration, spec, lambda done, total: on_progress(done, total, stage="correct"))
    shift_logits(model, (keras_logits(reference, calibration, spec) - found).mean(axis=0))
    return to_tflite(model, spec, "int8", calibration)


def spread(planes: Pixels, number: int) -> Pixels:
    """At most `number` images, evenly over all: sorted as they are, the first ones would lack the last label."""
    places = np.linspace(0, len(planes) - 1, min(number, len(planes))).round().astype(int)
    return np.asarray(planes[places])


def shift_logits(model: Any, shift: Pixels) -> None:
    """Add `shift`, (labels,), to the logits: it goes into the bias of the head, whose mean over places they are."""
    writers = {id(layer.output): layer for layer in model.layers}
    (head_output,) = sources_of(writers[id(model.outputs[0])])
    head = writers[id(head_output)]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + shift])


def _open(manifest: Manifest, data: bytes) -> Interpreter:
    """An interpreter over a model that is in no bundle yet; it has read the file when this returns."""
    with tempfile.TemporaryDirectory() as folder:
        return open_interpreter(write_bundle(Path(folder) / "draft", manifest, {MODEL_FILE: data}))


def _recipe(precision: ConvertPrecision, plain: bool, calibration_images: int) -> dict[str, Any]:
    """What was done, for the manifest."""
    if precision == "float32":
        return {"precision": precision}
    post_training = {"precision": precision, "range": "min-max", "calibration_images": calibration_images}
    if plain:
        return {**post_training, "weights": "per channel, to nearest"}
    return {
        **post_training,
        "activations": "linear channels equalized",
        "weights": "per channel, rounded with compensation",
        "bias": "corrected per channel, and at the logits",
        "rounding_images": min(ROUNDING_IMAGES, calibration_images),
    }


def _manifest(source: Bundle, data: bytes, recipe: dict[str, Any]) -> Manifest:
    old, precision = source.manifest, recipe["precision"]
    return replace(
        old,
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        model=ModelFile(MODEL_FILE, "tflite", precision, sha256_bytes(data), old.model.parameters, old.model.macs),
        parent=Parent(old.model.sha256, {"convert": recipe, "parent": old.parent.recipe}),
        outputs=find_outputs(data, old.outputs),
        metrics={name: _before(metric) for name, metric in old.metrics.items()},
        files={},
    )


def find_outputs(data: bytes, outputs: Outputs) -> Outputs:
    """Where the Keras model's `outputs` lie in the converted model: the converter does not keep their order."""
    places = output_places(data)
    activation_map = None if outputs.activation_map is None else places[outputs.activation_map]
    severity = None if outputs.severity is None else places[outputs.severity]
    return Outputs(places[outputs.logits], activation_map, severity)


def _before(metric: Metric) -> Metric:
    """A metric of the model before conversion says so."""
    note = ", before conversion"
    return metric if metric.part.endswith(note) else replace(metric, part=metric.part + note)
