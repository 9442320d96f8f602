"""Keras model to TFLite bytes by TensorFlow's own converter, with a fixed batch of 1."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.convert.number_types import NumberType
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Precision
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.quiet import native_messages_held

OPERATORS: dict[Precision, str] = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
}
"""What a network of integers alone may be made of, as the converter calls it."""
ACTIVATIONS: dict[Precision, NumberType] = {"int8": "int8", "int16x8": "int16"}


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


def to_tflite(
    model: Any,
    spec: InputSpec,
    precision: Precision,
    calibration: Pixels,
    *,
    ends: tuple[NumberType, NumberType] | None = None,
) -> bytes:
    """Convert with batch 1, which browser and NPU runtimes insist on.

    Integer weights are per channel. int8 and int16x8 read ranges off `calibration`, prepared training images (n,
    height, width) in [0, 1]; `ends` are the types of their input and outputs, those of the activations if None.
    `ValueError` for a precision that the converter does not know.
    """
    if precision == "mixed":
        raise ValueError("TensorFlow's converter makes no mixed models")
    tensorflow, _ = load_tensorflow()
    converter = _converter(model, spec)
    if precision != "float32":
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tensorflow.float16]
    if precision in OPERATORS:
        converter.target_spec.supported_ops = [getattr(tensorflow.lite.OpsSet, OPERATORS[precision])]
        converter.representative_dataset = lambda: _one_by_one(calibration, spec)
        input_type, output_type = ends or (ACTIVATIONS[precision],) * 2
        converter.inference_input_type = getattr(tensorflow, input_type)
        converter.inference_output_type = getattr(tensorflow, output_type)
    with warnings.catch_warnings(), native_messages_held():
        warnings.simplefilter("ignore")
        return bytes(converter.convert())


def _converter(model: Any, spec: InputSpec) -> Any:
    """A converter of the model as one function of one image.

    `from_keras_model` would save every layer beside it, for the same graph in four times as long.
    """
    tensorflow, _ = load_tensorflow()
    one = tensorflow.TensorSpec((1, spec.height, spec.width, spec.channels), tensorflow.float32, name="image")
    answer = tensorflow.function(lambda image: model(image, training=False)).get_concrete_function(one)
    variables = tensorflow.Module()
    variables.kept = list(model.variables)
    return tensorflow.lite.TFLiteConverter.from_concrete_functions([answer], variables)


def _one_by_one(planes: Pixels, spec: InputSpec) -> Iterator[list[Pixels]]:
    for number in range(len(planes)):
        yield [normalize(np.asarray(planes[number : number + 1]), spec)]
