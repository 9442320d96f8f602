"""Which operators of a float TFLite model the layers of the Keras model became."""

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteo_edge.convert.graph import readers_of, sources_of
from osteo_edge.convert.layer_errors import layer_name
from osteo_edge.placement import Node, load_graph, read_nodes
from osteo_edge.runtime import output_places

Nodes = tuple[Node, ...]
RELUS = ("relu", "relu6", "linear")


@dataclass(frozen=True, eq=False)
class Operators:
    """The operators of a TFLite model in order, and those of each Keras layer by its name.

    A layer that the converter folded into another has the other's; one that left nothing has none.
    """

    nodes: Nodes
    by_layer: Mapping[str, Nodes]


def open_graph(model: bytes) -> Any:
    """The runtime's interpreter over a TFLite model, every tensor of which can be read after a run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        return load_graph(path, keep_tensors=True)


def find_operators(model: Any, converted: bytes) -> Operators:
    """Match a functional Keras model with its float TFLite model, by the names of tensors."""
    interpreter = open_graph(converted)
    nodes = read_nodes(interpreter)
    own = _own(model, nodes, _output_names(interpreter, converted))
    folding = _Folding(model, own)
    return Operators(nodes, {layer.name: folding.operators(layer) for layer in model.layers})


def _output_names(interpreter: Any, converted: bytes) -> list[str]:
    """The names of the outputs in the order of the Keras model's."""
    details = interpreter.get_output_details()
    return [details[place]["name"] for place in output_places(converted)]


def _own(model: Any, nodes: Nodes, output_names: list[str]) -> dict[str, Nodes]:
    """The operators that carry the name of a layer; the outputs carry none."""
    writers = {id(layer.output): layer.name for layer in model.layers}
    ends = {name: writers[id(output)] for name, output in zip(output_names, model.outputs, strict=True)}
    found = defaultdict(list)
    for node in nodes:
        found[ends.get(node.name) or layer_name(node.name).rpartition("/")[2]].append(node)
    return {name: tuple(operators) for name, operators in found.items()}


class _Folding:
    """Finds the operator that a layer was folded into: a normalization or ReLU goes with what is before it."""

    def __init__(self, model: Any, own: Mapping[str, Nodes]) -> None:
        self._own = own
        self._writers = {id(layer.output): layer for layer in model.layers}
        self._readers = readers_of(model)

    def operators(self, layer: Any) -> Nodes:
        """The layer's own operators, or those of the layer that it was folded into."""
        return self._own.get(layer.name) or self._after(layer) or self._before(layer) or self._next(layer)

    def _reader(self, layer: Any) -> Any:
        readers = self._readers[id(layer.output)]
        return readers[0] if len(readers) == 1 else None

    def _after(self, layer: Any) -> Nodes:
        reader = self._reader(layer)
        if reader is None or not _is_folded_back(reader):
            return ()
        return self._own.get(reader.name) or self._after(reader)

    def _before(self, layer: Any) -> Nodes:
        if not _is_folded_back(layer):
            return ()
        (source,) = sources_of(layer)
        writer = self._writers[id(source)]
        return self._own.get(writer.name) or self._before(writer)

    def _next(self, layer: Any) -> Nodes:
        """Padding goes into the layer behind it."""
        reader = self._reader(layer)
        return () if reader is None or type(layer).__name__ == "InputLayer" else self.operators(reader)


def _is_folded_back(layer: Any) -> bool:
    kind = type(layer).__name__
    return kind in ("BatchNormalization", "ReLU") or (kind == "Activation" and layer.activation.__name__ in RELUS)
