"""Give the tensors of a converted network the ranges that are known for the layers that write them."""

from collections.abc import Mapping

from osteo_edge.convert.operators import Operators
from osteo_edge.convert.ranges import SMALLEST_WIDTH, Ends


def with_known(ranges: Mapping[str, Ends], known: Mapping[str, Ends], operators: Operators) -> dict[str, Ends]:
    """The `ranges` of tensors by name, and in their place those `known` of layers' outputs, by the layer's name.

    A layer with an activation of its own may be several operators: the last one writes its output. A layer that left no
    operator has no tensor either, and is passed over.
    """
    written = {operators.by_layer[name][-1].name: ends for name, ends in known.items() if operators.by_layer.get(name)}
    return {**ranges, **{tensor: _with_zero(*ends) for tensor, ends in written.items()}}


def _with_zero(low: float, high: float) -> Ends:
    """Integers must hit 0 exactly: padding is made of it."""
    low = min(low, 0.0)
    return low, max(high, low + SMALLEST_WIDTH, 0.0)
