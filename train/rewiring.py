"""Lay a functional Keras model onto another tensor, from its input or from a layer on, with its weights."""

from typing import Any


def rewire(model: Any, tensor: Any, *, start: str | None = None, prefix: str = "") -> Any:
    """Copy the model's layers from `start` on (None: all) so that `tensor` runs through them; returns their output.

    Each copy has its original's weights and its name behind `prefix`. The originals stay as they are: a layer that is
    called twice has no input of its own any more.
    """
    source = model.input if start is None else model.get_layer(start).input
    copied = {id(source): tensor}
    for layer in model.layers:
        sources = _sources(layer)
        if not sources or any(id(source) not in copied for source in sources):
            continue
        found = [copied[id(source)] for source in sources]
        copy = type(layer).from_config({**layer.get_config(), "name": prefix + layer.name})
        copied[id(layer.output)] = copy(found if len(found) > 1 else found[0])
        copy.set_weights(layer.get_weights())
    return copied[id(model.output)]


def _sources(layer: Any) -> list[Any]:
    """The tensors that the layer takes; none for an input layer."""
    if type(layer).__name__ == "InputLayer":
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]
