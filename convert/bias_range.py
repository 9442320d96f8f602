"""Keep biases within the reach of int32, where the weights beside them are next to nothing.

The step of a bias is the product of the steps of input and weights. In a channel whose weights are all 0 or nearly so,
as pruning and training leave some, the bias would be more steps than int32 holds, and ai-edge-quantizer 0.10 cuts it
off: the channel loses its constant. One weight that is a millionth of what counts gives the channel steps enough.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.flatbuffer import read_graph, write_graph
from osteo_edge.convert.ranges import Ends

Floats = npt.NDArray[np.float32]
WEIGHT_STEPS = 127
LARGEST_BIAS = 2**30
"""In steps; half of what int32 holds, since sums are added to it."""
CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}


def keep_biases(model: bytes, ranges: Mapping[str, Ends], steps: int) -> bytes:
    """The float model with weights large enough for its biases.

    `ranges` are those of its tensors, by name, each divided into a number of `steps`.
    """
    graph, schema = read_graph(model)
    (subgraph,) = graph.subgraphs
    axes = {getattr(schema.BuiltinOperator, kind): axis for kind, axis in CHANNEL_AXIS.items()}
    for operator in subgraph.operators:
        code = graph.operatorCodes[operator.opcodeIndex].builtinCode
        if code not in axes or len(operator.inputs) < 3 or operator.inputs[2] < 0:
            continue
        entry, weights, bias = (subgraph.tensors[place] for place in operator.inputs[:3])
        if entry.name.decode() in ranges:
            low, high = ranges[entry.name.decode()]
            _keep_bias(graph, weights, bias, axes[code], (high - low) / steps)
    return write_graph(graph)


def smallest_weights(bias: Floats, step: float) -> Floats:
    """What the largest weight of each channel must be at least, for a bias, (channels,), and the input's step.

    >>> smallest_weights(np.array([0.0], np.float32), 0.02)
    array([0.], dtype=float32)
    """
    return np.asarray(np.abs(bias) / step / LARGEST_BIAS * WEIGHT_STEPS, np.float32)


def _keep_bias(graph: Any, weights: Any, bias: Any, axis: int, step: float) -> None:
    stored, constant = graph.buffers[weights.buffer].data, graph.buffers[bias.buffer].data
    if stored is None or constant is None:
        return
    values = np.array(stored).view(np.float32).reshape(weights.shape)
    needed = smallest_weights(np.array(constant).view(np.float32), step)
    by_channel = np.moveaxis(values, axis, 0)
    short = np.abs(by_channel).max(axis=tuple(range(1, values.ndim))) < needed
    if short.any():
        by_channel[(short, *(0,) * (values.ndim - 1))] = needed[short]
        graph.buffers[weights.buffer].data = values.reshape(-1).view(np.uint8)
