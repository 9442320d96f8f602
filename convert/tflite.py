"""Keras model to TFLite bytes: fixed batch of 1, float32 or full int8."""

import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.errors import BundleError
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.quiet import native_messages_held

ConvertPrecision = Literal["float32", "int8"]


def load_keras(bundle: Bundle) -> Any:
    """The bundle's Keras model; `BundleError` for a TFLite bundle or a file that Keras cannot read."""
    if bundle.manifest.model.format != "keras":
        raise BundleError(
            f"{bundle.path}: converted already ({bundle.manifest.model.precision}); "
            "convert the Keras bundle that it was made from"
        )
    _, keras = load_tensorflow()
    try:
        return keras.models.load_model(bundle.model_path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise BundleError(f"{bundle.model_path}: Keras cannot load it ({str(error).splitlines()[0]})") from error


def to_tflite(model: Any, spec: InputSpec, precision: ConvertPrecision, calibration: Pixels) -> bytes:
    """Convert with batch 1, which browser and NPU runtimes insist on.

    int8 is per channel for weights, and int8 at both ends; ranges are read off `calibration`, prepared training
    images (n, height, width) in [0, 1].
    """
    tensorflow, keras = load_tensorflow()
    fixed = keras.Input(batch_shape=(1, spec.height, spec.width, spec.channels))
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras.Model(fixed, model(fixed)))
    if precision == "int8":
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: _one_by_one(calibration, spec)
        converter.inference_input_type = converter.inference_output_type = tensorflow.int8
    with warnings.catch_warnings(), native_messages_held():
        warnings.simplefilter("ignore")
        return bytes(converter.convert())


def _one_by_one(planes: Pixels, spec: InputSpec) -> Iterator[list[Pixels]]:
    for number in range(len(planes)):
        yield [normalize(np.asarray(planes[number : number + 1]), spec)]
