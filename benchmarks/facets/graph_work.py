"""What one inference computes and what the file holds for it, counted in the TFLite graph through the interpreter."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.placement import FLOATS, load_graph

COUNTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


@dataclass(frozen=True)
class GraphWork:
    """`macs` are the multiply-accumulates of each node for one image, by the tensor that it writes first.

    As is usual, convolutions and fully connected layers count, and nothing else does: additions, activations, pooling
    and elementwise products (those of squeeze-and-excite too) are 0. `parameters` are the constants that are computed
    with: weights, biases, and factors of elementwise operators, but no shapes or axes. A normalization that conversion
    folded into a convolution leaves its bias only, so they are fewer than the Keras model's.
    """

    macs: Mapping[int, int]
    parameters: int
    zero_parameters: int

    @property
    def total_macs(self) -> int:
        return sum(self.macs.values())


def count_work(model: Path) -> GraphWork:
    """Count the work of a TFLite model; `BundleError` if the runtime cannot load it."""
    graph = _Graph(load_graph(model, keep_tensors=True))
    constants = graph.parameter_tensors()
    return GraphWork(
        macs={int(node["outputs"][0]): graph.macs(node) for node in graph.nodes},
        parameters=sum(prod(graph.shape(tensor)) for tensor in constants),
        zero_parameters=sum(graph.zeros(tensor) for tensor in constants),
    )


class _Graph:
    """The nodes and tensors that an interpreter tells of."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
        self.nodes: list[dict[str, Any]] = interpreter._get_ops_details()

    @cached_property
    def _writers(self) -> dict[int, dict[str, Any]]:
        return {int(tensor): node for node in self.nodes for tensor in node["outputs"]}

    @cached_property
    def _inputs(self) -> frozenset[int]:
        return frozenset(detail["index"] for detail in self._interpreter.get_input_details())

    def shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(side) for side in self._details[tensor]["shape"])

    def macs(self, node: dict[str, Any]) -> int:
        """Of one node. Weights are (out, height, width, in), of a depthwise convolution (1, height, width, out)."""
        kind = node["op_name"]
        if kind not in COUNTED:
            return 0
        given, weights, written = (
            self.shape(int(tensor)) for tensor in (node["inputs"][0], node["inputs"][1], node["outputs"][0])
        )
        if kind == "FULLY_CONNECTED":
            return prod(given) * weights[0]
        if kind == "TRANSPOSE_CONV":  # reads the shape to be written first; each value that it is given meets a kernel
            return prod(self.shape(int(node["inputs"][2]))) * prod(weights[:3])
        return prod(written) * prod(weights[1:3] if kind == "DEPTHWISE_CONV_2D" else weights[1:])

    def parameter_tensors(self) -> frozenset[int]:
        """Stored tensors of a floating or a quantized type that nodes read, each once, whoever reads them."""
        reads = {int(tensor) for node in self.nodes for tensor in node["inputs"] if int(tensor) >= 0}
        return frozenset(tensor for tensor in reads if self._is_stored(tensor) and self._is_number(tensor))

    def zeros(self, tensor: int) -> int:
        """How many of a stored tensor's values stand for 0: the zero point where it is quantized."""
        detail = self._details[tensor]
        points = detail["quantization_parameters"]["zero_points"]
        zero_point = int(points[0]) if len(points) else 0
        values = self._interpreter.get_tensor(tensor)
        return int(np.count_nonzero(values == zero_point))

    def _is_stored(self, tensor: int) -> bool:
        return tensor not in self._writers and tensor not in self._inputs

    def _is_number(self, tensor: int) -> bool:
        detail = self._details[tensor]
        return detail["dtype"] in FLOATS or len(detail["quantization_parameters"]["scales"]) > 0
