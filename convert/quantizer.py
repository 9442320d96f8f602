"""Quantize a float TFLite model with ai-edge-quantizer, with ranges of our own."""

import io
import re
import warnings
from collections.abc import Collection, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from types import ModuleType
from typing import Any, Literal

import numpy as np

from osteo_edge.convert.bias_range import keep_biases
from osteo_edge.convert.number_types import NumberType
from osteo_edge.convert.output_types import output_names, set_output_types
from osteo_edge.convert.ranges import Ends
from osteo_edge.extras import load_extra
from osteo_edge.quiet import native_messages_held

STEPS = {8: 255, 16: 65535}
"""Steps that a range is divided into, by the bits of activations."""
_INPUT_BITS = {"int16": 16, "int8": 8, "uint8": 8}


def quantize_static(
    model: bytes,
    ranges: Mapping[str, Ends],
    *,
    bits: Literal[8, 16] = 8,
    input_type: NumberType = "int8",
    output_type: NumberType = "int8",
    in_float: Collection[str] = (),
) -> bytes:
    """Give weights int8, per output channel, and activations `bits`, over the `ranges` of all tensors by name.

    Operators whose first output is named in `in_float` stay in floating point: of those that write the model's outputs
    all or none.
    """
    _, qtyping, recipes, algorithms = _modules()
    names, untouched = qtyping.TFLOperationName, algorithms.AlgorithmName.NO_QUANTIZE
    quantizer = _quantizer(keep_biases(model, ranges, STEPS[bits]))
    quantizer.load_quantization_recipe(recipes.static_wi8_ai8() if bits == 8 else recipes.static_wi8_ai16())
    for tensor in in_float:
        scope = f"^{re.escape(tensor)};?$"
        quantizer.update_quantization_recipe(scope, names.ALL_SUPPORTED, algorithm_key=untouched)
    if input_type == "float32":
        quantizer.update_quantization_recipe(".", names.INPUT, algorithm_key=untouched)
    else:
        quantizer.update_quantization_recipe(".", names.INPUT, _input_config(qtyping, input_type))
    if not output_names(model).isdisjoint(in_float):
        quantizer.update_quantization_recipe(".", names.OUTPUT, algorithm_key=untouched)
    data = _run(quantizer, {name: _statistics(*ends) for name, ends in ranges.items()})
    return set_output_types(data, output_type, ranges)


def quantize_dynamic(model: bytes) -> bytes:
    """Give weights int8, per output channel; activations are quantized while the model runs, image by image."""
    _, _, recipes, _ = _modules()
    quantizer = _quantizer(model)
    quantizer.load_quantization_recipe(recipes.dynamic_wi8_afp32())
    return _run(quantizer, None)


@cache
def _modules() -> tuple[ModuleType, ...]:
    """The package's modules `quantizer`, `qtyping`, `recipe` and `algorithm_manager`."""
    names = ("quantizer", "qtyping", "recipe", "algorithm_manager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(
            load_extra(
                [f"ai_edge_quantizer.{name}" for name in names],
                feature="conversion to integers",
                package="ai-edge-quantizer",
                extra="train",
            )
        )


def _quantizer(model: bytes) -> Any:
    return _modules()[0].Quantizer(bytearray(model))


def _run(quantizer: Any, statistics: dict[str, Any] | None) -> bytes:
    nowhere = io.StringIO()
    with warnings.catch_warnings(), native_messages_held(), redirect_stdout(nowhere), redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        result = quantizer.quantize(statistics, enable_progress_bar=False, enable_progress_report=False)
    return bytes(result.quantized_model)


def _statistics(low: float, high: float) -> dict[str, Any]:
    return {"min": np.full((1, 1, 1, 1), low, np.float32), "max": np.full((1, 1, 1, 1), high, np.float32)}


def _input_config(qtyping: Any, wanted: NumberType) -> Any:
    bits = _INPUT_BITS[wanted]
    kind = qtyping.TensorDataType.UINT if wanted == "uint8" else qtyping.TensorDataType.INT
    return qtyping.OpQuantizationConfig(
        activation_tensor_config=qtyping.TensorQuantizationConfig(num_bits=bits, symmetric=bits == 16, dtype=kind),
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=8, granularity=qtyping.QuantGranularity.CHANNELWISE
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER,
    )
