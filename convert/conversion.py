"""The whole conversion: Keras bundle in, TFLite bundle with its measured loss out."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.convert.parity import measure_parity
from osteo_edge.convert.tflite import ConvertPrecision, load_keras, to_tflite
from osteo_edge.errors import BundleError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest, Metric, ModelFile, Outputs, Parent
from osteo_edge.runtime import open_interpreter, output_shapes
from osteo_edge.samples import CALIBRATION, PARITY, read_samples
from osteo_edge.version import VERSION

MODEL_FILE = "model.tflite"


def convert_bundle(
    source: Bundle,
    precision: ConvertPrecision,
    out: Path,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Bundle:
    """Convert a Keras bundle to `precision`, measure what that changed, and write the bundle `out`."""
    require_free(out)
    model = load_keras(source)
    calibration = read_samples(source, CALIBRATION)
    data = to_tflite(model, source.manifest.input, precision, calibration)
    manifest = _manifest(source, precision, data, len(calibration))
    with tempfile.TemporaryDirectory() as folder:
        draft = write_bundle(Path(folder) / "draft", manifest, {MODEL_FILE: data})
        interpreter = open_interpreter(draft)
        parity = measure_parity(source, model, interpreter, read_samples(source, PARITY), on_progress=on_progress)
    return write_bundle(out, replace(manifest, parity=parity), {MODEL_FILE: data})


def _manifest(source: Bundle, precision: ConvertPrecision, data: bytes, calibration_images: int) -> Manifest:
    old = source.manifest
    recipe: dict[str, Any] = {"convert": {"precision": precision}}
    if precision == "int8":
        recipe["convert"] |= {"weights": "per channel", "calibration_images": calibration_images, "range": "min-max"}
    return replace(
        old,
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        model=ModelFile(MODEL_FILE, "tflite", precision, sha256_bytes(data), old.model.parameters, old.model.macs),
        parent=Parent(old.model.sha256, recipe | {"parent": old.parent.recipe}),
        outputs=find_outputs(data, len(old.labels)),
        metrics={name: _before(metric) for name, metric in old.metrics.items()},
        files={},
    )


def find_outputs(data: bytes, labels: int) -> Outputs:
    """Which output is which, by shape: the converter keeps no order that one could rely on."""
    shapes = output_shapes(data)
    flat = [place for place, shape in enumerate(shapes) if shape == (1, labels)]
    maps = [place for place, shape in enumerate(shapes) if len(shape) == 4 and shape[3] == labels]
    if len(flat) != 1 or len(maps) > 1:
        raise BundleError(f"the converted model has outputs {shapes}; one (1, {labels}) is needed for the logits")
    return Outputs(logits=flat[0], activation_map=maps[0] if maps else None)


def _before(metric: Metric) -> Metric:
    """A metric of the model before conversion says so."""
    note = ", before conversion"
    return metric if metric.part.endswith(note) else replace(metric, part=metric.part + note)
