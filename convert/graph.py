"""Walk a functional Keras model layer by layer."""

from collections import Counter, defaultdict
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

    def step(layer: Any, inputs: list[Any]) -> Any:
        before(layer, inputs[0])
        output = call(layer, inputs)
        after(layer, output)
        return output

    traverse(model, tensor, step)


def traverse(model: Any, start: Any, step: Callable[[Any, list[Any]], Any]) -> None:
    """Go through a functional model's layers in order; `step` makes a layer's value of the values that it reads.

    `start` is the value of the input. Values are dropped when the last layer that needs them has run.
    """
    values = {id(model.input): start}
    needed = Counter(id(source) for layer in model.layers for source in sources_of(layer))
    for layer in model.layers:
        sources = sources_of(layer)
        if not sources:
            continue
        values[id(layer.output)] = step(layer, [values[id(source)] for source in sources])
        needed.subtract(map(id, sources))
        for source in sources:
            if needed[id(source)] == 0:
                values.pop(id(source), None)


def call(layer: Any, inputs: list[Any]) -> Any:
    """What the layer makes of the tensors that it takes."""
    return layer(inputs if len(inputs) > 1 else inputs[0])


def readers_of(model: Any) -> dict[int, list[Any]]:
    """The layers that take a tensor, by the tensor's id."""
    readers = defaultdict(list)
    for layer in model.layers:
        for source in sources_of(layer):
            readers[id(source)].append(layer)
    return readers


def sources_of(layer: Any) -> list[Any]:
    """The tensors that the layer takes; none for an input layer."""
    if type(layer).__name__ == "InputLayer":
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]
