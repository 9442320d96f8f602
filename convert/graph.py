"""Walk a functional Keras model layer by layer."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from osteo_edge.preprocessing import Pixels


def walk(
    model: Any,
    tensor: Pixels,
    *,
    before: Callable[[Any, Any], None] = lambda layer, inputs: None,
    after: Callable[[Any, Any], None] = lambda layer, output: None,
) -> None:
    """Run a functional model layer by layer, each once, so that `before` may change a layer just before it runs.

    `before` is given the layer and its input, `after` the layer and its output. Values are dropped when the last
    layer that needs them has run.
    """
    values = {id(model.input): tensor}
    needed = Counter(id(source) for layer in model.layers for source in sources_of(layer))
    for layer in model.layers:
        sources = sources_of(layer)
        if not sources:
            continue
        inputs = [values[id(source)] for source in sources]
        before(layer, inputs[0])
        output = layer(inputs if len(inputs) > 1 else inputs[0])
        after(layer, output)
        values[id(layer.output)] = output
        needed.subtract(map(id, sources))
        for source in sources:
            if needed[id(source)] == 0:
                values.pop(id(source), None)


def sources_of(layer: Any) -> list[Any]:
    """The tensors that the layer takes; none for an input layer."""
    if type(layer).__name__ == "InputLayer":
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]
