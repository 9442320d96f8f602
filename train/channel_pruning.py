"""Remove whole channels, so that a network becomes smaller and faster on every runtime."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec, Tensor, normalize
from osteo_edge.train.channel_criteria import Criterion, Worths, judge_channels
from osteo_edge.train.channel_groups import ChannelGroups, Group, find_groups
from osteo_edge.train.channel_work import Work, count_work
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.objectives import Targets, label_targets

Budget = Literal["channels", "macs"]
Kept = dict[int, npt.NDArray[np.intp]]

STEP = 16
"""Channels are left in multiples of this: int8 kernels compute 16 outputs at once, so 8 more take as long as 16."""
NARROW, NARROW_STEP = 64, 8
"""Groups of fewer channels than `NARROW` are left in multiples of `NARROW_STEP`."""
FLOOR_SHARE = 0.125
"""Of a group's channels at least this much stays, so that no layer is cut off."""
STREAMS_FROM = 0.5
"""Above this amount the residual streams, which all blocks of a stage share, are narrowed too."""
BATCH_SIZE = 16
RANKING_IMAGES = 256
LARGEST_MISS = 0.05
TITLES: Mapping[Budget, str] = {"channels": "channels", "macs": "multiply-accumulates"}


@dataclass(frozen=True)
class Removal:
    """What was removed: channels are counted in the groups that may be narrowed, MACs in the whole network."""

    channels_before: int
    channels_after: int
    macs_before: int
    macs_after: int

    def share(self, of: Budget) -> float:
        """The share of the channels, or of the multiply-accumulates, that is gone."""
        if of == "macs":
            return 1 - self.macs_after / max(1, self.macs_before)
        return 1 - self.channels_after / max(1, self.channels_before)


def prune_channels(
    model: Any, criterion: Criterion, amount: float, of: Budget, train: Labelled, spec: InputSpec, config: TrainConfig
) -> tuple[Any, Removal]:
    """A narrower copy of the network without `amount` of its channels or of its work, and what was removed.

    `OsteoEdgeError` for a network with layers that are not understood, or of which so much cannot be removed.
    """
    found = find_groups(model)
    work = count_work(model, found)
    worths = judge_channels(criterion, model, found, _batches(train, spec, config), config)
    if criterion == "taylor":
        worths = by_cost(worths, work)
    kept, removal = choose_channels(found, work, worths, amount, of)
    return narrow(model, found, kept), removal


def by_cost(worths: Worths, work: Work) -> Worths:
    """What the channels are worth for the time that goes with them: what is dear has to be worth more.

    Removing the lowest first is the greedy way to lose least for the time that is saved. The worths must be in one
    unit: of those that are relative to their group, costs, a hundred times apart, would leave nothing.
    """
    cost = work.cost_per_channel()
    return {number: worth / cost[number] for number, worth in worths.items()}


def choose_channels(
    found: ChannelGroups, work: Work, worths: Worths, amount: float, of: Budget
) -> tuple[Kept, Removal]:
    """The channels to keep in each group that is to be narrowed, and what is then removed.

    Ranked across the groups; how many of the lowest fall is searched for, since a group's number is rounded. Groups
    without `worths` stay whole.
    """
    groups = {n: group for n, group in enumerate(found.groups) if n in worths and _may_fall(group, amount)}
    if not groups:
        raise OsteoEdgeError("channel pruning: the network has no layer that can be narrower; use --method magnitude")

    def sizes(threshold: float) -> dict[int, int]:
        return {n: _size(group.channels, int((worths[n] >= threshold).sum())) for n, group in groups.items()}

    def removed(threshold: float) -> Removal:
        left = sizes(threshold)
        before = sum(group.channels for group in groups.values())
        return Removal(before, sum(left.values()), work.macs({}), work.macs(left))

    thresholds = np.sort(np.concatenate([worths[number] for number in groups]))
    place = bisect_left(thresholds, amount, key=lambda threshold: removed(threshold).share(of))
    threshold = thresholds[min(place, thresholds.size - 1)]
    removal = removed(threshold)
    _check(removal, amount, of)
    kept = {n: np.sort(np.argsort(-worths[n], kind="stable")[:size]) for n, size in sizes(threshold).items()}
    return kept, removal


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
    if group.is_fixed or not group.readers or group.channels <= NARROW_STEP:
        return False
    return amount > STREAMS_FROM or not group.is_stream


def _size(channels: int, above: int) -> int:
    """The nearest multiple of the step, at least the floor and at most all."""
    step = NARROW_STEP if channels < NARROW else STEP
    floor = max(step, int(np.ceil(FLOOR_SHARE * channels / step)) * step)
    return min(channels, max(floor, round(above / step) * step))


def _check(removal: Removal, amount: float, of: Budget) -> None:
    reached = removal.share(of)
    if reached < amount - LARGEST_MISS:
        raise OsteoEdgeError(
            f"channel pruning: only {reached:.0%} of the {TITLES[of]} can be removed, not {amount:.0%}, if every "
            "layer is to keep some; give a lower --amount"
        )


def _batches(train: Labelled, spec: InputSpec, config: TrainConfig) -> Iterable[tuple[Tensor, Targets]]:
    """Training images as they are, chosen by the seed, with the targets they are trained on."""
    order = np.random.default_rng([config.seed, len(train)]).permutation(len(train))[:RANKING_IMAGES]
    targets = label_targets(train.classes, len(train.labels), config)
    for start in range(0, order.size, BATCH_SIZE):
        numbers = np.sort(order[start : start + BATCH_SIZE])
        yield normalize(train.planes(numbers), spec), targets[numbers]
