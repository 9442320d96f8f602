"""Run TFLite models that are in no bundle yet."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.convert.parity import tflite_logits
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest, ModelFile, Outputs, Precision
from osteo_edge.preprocessing import Pixels
from osteo_edge.runtime import Interpreter, open_interpreter, output_places

MODEL_FILE = "model.tflite"


def describe_model(source: Manifest, data: bytes, precision: Precision) -> Manifest:
    """The manifest of the Keras bundle with the converted model in place of its own."""
    old = source.model
    model = ModelFile(MODEL_FILE, "tflite", precision, sha256_bytes(data), old.parameters, old.macs)
    return replace(source, model=model, outputs=find_outputs(data, source.outputs), files={})


def open_draft(manifest: Manifest, data: bytes) -> Interpreter:
    """An interpreter over a model that is in no bundle yet; it has read the file when this returns."""
    with tempfile.TemporaryDirectory() as folder:
        return open_interpreter(write_bundle(Path(folder) / "draft", manifest, {MODEL_FILE: data}))


def draft_logits(
    source: Bundle,
    data: bytes,
    planes: Pixels,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pixels:
    """What a converted model answers for prepared images: (n, labels)."""
    interpreter = open_draft(describe_model(source.manifest, data, "float32"), data)
    return tflite_logits(interpreter, planes, source.manifest.input, on_progress)


def find_outputs(data: bytes, outputs: Outputs) -> Outputs:
    """Where the Keras model's `outputs` lie in the converted model: the converter does not keep their order."""
    places = output_places(data)
    activation_map = None if outputs.activation_map is None else places[outputs.activation_map]
    severity = None if outputs.severity is None else places[outputs.severity]
    embedding = None if outputs.embedding is None else places[outputs.embedding]
    return Outputs(places[outputs.logits], activation_map, severity, embedding)
