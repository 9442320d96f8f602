"""Which tensors of a network are left in its int8 TFLite file.

The converter folds normalization and ReLU into the convolution before them, lets padding, pooling and joins write with
the scale of what they read, and takes activations other than ReLU for operators of their own.
"""

from typing import Any

CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense")
TAKES_RELU = (*CONVOLUTIONS, "BatchNormalization", "Add")
SAME_SCALE = (
    *("InputLayer", "ZeroPadding2D", "Reshape", "Flatten", "MaxPooling2D", "AveragePooling2D"),
    *("Dropout", "SpatialDropout2D"),
)
"""Layers that write with the scale of what they read, or do nothing outside training."""
SIGMOIDS = ("sigmoid", "swish")
"""Activations that are computed by a sigmoid."""


def is_written(layer: Any) -> bool:
    """Whether the output of a functional model's layer is a tensor of its own, with a range of its own."""
    kind, readers = type(layer).__name__, _readers(layer)
    if kind in SAME_SCALE or is_laid_out(layer):
        return False
    if len(readers) != 1:
        return True
    (reader,) = readers
    if type(reader).__name__ == "Concatenate":
        return is_laid_out(reader)
    if activation_of(layer) != "linear":
        return True
    folded = kind in CONVOLUTIONS and type(reader).__name__ == "BatchNormalization"
    return not folded and not (kind in TAKES_RELU and _is_relu(reader))


def is_laid_out(layer: Any) -> bool:
    """Whether the layer joins features for the head, which conversion lays out as a sum over the parts instead."""
    readers = [type(reader).__name__ for reader in _readers(layer)]
    return type(layer).__name__ == "Concatenate" and readers == ["SpatialDropout2D"]


def activation_of(layer: Any) -> str:
    """The name of the activation that the layer ends in, "linear" if in none."""
    return str(getattr(getattr(layer, "activation", None), "__name__", "linear"))


def ends_in_sigmoid(layer: Any) -> bool:
    """Whether the layer is a convolution and, in int8, a sigmoid behind it: what lies between is written too."""
    return type(layer).__name__ in CONVOLUTIONS and activation_of(layer) in SIGMOIDS


def read_by(layer: Any) -> str:
    """The activation that alone reads what the layer gives, "linear" if other layers do."""
    readers = _readers(layer)
    alone = len(readers) == 1 and type(readers[0]).__name__ == "Activation"
    return activation_of(readers[0]) if alone else "linear"


def _readers(layer: Any) -> list[Any]:
    return [node.outbound_layer for node in layer.outbound_nodes]


def _is_relu(layer: Any) -> bool:
    return type(layer).__name__ == "ReLU" or activation_of(layer) in ("relu", "relu6")
