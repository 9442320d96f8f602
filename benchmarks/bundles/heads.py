"""Give a TFLite model another head, to measure what its own costs: the graph is edited, the weights stay.

The model is expected to end as this project's do: a 1x1 convolution, whose output is the activation map, and its mean
over the places, the logits. The schema is the one that LiteRT ships; tflite-runtime has none.
"""

import importlib
from typing import Any

import numpy as np

from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Outputs

FILE_IDENTIFIER = b"TFL3"


def without_map(model: bytes, outputs: Outputs) -> bytes:
    """The same model with the logits as its only output; operators that only served the map are dropped."""
    graph_model = _unpack(model)
    _keep_output(graph_model, outputs.logits)
    return _pack(graph_model)


def with_pooled_head(model: bytes, outputs: Outputs) -> bytes:
    """The same model with the usual head in place of the map's: global average pooling, then a dense layer.

    As the mean commutes with a 1x1 convolution, the logits stay the same, but for the rounding of int8. A convolution's
    weights (labels, 1, 1, features) are a dense layer's (labels, features) in the same order, so are their scales, and
    the mean has the scale of what it is taken of.
    """
    schema, graph_model = _schema(), _unpack(model)
    graph = graph_model.subgraphs[0]
    logits = _keep_output(graph_model, outputs.logits)
    mean = _maker(graph, logits)
    convolution = _maker(graph, mean.inputs[0])
    _check_head(graph_model, convolution, mean)
    features, weights, bias = convolution.inputs
    shape = graph.tensors[features].shape
    pooled = _add_tensor(graph, graph.tensors[features], b"pooled", (1, int(shape[3])))
    flat = _add_tensor(graph, graph.tensors[weights], b"dense", (int(graph.tensors[weights].shape[0]), int(shape[3])))
    mean.inputs, mean.outputs = [features, mean.inputs[1]], [pooled]
    dense = schema.OperatorT()
    dense.opcodeIndex = _add_operator_code(graph_model, schema.BuiltinOperator.FULLY_CONNECTED, version=12)
    dense.inputs, dense.outputs = [pooled, flat, bias], [logits]
    dense.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    dense.builtinOptions = schema.FullyConnectedOptionsT()
    graph.operators = [operator for operator in graph.operators if operator is not convolution] + [dense]
    return _pack(graph_model)


def _schema() -> Any:
    """LiteRT's module of the schema's classes, generated, untyped."""
    try:
        return importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        raise OsteoEdgeError("editing a TFLite model needs LiteRT: pip install ai-edge-litert") from error


def _unpack(model: bytes) -> Any:
    return _schema().ModelT.InitFromPackedBuf(model, 0)


def _pack(graph_model: Any) -> bytes:
    builder = importlib.import_module("flatbuffers").Builder()
    builder.Finish(graph_model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def _keep_output(graph_model: Any, place: int) -> int:
    """Leave one output, in the graph and in its signatures, and only the operators behind it; returns its tensor."""
    graph = graph_model.subgraphs[0]
    kept = int(graph.outputs[place])
    graph.outputs = [kept]
    for signature in graph_model.signatureDefs or []:
        signature.outputs = [output for output in signature.outputs if output.tensorIndex == kept]
    needed, operators = {kept}, []
    for operator in reversed(graph.operators):
        if needed.intersection(map(int, operator.outputs)):
            needed.update(map(int, operator.inputs))
            operators.append(operator)
    graph.operators = operators[::-1]
    return kept


def _maker(graph: Any, tensor: int) -> Any:
    made = [operator for operator in graph.operators if tensor in operator.outputs]
    if not made:
        raise BundleError("the model's head is no convolution with a mean behind it: nothing computes the logits")
    return made[0]


def _check_head(graph_model: Any, convolution: Any, mean: Any) -> None:
    codes = _schema().BuiltinOperator
    kinds = [_kind(graph_model.operatorCodes[operator.opcodeIndex]) for operator in (convolution, mean)]
    weights = graph_model.subgraphs[0].tensors[convolution.inputs[1]]
    if kinds != [codes.CONV_2D, codes.MEAN] or tuple(weights.shape[1:3]) != (1, 1):
        raise BundleError("the model's head is no 1x1 convolution with a mean behind it; convert the bundle again")


def _kind(code: Any) -> int:
    """Operators up to 127 stand in the older of two fields (schema.fbs, OperatorCode)."""
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))


def _add_tensor(graph: Any, like: Any, name: bytes, shape: tuple[int, ...]) -> int:
    """Append a tensor with the type, the quantization and, if it is a constant, the values of `like`."""
    tensor = _schema().TensorT()
    tensor.name, tensor.shape = name, np.array(shape, np.int32)
    tensor.type, tensor.buffer, tensor.quantization = like.type, like.buffer, like.quantization
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _add_operator_code(graph_model: Any, kind: int, *, version: int) -> int:
    code = _schema().OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = version
    graph_model.operatorCodes.append(code)
    return len(graph_model.operatorCodes) - 1
