"""Lay a network out so that each of its tensors that becomes int8 is the output of a layer of its own.

Keras hides some: `swish` is a product with a sigmoid, and a convolution may hold either. TensorFlow Lite computes them
one by one and rounds each to its own range, so whoever studies or changes the ranges must see them.

A product with a sigmoid also allows what a swish does not: the sigmoid may read its channels at another scale than the
product does (`gates`), so that the tensor between convolutions can have channels of like ranges (`rescaling`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.graph import sources_of
from osteo_edge.convert.keras import load_tensorflow

Floats = npt.NDArray[np.float32]
SIGMOID, SWISH = "sigmoid", "swish"
GATE_SUFFIX, SIGMOID_SUFFIX = "_gate", "_sigmoid"


def lay_out(model: Any, gates: Mapping[str, Floats] | None = None) -> Any:
    """A copy of a functional model with activations as layers of their own; it computes the same.

    `gates` holds, by the name of an Activation layer that is a swish, what its sigmoid's input is multiplied with,
    (channels,). The product keeps the name of the layer; an activation within a convolution gets the
    convolution's name with its own behind.
    """
    _, keras = load_tensorflow()
    start = keras.Input(model.input_shape[1:], name=model.input_names[0])
    tensors = {id(model.input): start}
    for layer in model.layers:
        if sources := sources_of(layer):
            found = [tensors[id(source)] for source in sources]
            tensor = found if len(found) > 1 else found[0]
            tensors[id(layer.output)] = _laid_out(layer, tensor, gates or {})
    return keras.Model(start, [tensors[id(output)] for output in model.outputs], name=model.name)


def activation_of(layer: Any) -> str | None:
    """The name of the activation that a layer applies, None if it applies none."""
    activation = getattr(layer, "activation", None)
    name = None if activation is None else str(activation.__name__)
    return None if name == "linear" else name


def _laid_out(layer: Any, tensor: Any, gates: Mapping[str, Floats]) -> Any:
    kind, activation = type(layer).__name__, activation_of(layer)
    if kind == "Activation" and activation == SWISH:
        return _swish(tensor, layer.name, gates.get(layer.name))
    if kind == "Activation" or activation is None:
        return _copy(layer, tensor)
    linear = _copy(layer, tensor, activation="linear")
    name = f"{layer.name}_{activation}"
    return _swish(linear, name, None) if activation == SWISH else _activation(activation, name)(linear)


def _copy(layer: Any, tensor: Any, **changes: Any) -> Any:
    copy = type(layer).from_config({**layer.get_config(), **changes})
    output = copy(tensor)
    copy.set_weights(layer.get_weights())
    return output


def _swish(tensor: Any, name: str, gate: Floats | None) -> Any:
    _, keras = load_tensorflow()
    read = tensor if gate is None else _channel_scale(gate, name + GATE_SUFFIX)(tensor)
    sigmoid = _activation(SIGMOID, name + SIGMOID_SUFFIX)(read)
    return keras.layers.Multiply(name=name)([tensor, sigmoid])


def _activation(kind: str, name: str) -> Any:
    _, keras = load_tensorflow()
    return keras.layers.Activation(kind, name=name)


def _channel_scale(factors: Floats, name: str) -> Any:
    """A layer that multiplies each channel with a constant."""
    _, keras = load_tensorflow()
    constant = np.asarray(factors, np.float32)
    return keras.layers.Lambda(lambda tensor: tensor * constant, name=name)
