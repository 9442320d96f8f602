"""Give the channels of a network's linear tensors like ranges, so that one int8 scale for all of them wastes less.

The narrow ends of MobileNetV2's blocks have no activation, and are read by 1x1 convolutions and additions only: a
channel can be made smaller there and its readers' weights larger, and the network computes what it did before
(cross-layer equalization, Nagel et al. 2019). The scale is the square root of the channel's share of the range: all of
it would only move the trouble into the weights.

The maps of a head over taps (`tapped_head`) stand side by side before they are added up: they are given the same range.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.graph import readers_of, sources_of, walk
from osteo_edge.preprocessing import InputSpec, Pixels, normalize

Floats = npt.NDArray[np.float32]
POWER = 0.5
STEPS = 127
SMALLEST = 1e-3


@dataclass(frozen=True, eq=False)
class Chain:
    """Linear tensors that additions tie to one scale a channel, with the layers that write and read them."""

    tensors: tuple[int, ...]
    writers: tuple[Any, ...]
    readers: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Join:
    """Linear convolutions whose outputs are joined for nothing but the convolution `reader`."""

    writers: tuple[Any, ...]
    reader: Any


def equalize(model: Any, planes: Pixels, spec: InputSpec) -> None:
    """Equalize every chain and join in place; `planes` are prepared training images, (n, height, width) in [0, 1]."""
    ranges: dict[int, Floats] = {}
    walk(
        model,
        normalize(np.asarray(planes), spec),
        after=lambda layer, output: ranges.update({id(layer.output): _largest(output)}),
    )
    for chain in find_chains(model):
        _rescale(chain, np.max([ranges[tensor] for tensor in chain.tensors], axis=0))
    for join in find_joins(model):
        _level(join, np.concatenate([ranges[id(writer.output)] for writer in join.writers]))


def find_chains(model: Any) -> list[Chain]:
    """The sets of tensors that normalizations and additions write and only 1x1 convolutions and additions read."""
    readers = readers_of(model)
    ends = {id(output) for output in model.outputs}
    chains = (_chain(tensors, model, readers) for tensors in _tied(model))
    return [chain for chain in chains if chain is not None and chain.readers and ends.isdisjoint(chain.tensors)]


def find_joins(model: Any) -> list[Join]:
    """The convolutions that read a concatenation of linear convolutions which nothing else reads."""
    by_output = {id(layer.output): layer for layer in model.layers}
    joins = []
    for reader in model.layers:
        joined = by_output.get(id(reader.input)) if type(reader).__name__ == "Conv2D" else None
        if joined is None or type(joined).__name__ != "Concatenate" or len(joined.outbound_nodes) > 1:
            continue
        writers = tuple(by_output[id(source)] for source in sources_of(joined))
        if all(_is_linear(writer) and len(writer.outbound_nodes) == 1 for writer in writers):
            joins.append(Join(writers, reader))
    return joins


def _is_linear(layer: Any) -> bool:
    return type(layer).__name__ == "Conv2D" and layer.use_bias and layer.activation.__name__ == "linear"


def _tied(model: Any) -> list[set[int]]:
    """The outputs of batch normalizations and additions, those that additions tie together in one set."""
    sets: list[set[int]] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in ("BatchNormalization", "Add"):
            continue
        tensors = {id(layer.output)} | ({id(source) for source in sources_of(layer)} if kind == "Add" else set())
        touching = [found for found in sets if found & tensors]
        sets = [found for found in sets if not found & tensors] + [tensors.union(*touching)]
    return sets


def _chain(tensors: set[int], model: Any, readers: dict[int, list[Any]]) -> Chain | None:
    writing = [layer for layer in model.layers if id(layer.output) in tensors]
    reading = [layer for tensor in tensors for layer in readers[tensor]]
    norms = [layer for layer in writing if type(layer).__name__ == "BatchNormalization"]
    plain = [layer for layer in reading if type(layer).__name__ != "Add"]
    whole = len(tensors) == len(writing) and all(
        type(layer).__name__ in ("BatchNormalization", "Add") for layer in writing
    )
    pointwise = all(type(layer).__name__ == "Conv2D" and layer.kernel_size == (1, 1) for layer in plain)
    if not (whole and pointwise and plain):
        return None
    unique = {layer.name: layer for layer in plain}
    return Chain(tuple(tensors), tuple(norms), tuple(unique.values()))


def _rescale(chain: Chain, largest: Floats) -> None:
    share = np.maximum(largest / max(float(largest.max()), SMALLEST), SMALLEST) ** POWER
    scale = share.astype(np.float32)
    for norm in chain.writers:
        gamma, beta, mean, variance = norm.get_weights()
        norm.set_weights([gamma / scale, beta / scale, mean, variance])
    for reader in chain.readers:
        kernel, *rest = reader.get_weights()
        reader.set_weights([kernel * scale[:, np.newaxis], *rest])


def _level(join: Join, largest: Floats) -> None:
    """Bring each joined channel to [-1, 1]; a reader that only adds gets weights that lie on its int8 grid.

    Scales are whole numbers of 127ths of the largest that goes into the same output, never less than the channel needs.
    """
    kernel, *bias = join.reader.get_weights()
    goes_to = np.abs(kernel).max(axis=(0, 1)).argmax(axis=1)
    top = np.array([largest[goes_to == output].max(initial=SMALLEST) for output in goes_to])
    scale = np.maximum(np.ceil(STEPS * largest / top * (1 - SMALLEST)), 1.0) / STEPS * top
    join.reader.set_weights([kernel * scale[:, np.newaxis], *bias])
    ends = np.cumsum([writer.filters for writer in join.writers])[:-1]
    for writer, share in zip(join.writers, np.split(scale, ends), strict=True):
        writer.set_weights([weight / share for weight in writer.get_weights()])


def _largest(output: Any) -> Floats:
    values = np.abs(np.asarray(output, np.float32))
    return np.asarray(values.reshape(-1, values.shape[-1]).max(axis=0))
