"""How much a network computes when some of its channel groups are narrower."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osteo_edge.train.channel_groups import ChannelGroups
from osteo_edge.train.models import layer_macs

DEPTHWISE_COST = 10
"""A multiply-accumulate of a depthwise convolution takes about as long as this many others, since it is done but once
with what was fetched: 14 were measured over 31 widths of MobileNetV2 in int8 (LiteRT 2.3 with AVX-512)."""


@dataclass(frozen=True)
class LayerWork:
    """The multiply-accumulates of one layer, and the numbers of the groups that they are proportional to."""

    macs: int
    groups: tuple[int, ...]

    @property
    def cost(self) -> int:
        """Its time, in multiply-accumulates of a plain convolution."""
        is_depthwise = len(self.groups) == 1
        return self.macs * (DEPTHWISE_COST if is_depthwise else 1)


@dataclass(frozen=True)
class Work:
    """The work of a whole network for one image, and the widths of its groups, both before any channel is removed."""

    layers: tuple[LayerWork, ...]
    widths: tuple[int, ...]

    def macs(self, sizes: Mapping[int, int]) -> int:
        """Multiply-accumulates when groups have `sizes` channels by number of the group; others are whole."""
        total = 0
        for layer in self.layers:
            macs = layer.macs
            for number in layer.groups:
                macs = macs * sizes.get(number, self.widths[number]) // self.widths[number]
            total += macs
        return total

    def cost_per_channel(self) -> Mapping[int, float]:
        """What one channel fewer in a group saves in time, by number of the group, in multiply-accumulates."""
        saved = defaultdict[int, float](float)
        for layer in self.layers:
            for number in layer.groups:
                saved[number] += layer.cost / self.widths[number]
        return saved


def count_work(model: Any, found: ChannelGroups) -> Work:
    """The work of a network whose groups were found: that of a depthwise convolution grows with one width only."""
    layers = []
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            layers.append(LayerWork(layer_macs(layer), (found.inputs[layer.name], found.outputs[layer.name])))
        elif type(layer).__name__ == "DepthwiseConv2D":
            layers.append(LayerWork(layer_macs(layer), (found.outputs[layer.name],)))
    return Work(tuple(layers), tuple(group.channels for group in found.groups))
