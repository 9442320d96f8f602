"""What the channels of a network are worth, by three criteria; a higher number is worth more.

taylor: the loss that the removal would cost, to first order (Molchanov et al. 2019, arXiv 1906.10771, equation 8): the
square of the sum of weight times gradient over all weights that read the channel. Of one unit in all layers; it needs
labelled images, but no sparsity training.
l1: the sum of the absolute weights that write the channel (Li et al. 2017, arXiv 1608.08710), as a multiple of the
mean of its group.
bn-scale: the mean absolute scale of the batch normalizations that the channel passes (Liu et al. 2017, arXiv
1708.06519, who train with a penalty on it first; without that it says less).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import Tensor
from osteo_edge.train.channel_groups import ChannelGroups
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.objectives import Targets, example_losses

Criterion = Literal["taylor", "l1", "bn-scale"]
Floats = npt.NDArray[np.float64]
Worths = Mapping[int, Floats]
"""(channels,) of each group that the criterion can judge, by the number of the group."""
Batches = Iterable[tuple[Tensor, Targets]]


def judge_channels(
    criterion: Criterion, model: Any, found: ChannelGroups, batches: Batches, config: TrainConfig
) -> Worths:
    """What each channel is worth by the criterion; `batches` are read for "taylor" only."""
    if criterion == "l1":
        return _absolute_weights(model, found)
    if criterion == "bn-scale":
        return _absolute_scales(model, found)
    return _losses_of_removal(model, found, batches, config)


def _losses_of_removal(model: Any, found: ChannelGroups, batches: Batches, config: TrainConfig) -> Worths:
    """Taylor's criterion as the mean over batches of images with their targets."""
    tensorflow, _ = load_tensorflow()
    names = [(number, name) for number, group in enumerate(found.groups) for name in group.readers]
    kernels = [model.get_layer(name).kernel for _, name in names]

    def products(images: Any, targets: Any) -> Any:
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            loss = tensorflow.reduce_mean(example_losses(targets, model(images, training=False)[0], config))
        return [kernel * slope for kernel, slope in zip(kernels, tape.gradient(loss, kernels), strict=True)]

    compiled, number_of_batches = tensorflow.function(products, reduce_retracing=True), 0
    worths = {number: np.zeros(found.groups[number].channels) for number, _ in names}
    for images, targets in batches:
        slopes = {number: np.zeros_like(worth) for number, worth in worths.items()}
        for (number, _), product in zip(names, compiled(images, targets), strict=True):
            slopes[number] += product.numpy().sum(axis=(0, 1, 3), dtype=np.float64)
        worths = {number: worth + slopes[number] ** 2 for number, worth in worths.items()}
        number_of_batches += 1
    return {number: worth / max(1, number_of_batches) for number, worth in worths.items()}


def _absolute_weights(model: Any, found: ChannelGroups) -> Worths:
    sums = defaultdict[int, Any](float)
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            sums[found.outputs[layer.name]] += np.abs(layer.kernel.numpy()).sum(axis=(0, 1, 2), dtype=np.float64)
    return {number: worth / max(float(worth.mean()), np.finfo(float).tiny) for number, worth in sums.items()}


def _absolute_scales(model: Any, found: ChannelGroups) -> Worths:
    scales = defaultdict[int, list[Any]](list)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            scales[found.outputs[layer.name]].append(np.abs(layer.gamma.numpy()))
    return {number: np.mean(many, axis=0, dtype=np.float64) for number, many in scales.items()}
