"""Remove whole channels, so that a network becomes smaller and faster on every runtime.

What a channel is worth is the loss that its removal would cost, to first order (Molchanov et al. 2019, arXiv
1906.10771, equation 8): the square of the sum of weight times gradient over all weights that read it. It needs no
sparsity training, and is of one scale in all layers, so that channels are ranked across the network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec, Tensor, normalize
from osteo_edge.train.channel_groups import ChannelGroups, Group, find_groups
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.objectives import Targets, example_losses, label_targets

Floats = npt.NDArray[np.float64]
Kept = dict[int, npt.NDArray[np.intp]]

STEP = 8
"""Channels are left in multiples of this, which is how wide kernels for int8 and float32 compute."""
FLOOR_SHARE = 0.125
"""Of a group's channels at least this much stays, so that no layer is cut off."""
STREAMS_FROM = 0.5
"""Above this amount the residual streams, which all blocks of a stage share, are narrowed too."""
BATCH_SIZE = 16
RANKING_IMAGES = 256
LARGEST_MISS = 0.05


@dataclass(frozen=True)
class Removal:
    """What was removed: the share of the channels that could have been, and their numbers before and after."""

    reached: float
    channels_before: int
    channels_after: int


def prune_channels(
    model: Any, amount: float, train: Labelled, spec: InputSpec, config: TrainConfig
) -> tuple[Any, Removal]:
    """A narrower copy of the network without `amount` of its channels, those that the training images need least.

    `OsteoEdgeError` for a network with layers that are not understood, or of which so much cannot be removed.
    """
    found = find_groups(model)
    scores = importances(model, found, _batches(train, spec, config), config)
    kept, removal = choose_channels(found, scores, amount)
    return narrow(model, found, kept), removal


def importances(
    model: Any, found: ChannelGroups, batches: Iterable[tuple[Tensor, Targets]], config: TrainConfig
) -> list[Floats]:
    """What each channel of each group is worth, (channels,), as the mean over batches; zeros for fixed groups."""
    tensorflow, _ = load_tensorflow()
    names = [(number, name) for number, group in enumerate(found.groups) for name in group.readers]
    kernels = [model.get_layer(name).kernel for _, name in names]
    scores = [np.zeros(group.channels) for group in found.groups]

    def products(images: Any, targets: Any) -> Any:
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            loss = tensorflow.reduce_mean(example_losses(targets, model(images, training=False)[0], config))
        return [kernel * slope for kernel, slope in zip(kernels, tape.gradient(loss, kernels), strict=True)]

    compiled, number_of_batches = tensorflow.function(products, reduce_retracing=True), 0
    for images, targets in batches:
        costs = [np.zeros(group.channels) for group in found.groups]
        for (number, _), product in zip(names, compiled(images, targets), strict=True):
            costs[number] += product.numpy().sum(axis=(0, 1, 3), dtype=np.float64)
        scores = [score + cost**2 for score, cost in zip(scores, costs, strict=True)]
        number_of_batches += 1
    return [score / max(1, number_of_batches) for score in scores]


def choose_channels(found: ChannelGroups, scores: Sequence[Floats], amount: float) -> tuple[Kept, Removal]:
    """The channels to keep in each group that is to be narrowed, and what share of all of them is then removed.

    Ranked across the groups; how many of the lowest fall is searched for, since a group's number is rounded.
    """
    numbers = [number for number, group in enumerate(found.groups) if _may_fall(group, amount)]
    everything = np.sort(np.concatenate([scores[number] for number in numbers])) if numbers else np.zeros(0)
    wanted = everything.size * (1 - amount)
    low, high = 0, everything.size
    while low < high:
        middle = (low + high) // 2
        if sum(_sizes(found, scores, numbers, everything[middle])) > wanted:
            low = middle + 1
        else:
            high = middle
    threshold = everything[min(low, everything.size - 1)] if everything.size else 0.0
    sizes = _sizes(found, scores, numbers, threshold)
    reached = 1 - sum(sizes) / max(1, everything.size)
    if reached < amount - LARGEST_MISS:
        raise OsteoEdgeError(
            f"channel pruning: only {reached:.0%} of the channels can be removed, not {amount:.0%}, if every layer "
            "is to keep some; give a lower --amount"
        )
    kept = {
        number: np.sort(np.argsort(-scores[number], kind="stable")[:size])
        for number, size in zip(numbers, sizes, strict=True)
    }
    return kept, Removal(float(reached), int(everything.size), sum(sizes))


def narrow(model: Any, found: ChannelGroups, kept: Kept) -> Any:
    """A copy of the model with the `kept` channels only, and their weights: what it would answer with the others at 0.

    The same names of layers, the same outputs.
    """
    _, keras = load_tensorflow()

    def copy(layer: Any) -> Any:
        settings = layer.get_config()
        number = found.outputs[layer.name]
        if number in kept and "filters" in settings:
            settings["filters"] = kept[number].size
        if number in kept and "target_shape" in settings:
            settings["target_shape"] = (*settings["target_shape"][:-1], kept[number].size)
        return type(layer).from_config(settings)

    made = keras.models.clone_model(model, clone_function=copy)
    for layer in model.layers:
        if layer.weights:
            weights = _sliced(layer, kept.get(found.inputs[layer.name]), kept.get(found.outputs[layer.name]))
            made.get_layer(layer.name).set_weights(weights)
    return made


def _sliced(layer: Any, read: npt.NDArray[np.intp] | None, written: npt.NDArray[np.intp] | None) -> list[Any]:
    """The layer's weights for the kept channels that it reads and writes; None keeps all."""
    weights = layer.get_weights()
    read = np.arange(layer.input_shape[-1]) if read is None else read
    written = np.arange(layer.output_shape[-1]) if written is None else written
    kind = type(layer).__name__
    if kind == "BatchNormalization":
        return [weight[written] for weight in weights]
    kernel, *bias = weights
    sliced = kernel[:, :, read] if kind == "DepthwiseConv2D" else kernel[:, :, read][..., written]
    return [sliced, *(weight[written] for weight in bias)]


def _may_fall(group: Group, amount: float) -> bool:
    if group.is_fixed or not group.readers or group.channels <= STEP:
        return False
    return amount > STREAMS_FROM or not group.is_stream


def _sizes(found: ChannelGroups, scores: Sequence[Floats], numbers: Sequence[int], threshold: float) -> list[int]:
    """How many channels each group keeps where those below the threshold fall."""
    return [_size(found.groups[number].channels, int((scores[number] >= threshold).sum())) for number in numbers]


def _size(channels: int, above: int) -> int:
    """The nearest multiple of `STEP`, at least the floor and at most all."""
    floor = max(STEP, int(np.ceil(FLOOR_SHARE * channels / STEP)) * STEP)
    return min(channels, max(floor, round(above / STEP) * STEP))


def _batches(train: Labelled, spec: InputSpec, config: TrainConfig) -> Iterable[tuple[Tensor, Targets]]:
    """Training images as they are, chosen by the seed, with the targets they are trained on."""
    order = np.random.default_rng([config.seed, len(train)]).permutation(len(train))[:RANKING_IMAGES]
    targets = label_targets(train.classes, len(train.labels), config)
    for start in range(0, order.size, BATCH_SIZE):
        numbers = np.sort(order[start : start + BATCH_SIZE])
        yield normalize(train.planes(numbers), spec), targets[numbers]
