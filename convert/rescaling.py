"""Give the channels that a swish reads like ranges, so that one int8 scale for all of them wastes less.

In EfficientNet-B0 the widest channel of a tensor spans a hundred times what the narrowest does, and the depthwise
convolution behind multiplies the narrow ones up again, their rounding errors with them: that is what breaks its int8
form, in the first three blocks above all. A swish is not homogeneous, so equalization as for linear tensors does not
carry over. But it is a product: let x' = x / c for each channel, written so by the normalization; then
x' * sigmoid(c * x') = swish(x) / c, and the readers' weights take c. The sigmoid alone reads c * x', rounded as
coarsely as before, which its flat slope forgives. It costs one multiplication by a constant for each swish.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.activation_layout import SWISH, activation_of, lay_out
from osteo_edge.convert.graph import readers_of, walk
from osteo_edge.preprocessing import InputSpec, Pixels, normalize

Floats = npt.NDArray[np.float32]
STEPS = 127
LOWEST = 2.0
"""How far below zero a swish's input still counts as range: below, the output is next to nothing."""
NARROWEST = 0.01
CHANNELWISE = ("ZeroPadding2D", "GlobalAveragePooling2D", "Reshape", "Multiply", "Dropout", "SpatialDropout2D")
"""Layers that keep channels apart, and what a channel is multiplied with."""


@dataclass(frozen=True, eq=False)
class Place:
    """A swish, the batch normalization that writes its input, and the convolutions that read its output."""

    swish: Any
    writer: Any
    readers: tuple[Any, ...]


def rescale(model: Any, planes: Pixels, spec: InputSpec) -> Any:
    """A copy of the model, laid out (`lay_out`), with the channels of every swish that allows it rescaled.

    It computes what the model does; a model without such a swish is laid out only. `planes` are prepared training
    images, (n, height, width) in [0, 1].
    """
    places = list(find_places(model))
    ranges: dict[int, Floats] = {}
    wanted = {id(place.writer.output) for place in places}

    def note(layer: Any, output: Any) -> None:
        if id(layer.output) in wanted:
            ranges[id(layer.output)] = _ranges(output)

    if places:
        walk(model, normalize(np.asarray(planes), spec), after=note)
    factors = {place.swish.name: _factors(ranges[id(place.writer.output)]) for place in places}
    changed = lay_out(model, factors)
    for place in places:
        _apply(place, factors[place.swish.name], changed)
    return changed


def find_places(model: Any) -> Iterator[Place]:
    """The swishes behind a batch normalization whose readers, however far behind, are convolutions."""
    by_output = {id(layer.output): layer for layer in model.layers}
    readers = readers_of(model)
    ends = {id(output) for output in model.outputs}
    for layer in model.layers:
        if type(layer).__name__ != "Activation" or activation_of(layer) != SWISH:
            continue
        writer = by_output[id(layer.input)]
        found = _convolutions_behind(layer, readers, ends)
        if type(writer).__name__ == "BatchNormalization" and len(writer.outbound_nodes) == 1 and found is not None:
            yield Place(layer, writer, found)


def _convolutions_behind(layer: Any, readers: dict[int, list[Any]], ends: set[int]) -> tuple[Any, ...] | None:
    """The convolutions that the layer's channels reach; None where something else reads them."""
    found: dict[str, Any] = {}
    left = [layer]
    while left:
        here = left.pop()
        if id(here.output) in ends:
            return None
        for reader in readers[id(here.output)]:
            kind = type(reader).__name__
            if kind in CHANNELWISE:
                left.append(reader)
            elif kind in ("Conv2D", "DepthwiseConv2D"):
                found[reader.name] = reader
            else:
                return None
    return tuple(found.values()) or None


def _ranges(output: Any) -> Floats:
    """How far each channel reaches, (channels,), what lies below `LOWEST` under zero left out."""
    rows = np.asarray(output, np.float32).reshape(-1, output.shape[-1])
    return np.asarray(np.maximum(rows.max(axis=0), np.minimum(-rows.min(axis=0), LOWEST)))


def _factors(ranges: Floats) -> Floats:
    """What each channel is divided by, at most 1: whole 127ths, which int8 holds exactly."""
    share = np.maximum(ranges / ranges.max(), NARROWEST)
    return np.asarray(np.ceil(STEPS * share * (1 - 1e-6)) / STEPS, np.float32)


def _apply(place: Place, factors: Floats, model: Any) -> None:
    """Divide in the writer and multiply in the readers, of the copy `model`."""
    writer = model.get_layer(place.writer.name)
    gamma, beta, mean, variance = writer.get_weights()
    writer.set_weights([gamma / factors, beta / factors, mean, variance])
    for found in place.readers:
        reader = model.get_layer(found.name)
        kernel, *bias = reader.get_weights()  # (height, width, channels, outputs), or a depthwise (..., channels, 1)
        reader.set_weights([kernel * factors[:, np.newaxis], *bias])
