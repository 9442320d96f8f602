"""Which channels of a network belong together: what writes them, what reads them, and where else they are.

Batch normalization, activations, depthwise convolutions, additions and products hand each channel on as itself, so a
channel that is removed at one of them is removed at all. Only plain convolutions begin and end such a group.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from osteo_edge.errors import OsteoEdgeError

HANDED_ON = (
    "Activation",
    "Add",
    "BatchNormalization",
    "DepthwiseConv2D",
    "Dropout",
    "GlobalAveragePooling2D",
    "Multiply",
    "ReLU",
    "Reshape",
    "SpatialDropout2D",
    "ZeroPadding2D",
)
"""Kinds of layers whose channels are those of what they take."""


@dataclass(frozen=True)
class Group:
    """Channels that stand or fall together, in all tensors of the group; `readers` are names of convolutions.

    `is_stream`: additions tie several blocks together here. `is_fixed`: the image itself, or an answer.
    """

    channels: int
    readers: tuple[str, ...]
    is_stream: bool
    is_fixed: bool


@dataclass(frozen=True, eq=False)
class ChannelGroups:
    """All groups of a network, and the number of the group of each layer's input and output by the layer's name."""

    groups: tuple[Group, ...]
    inputs: dict[str, int]
    outputs: dict[str, int]


def find_groups(model: Any) -> ChannelGroups:
    """The groups of a functional Keras model; `OsteoEdgeError` names the first layer that is not understood."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    for layer in layers:
        _check(layer)
    tied = _tied(model, layers)
    numbers = {tensor: number for number, tensors in enumerate(tied) for tensor in tensors}
    fixed = {numbers[id(tensor)] for tensor in (model.input, *model.outputs)}
    inputs = {layer.name: numbers[id(sources_of(layer)[0])] for layer in layers}
    outputs = {layer.name: numbers[id(layer.output)] for layer in layers}
    widths, readers, streams = dict[int, int](), defaultdict[int, list[str]](list), set[int]()
    for layer in layers:
        widths[inputs[layer.name]] = int(sources_of(layer)[0].shape[-1])
        widths[outputs[layer.name]] = int(layer.output.shape[-1])
        if type(layer).__name__ == "Conv2D":
            readers[inputs[layer.name]].append(layer.name)
        if type(layer).__name__ == "Add":
            streams.add(outputs[layer.name])
    groups = (
        Group(widths[number], tuple(readers[number]), number in streams, number in fixed) for number in range(len(tied))
    )
    return ChannelGroups(tuple(groups), inputs, outputs)


def sources_of(layer: Any) -> list[Any]:
    """The tensors that the layer takes."""
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _check(layer: Any) -> None:
    kind = type(layer).__name__
    plain = kind in HANDED_ON or (kind == "Conv2D" and layer.groups == 1)
    if not plain or (kind == "DepthwiseConv2D" and layer.depth_multiplier != 1):
        raise OsteoEdgeError(
            f"channel pruning: does not know what {layer.name} ({kind}) does with channels; it knows the layers of "
            "mobilenet_v2, efficientnet_b0 and custom_cnn: choose --method magnitude, or train one of those"
        )


def _tied(model: Any, layers: list[Any]) -> list[set[int]]:
    """The tensors, by id, in sets that share their channels."""
    sets = [{id(model.input)}]
    for layer in layers:
        own = {id(layer.output)}
        if type(layer).__name__ != "Conv2D":
            own |= {id(source) for source in sources_of(layer)}
        touching = [found for found in sets if found & own]
        sets = [found for found in sets if not found & own] + [own.union(*touching)]
    return sets
