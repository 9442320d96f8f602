"""Keras bundles: how training writes one, and how one is run without being converted."""

import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import ModelFile
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Prediction
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import count_macs

MODEL_FILE = "model.keras"
SPLIT_FILE = "split.csv"


def model_bytes(model: Any) -> bytes:
    """The model as a `.keras` archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL_FILE
        model.save(path)
        return path.read_bytes()


def model_file(model: Any, data: bytes) -> ModelFile:
    """What the manifest says of a Keras model."""
    return ModelFile(MODEL_FILE, "keras", "float32", sha256_bytes(data), model.count_params(), count_macs(model))


def check_split(bundle: Bundle, split_file: Path) -> None:
    """Raise `DatasetError` unless it is the split file that the bundle was trained with."""
    if sha256_file(split_file) != bundle.manifest.data.split_sha256:
        raise DatasetError(
            f"{split_file}: not the split that {bundle.path} was trained with, so its validation images may be among "
            f"those seen in training; use {bundle.path / SPLIT_FILE}"
        )


def load_model(bundle: Bundle) -> Any:
    """The bundle's Keras model; `BundleError` for a TFLite bundle or a file that Keras cannot read."""
    if bundle.manifest.model.format != "keras":
        raise BundleError(f"{bundle.path}: not a Keras bundle; name the one that `osteo-edge train` wrote")
    _, keras = load_tensorflow()
    try:
        return keras.models.load_model(bundle.model_path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f"{bundle.model_path}: Keras cannot load it ({reason}); train it again") from error


class KerasInterpreter:
    """The core's interpreter protocol over a Keras bundle: the float reference that conversions are held to."""

    def __init__(self, bundle: Bundle) -> None:
        tensorflow, _ = load_tensorflow()
        model = load_model(bundle)
        self.name = f"Keras {metadata.version('tf-keras')}"
        self._outputs = bundle.manifest.outputs
        self._call = tensorflow.function(lambda tensor: model(tensor, training=False))

    def run(self, tensor: Tensor) -> Prediction:
        outputs = [output.numpy()[0] for output in self._call(tensor)]
        places = self._outputs
        return Prediction(
            logits=outputs[places.logits],
            activation_map=None if places.activation_map is None else outputs[places.activation_map],
            severity=None if places.severity is None else outputs[places.severity],
            embedding=None if places.embedding is None else outputs[places.embedding],
        )
