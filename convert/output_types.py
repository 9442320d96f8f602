"""Give the outputs of a quantized TFLite model another number type, by an operator behind each of them.

ai-edge-quantizer 0.10 can do so too, but then lets the last operator of the graph read what is put behind the output
that it reads: the mean of an activation map, which is an output itself, comes out wrong.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from osteo_edge.convert.flatbuffer import read_graph, write_graph
from osteo_edge.convert.number_types import NumberType
from osteo_edge.convert.ranges import Ends

_LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def set_output_types(model: bytes, wanted: NumberType, ranges: Mapping[str, Ends]) -> bytes:
    """The model with outputs of the type `wanted`; `ranges` are those of its tensors, by name."""
    graph, schema = read_graph(model)
    (subgraph,) = graph.subgraphs
    renamed = {}
    for place, tensor in enumerate(subgraph.outputs):
        old = subgraph.tensors[tensor]
        if old.type == _number_type(schema, wanted):
            continue
        subgraph.tensors.append(_tensor(schema, old, wanted, ranges))
        renamed[int(tensor)] = subgraph.outputs[place] = len(subgraph.tensors) - 1
        subgraph.operators.append(_operator(graph, schema, int(tensor), renamed[int(tensor)], wanted))
    for signature in graph.signatureDefs or []:
        for output in signature.outputs:
            output.tensorIndex = renamed.get(output.tensorIndex, output.tensorIndex)
    return write_graph(graph)


def output_names(model: bytes) -> frozenset[str]:
    """The names of the tensors that a TFLite model gives."""
    graph, _ = read_graph(model)
    (subgraph,) = graph.subgraphs
    return frozenset(subgraph.tensors[tensor].name.decode() for tensor in subgraph.outputs)


def quantization_of(low: float, high: float, wanted: NumberType) -> tuple[float, int]:
    """Scale and zero point of a range that holds 0; int16 is symmetric, as TFLite's kernels want it.

    >>> quantization_of(0.0, 255.0, "int8")
    (1.0, -128)
    """
    if wanted == "int16":
        return max(-low, high) / _LIMITS[wanted][1], 0
    least, most = _LIMITS[wanted]
    scale = (high - low) / (most - least)
    return scale, int(np.clip(round(least - low / scale), least, most))


def _number_type(schema: Any, wanted: NumberType) -> int:
    return int(getattr(schema.TensorType, wanted.upper()))


def _tensor(schema: Any, old: Any, wanted: NumberType, ranges: Mapping[str, Ends]) -> Any:
    """A tensor for what `old` holds, in the type `wanted`."""
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer = old.shape, _number_type(schema, wanted), 0
    tensor.name = old.name + b"_" + wanted.encode()
    tensor.quantization = schema.QuantizationParametersT()
    if wanted != "float32":
        scale, zero_point = quantization_of(*ranges[old.name.decode()], wanted)
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    return tensor


def _operator(graph: Any, schema: Any, source: int, target: int, wanted: NumberType) -> Any:
    kind = "DEQUANTIZE" if wanted == "float32" else "QUANTIZE"
    operator = schema.OperatorT()
    operator.opcodeIndex = _operator_code(graph, schema, getattr(schema.BuiltinOperator, kind))
    operator.inputs, operator.outputs = [source], [target]
    return operator


def _operator_code(graph: Any, schema: Any, builtin: int) -> int:
    """The place of the operator's code in the model's list, appended if it is not there."""
    for place, code in enumerate(graph.operatorCodes):
        if code.builtinCode == builtin:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(int(builtin), 127), 2
    graph.operatorCodes.append(code)
    return len(graph.operatorCodes) - 1
