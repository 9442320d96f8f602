"""Where a compressed network departs from the float one: the error of each layer that both graphs have."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.placement import Node, load_graph, read_nodes
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import dequantize, quantize

Floats = npt.NDArray[np.float64]
Sums = tuple[Floats, Floats, Floats]
Pair = tuple[Node, Node]
LARGEST_SQNR_DB = 120.0
"""What no error at all counts as; an error where the float layer is silent counts as the negative of it."""


@dataclass(frozen=True)
class LayerError:
    """How far one layer's output is from that of the float network; `position` is its place there.

    `sqnr_db` is the signal-to-quantization-noise ratio, after each channel was brought to the scale of the float one:
    equalization changes the scale of linear channels on purpose. `lost_db` is by how much that is less than for the
    worst of the layers it reads: where it is large, there the network breaks; NaN where none of these is known.
    `plain_sqnr_db` and `cosine` are of the values as they are; no cosine (NaN) where one of the layers is silent.
    """

    position: int
    operator: str
    name: str
    sqnr_db: float
    lost_db: float
    plain_sqnr_db: float
    cosine: float


@dataclass(frozen=True)
class LayerErrors:
    """The layers that both graphs have, in the order of the float one, of the `layers` that it has in all."""

    found: tuple[LayerError, ...]
    layers: int
    images: int

    def worst(self, number: int) -> tuple[LayerError, ...]:
        """Those with the lowest signal-to-noise ratio, the worst first."""
        return tuple(sorted(self.found, key=lambda layer: layer.sqnr_db)[:number])


def measure_layers(
    reference: Path,
    model: Path,
    tensors: Sequence[Tensor],
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> LayerErrors:
    """Run two TFLite files on prepared images, (1, height, width, channels) each, and compare them layer by layer."""
    expected, found = (load_graph(path, keep_tensors=True) for path in (reference, model))
    nodes = read_nodes(expected)
    pairs = match(nodes, read_nodes(found))
    totals = [(np.zeros(1), np.zeros(1), np.zeros(1)) for _ in pairs]
    for number, tensor in enumerate(tensors):
        sums = zip(_outputs(expected, tensor, pairs, 0), _outputs(found, tensor, pairs, 1), strict=True)
        totals = [_added(total, _sums(*both)) for total, both in zip(totals, sums, strict=True)]
        on_progress(number + 1, len(tensors))
    by_tensor = {node.tensor: _sqnr(*total) for (node, _), total in zip(pairs, totals, strict=True)}
    errors = tuple(_error(node, total, by_tensor) for (node, _), total in zip(pairs, totals, strict=True))
    return LayerErrors(errors, len(nodes), len(tensors))


def match(nodes: Sequence[Node], others: Sequence[Node]) -> list[Pair]:
    """The nodes that write a tensor of the same name and shape; a name that a graph has twice tells nothing."""
    known = _by_name(others)
    pairs = [(node, known[name]) for name, node in _by_name(nodes).items() if name in known]
    return [(node, other) for node, other in pairs if node.shape == other.shape]


def layer_name(tensor_name: str) -> str:
    """The layer that wrote a tensor, without the name of the whole network and of the operator.

    >>> layer_name("model_1/mobilenet_v2/Conv1_relu/Relu6;model_1/mobilenet_v2/Conv1/Conv2D1")
    'mobilenet_v2/Conv1_relu'
    """
    words = tensor_name.partition(";")[0].split("/")
    return "/".join(words[1:-1]) or tensor_name.replace("StatefulPartitionedCall:", "output ")


def _by_name(nodes: Sequence[Node]) -> dict[tuple[str, ...], Node]:
    counts = Counter(_key(node) for node in nodes)
    return {_key(node): node for node in nodes if counts[_key(node)] == 1}


def _key(node: Node) -> tuple[str, ...]:
    """The fused layers' names without that of the network, which Keras numbers (`model`, `model_1`, ...)."""
    return tuple(part.partition("/")[2] or part for part in node.name.split(";"))


def _outputs(interpreter: Any, tensor: Tensor, pairs: Sequence[Pair], side: int) -> list[Floats]:
    """The real values that each node of one side writes for one image."""
    given = interpreter.get_input_details()[0]
    interpreter.set_tensor(given["index"], quantize(tensor, given))
    interpreter.invoke()
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    places = [pair[side].tensor for pair in pairs]
    return [dequantize(interpreter.get_tensor(place), details[place]).astype(np.float64) for place in places]


def _sums(expected: Floats, found: Floats) -> Sums:
    """For each channel, over all places: expected squared, expected times found, found squared; (channels,)."""
    rows, others = (values.reshape(-1, values.shape[-1]) for values in (expected, found))
    return (rows * rows).sum(axis=0), (rows * others).sum(axis=0), (others * others).sum(axis=0)


def _added(total: Sums, more: Sums) -> Sums:
    return total[0] + more[0], total[1] + more[1], total[2] + more[2]


def _error(node: Node, sums: Sums, sqnr_by_tensor: Mapping[int, float]) -> LayerError:
    signal, product, energy = sums
    own, read = sqnr_by_tensor[node.tensor], [sqnr_by_tensor[place] for place in node.reads if place in sqnr_by_tensor]
    return LayerError(
        position=node.position,
        operator=node.operator,
        name=layer_name(node.name),
        sqnr_db=own,
        lost_db=min(read, default=float("nan")) - own,
        plain_sqnr_db=_decibels(signal.sum(), (signal - 2 * product + energy).sum()),
        cosine=_cosine(signal.sum(), product.sum(), energy.sum()),
    )


def _sqnr(signal: Floats, product: Floats, energy: Floats) -> float:
    """With each channel scaled so that the error is least.

    A channel turned round counts as lost, and what is in one that should be silent as error.
    """
    explained = np.divide(np.maximum(product, 0.0) ** 2, energy, out=np.zeros_like(energy), where=energy > 0)
    return _decibels(signal.sum(), np.where(signal > 0, signal - explained, energy).sum())


def _decibels(signal: float, noise: float) -> float:
    """Ten times the logarithm of the ratio, within `LARGEST_SQNR_DB` of 0."""
    if noise <= 0 or signal <= 0:
        return LARGEST_SQNR_DB if noise <= 0 else -LARGEST_SQNR_DB
    return float(np.clip(10 * np.log10(signal / noise), -LARGEST_SQNR_DB, LARGEST_SQNR_DB))


def _cosine(signal: float, product: float, energy: float) -> float:
    return float(product / np.sqrt(signal * energy)) if signal > 0 and energy > 0 else float("nan")
