"""Most of a graph in int8, some layers in floating point: which ones, by name or by what they cost the answer.

Operators of their own are too small a piece to choose by: an operator in floating point whose output is rounded for the
next one gains little. What is tried is to keep what one layer writes in floating point: the layer and its readers.
"""

import difflib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from osteo_edge.convert.operators import Nodes, Operators
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.placement import Node

Layers = frozenset[str]
"""Units by the name of their first layer."""
TRIED = 24
"""Units whose output is tried: those that add most noise."""


@dataclass(frozen=True, eq=False)
class Units:
    """Operators that stay in floating point together or not at all, by the name of the first layer in each.

    Those behind a layer of the network are one, and so are those that write the model's outputs, with all that a head
    was laid out as. `by_layer` tells the unit of each layer that has one, `layers` are all layers of the network.
    """

    operators: Mapping[str, Nodes]
    by_layer: Mapping[str, str]
    layers: tuple[str, ...]

    def tensors(self, chosen: Collection[str]) -> frozenset[str]:
        """What the operators of the chosen units write, by name."""
        return frozenset(node.name for name in chosen for node in self.operators[name])

    def size(self, chosen: Collection[str]) -> int:
        """The number of operators in the chosen units."""
        return sum(len(self.operators[name]) for name in chosen)

    def with_readers(self, name: str) -> Layers:
        """A unit and those that read what it writes."""
        written = {node.tensor for node in self.operators[name]}
        reading = {
            other
            for other, nodes in self.operators.items()
            if any(tensor in written for node in nodes for tensor in node.reads)
        }
        return frozenset({name, *reading})


@dataclass(frozen=True)
class Trial:
    """What a model came to: the mean error of its logits, and the mean difference of its probabilities."""

    error: float
    difference: float


def find_units(operators: Operators, layers: Sequence[str], ends: Sequence[str]) -> Units:
    """The units of a converted network whose `layers` are these, in order, `ends` being those that write its outputs.

    What the conversion itself put in belongs to what reads it.
    """
    (head, *_) = (name for name in layers if name in ends)
    first: dict[Nodes, str] = {operators.by_layer[name]: head for name in ends}
    by_layer = {
        name: first.setdefault(operators.by_layer[name], name) for name in layers if operators.by_layer.get(name)
    }
    owners = _owners(operators.nodes, {node.position: name for nodes, name in first.items() for node in nodes}, head)
    found: defaultdict[str, list[Node]] = defaultdict(list)
    for node in operators.nodes:
        found[owners[node.position]].append(node)
    return Units({name: tuple(nodes) for name, nodes in found.items()}, by_layer, tuple(layers))


def _owners(nodes: Nodes, known: Mapping[int, str], head: str) -> dict[int, str]:
    """The unit of each operator by its position: one that has none goes with the first that reads it."""
    owners, read_by = dict(known), dict[int, str]()
    for node in reversed(nodes):
        owners.setdefault(node.position, read_by.get(node.tensor, head))
        read_by.update(dict.fromkeys(node.reads, owners[node.position]))
    return owners


def matching_layers(layers: Sequence[str], name: str) -> list[str]:
    """The layer of that name, or all whose names start with it, up to an underscore.

    `OsteoEdgeError` if there is none, with the nearest name if one is near.

    >>> matching_layers(["block_1_expand", "block_1_project", "block_10_expand"], "block_1")
    ['block_1_expand', 'block_1_project']
    """
    found = [name] if name in layers else [one for one in layers if one.startswith(f"{name}_")]
    if not found:
        near = difflib.get_close_matches(name, [*layers, *_blocks(layers)], n=1)
        told = f"the nearest is {near[0]!r}" if near else f"they run from {layers[0]!r} to {layers[-1]!r}"
        raise OsteoEdgeError(f"mixed: the network has no layer {name!r}; {told}")
    return found


def find_named(units: Units, names: Sequence[str]) -> Layers:
    """The units of layers by name, or of blocks: `block_1` stands for `block_1_expand` and so on, not `block_10`.

    `OsteoEdgeError` for a name that the network does not have, and for a layer that conversion leaves nothing of.
    """
    return frozenset(unit for name in names for unit in _named(units, name))


def choose_units(
    units: Units,
    noise: Mapping[str, float],
    attempt: Callable[[Layers], Trial],
    *,
    share: float,
    difference: float,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Layers:
    """Keep in floating point what most lowers the error of the logits for an operator that is no longer int8.

    Greedily, until the mean difference of probabilities is at most `difference`, or nothing within `share` of all
    operators lowers the error any more. `noise` is what each unit adds, of which the largest are tried; `attempt` makes
    and runs the model with some units in floating point. Gains of an earlier round are taken for what a candidate can
    gain at most (Minoux 1978), so that few are tried again.
    """
    limit = int(share * units.size(units.operators))
    noisiest = sorted(noise, key=lambda name: -noise[name])[:TRIED]
    gains = dict.fromkeys((units.with_readers(name) for name in noisiest), float("inf"))
    chosen, reached = Layers(), attempt(Layers())
    while reached.difference > difference:
        best: tuple[float, Layers, Trial] | None = None
        for candidate in sorted(gains, key=lambda one: -gains[one]):
            wanted = chosen | candidate
            if wanted == chosen or units.size(wanted) > limit:
                continue
            if best is not None and best[0] >= gains[candidate]:
                break
            found = attempt(wanted)
            gains[candidate] = (reached.error - found.error) / units.size(wanted - chosen)
            if best is None or gains[candidate] > best[0]:
                best = (gains[candidate], wanted, found)
        if best is None or best[0] <= 0:
            break
        _, chosen, reached = best
        on_progress(units.size(chosen), limit)
    return chosen


def _named(units: Units, name: str) -> list[str]:
    found = [units.by_layer[one] for one in matching_layers(units.layers, name) if one in units.by_layer]
    if not found:
        raise OsteoEdgeError(f"mixed: nothing is left of layer {name!r} in the converted network; name its neighbour")
    return found


def _blocks(layers: Sequence[str]) -> list[str]:
    """What the names of layers start with, up to each underscore."""
    words = [name.split("_") for name in layers]
    return list(dict.fromkeys("_".join(parts[:end]) for parts in words for end in range(1, len(parts))))
