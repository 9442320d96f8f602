"""Lay a head over taps out as a sum, a convolution for each tap, which computes the same and suits int8 better.

In training the taps stand side by side, by channel, under one 1x1 convolution. Converted like that, all taps share one
int8 range and one range of weights, though they differ by orders of magnitude. A convolution is linear: the parts of
the kernel can be applied to the taps one by one, and their maps be added up and averaged down together.

Regions stay masks on the features, not on the maps: what a region's kernel would make of the places outside it may be
a hundred times what it makes of its own, and would take the range. Additions one by one would each round to a range as
wide as the widest map's, at which what the others say is lost; a convolution adds them all up and rounds once.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.convert.graph import sources_of
from osteo_edge.convert.keras import load_tensorflow

Floats = npt.NDArray[np.float32]
Layers = dict[int, Any]
"""By the id of the tensor that they write."""
DROPOUT = ("Dropout", "SpatialDropout2D")


@dataclass(frozen=True, eq=False)
class Part:
    """What the head makes of one tap: `tensor` times `mask`, (height, width), averaged over squares of side `step`.

    `kernel` is (channels, labels).
    """

    tensor: Any
    mask: Floats
    step: int
    kernel: Floats


def split_heads(model: Any) -> Any:
    """The same function with each head over a concatenation laid out as a sum; the model itself if it has none.

    The backbone's layers are shared with `model`, the head's are new. The sum ends in a 1x1 convolution that has the
    head's name and bias, so that the logits remain the mean of a convolution's output.
    """
    _, keras = load_tensorflow()
    writers = {id(layer.output): layer for layer in model.layers}
    maps = {id(head.output): _sum(head, writers) for head in _heads(model, writers) if _is_tapped(head, writers)}
    if not maps:
        return model
    outputs = [_moved(output, maps, writers) for output in model.outputs]
    return keras.Model(model.input, outputs, name=model.name)


def _heads(model: Any, writers: Layers) -> list[Any]:
    """The convolutions that write an output of the model, or what an output is the mean of."""
    ends = [writers[id(output)] for output in model.outputs]
    found = [writers[id(end.input)] if type(end).__name__ == "GlobalAveragePooling2D" else end for end in ends]
    return [layer for layer in dict.fromkeys(found) if type(layer).__name__ == "Conv2D"]


def _is_tapped(head: Any, writers: Layers) -> bool:
    return head.kernel_size == (1, 1) and type(_features(head, writers)).__name__ == "Concatenate"


def _features(head: Any, writers: Layers) -> Any:
    """The layer that gives the head its features; dropout does nothing outside training."""
    layer = writers[id(head.input)]
    return writers[id(layer.input)] if type(layer).__name__ in DROPOUT else layer


def _moved(output: Any, maps: dict[int, Any], writers: Layers) -> Any:
    """The output in the new graph: a map, the mean of a map, or what it was."""
    if id(output) in maps:
        return maps[id(output)]
    end = writers[id(output)]
    if id(end.input) not in maps:
        return output
    return type(end).from_config(end.get_config())(maps[id(end.input)])


def _sum(head: Any, writers: Layers) -> Any:
    """The head's output, computed tap by tap: taps of one grid are added up and averaged down together."""
    maps: defaultdict[int, list[Any]] = defaultdict(list)
    for step, parts in _by_tensor(_parts(head, writers)):
        maps[step] += _maps(parts)
    _, bias = head.get_weights()
    coarse = maps.pop(1, []) + [_averaged_sum(fine, step) for step, fine in maps.items()]
    return _averaged_sum(coarse, 1, bias, name=head.name)


def _averaged_sum(maps: list[Any], step: int, bias: Floats | None = None, *, name: str | None = None) -> Any:
    """The sum of the maps and the bias, averaged over squares of side `step`, in one convolution."""
    _, keras = load_tensorflow()
    joined = keras.layers.Concatenate()(maps) if len(maps) > 1 else maps[0]
    kernel = np.tile(np.eye(maps[0].shape[-1]), (step, step, len(maps), 1)) / step**2
    return _convolved(joined, kernel, bias, name=name)


def _parts(head: Any, writers: Layers) -> list[Part]:
    tensors = sources_of(_features(head, writers))
    kernel = head.get_weights()[0][0, 0]
    ends = np.cumsum([tensor.shape[-1] for tensor in tensors])[:-1]
    return [_part(*each, writers) for each in zip(tensors, np.split(kernel, ends), strict=True)]


def _part(tensor: Any, kernel: Floats, writers: Layers) -> Part:
    """Follow a tap back over the layers that averaged it down and cut a region out."""
    step, writer = 1, writers[id(tensor)]
    if type(writer).__name__ == "AveragePooling2D" and writer.pool_size == writer.strides == (writer.strides[0],) * 2:
        step, tensor = writer.strides[0], writer.input
        writer = writers[id(tensor)]
    height, width = tensor.shape[1:3]
    if type(writer).__name__ == "Rescaling" and np.shape(writer.scale) == (height, width, 1):
        return Part(writer.input, np.asarray(writer.scale, np.float32)[..., 0], step, kernel)
    return Part(tensor, np.ones((height, width), np.float32), step, kernel)


def _by_tensor(parts: list[Part]) -> list[tuple[int, list[Part]]]:
    """The parts of each tensor together, with the step that they have in common."""
    groups = defaultdict(list)
    for part in parts:
        groups[part.step, id(part.tensor)].append(part)
    return [(step, group) for (step, _), group in groups.items()]


def _maps(parts: list[Part]) -> list[Any]:
    """What the parts of one tensor give, (1, height, width, labels) each; the maps are still to be added up.

    Places that the same masks cover see one kernel, the sum of the parts' kernels.
    """
    tensor, shape = parts[0].tensor, parts[0].mask.shape
    masks = np.stack([part.mask.ravel() for part in parts])
    patterns, which = np.unique(masks, axis=1, return_inverse=True)
    kernels = np.einsum("pk,pcl->kcl", patterns, np.stack([part.kernel for part in parts]))
    if len(kernels) == 1:
        return [_pointwise(tensor, kernels[0])]
    places = [(which == number).reshape(*shape, 1) for number in range(len(kernels))]
    return [_pointwise(_masked(tensor, place), kernel) for place, kernel in zip(places, kernels, strict=True)]


def _masked(tensor: Any, places: npt.NDArray[np.bool_]) -> Any:
    _, keras = load_tensorflow()
    return keras.layers.Rescaling(places.astype(np.float32))(tensor)


def _pointwise(tensor: Any, kernel: Floats) -> Any:
    return _convolved(tensor, kernel[np.newaxis, np.newaxis])


def _convolved(
    tensor: Any, kernel: npt.NDArray[np.floating], bias: Floats | None = None, *, name: str | None = None
) -> Any:
    """A convolution with `kernel`, (side, side, inputs, outputs), square by square."""
    _, keras = load_tensorflow()
    side, _, _, outputs = kernel.shape
    layer = keras.layers.Conv2D(outputs, side, strides=side, name=name)
    output = layer(tensor)
    layer.set_weights([kernel, np.zeros(outputs) if bias is None else bias])
    return output
