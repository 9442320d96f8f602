"""Zeros and shared values in weights, by TensorFlow's model optimization toolkit: they make a file pack smaller.

The network computes as much as before: for speed remove channels (`channel_pruning`).
"""

import warnings
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from osteo_edge.extras import load_extra
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import MAP_LAYER
from osteo_edge.train.refit import Student
from osteo_edge.train.training_copy import Weights

TWO_OF_FOUR = (2, 4)
IMAGE_CHANNELS = 3
UPDATES = 16
"""How often masks are chosen anew on the way to the final share of zeros."""
BITS = 8


@cache
def load_toolkit() -> ModuleType:
    """The module `tensorflow_model_optimization`; it asks for versions in a way that Python warns of."""
    load_tensorflow()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        (toolkit,) = load_extra(
            ("tensorflow_model_optimization",),
            feature="pruning",
            package="tensorflow-model-optimization",
            extra="train",
        )
    return toolkit


def sparse_student(model: Any, amount: float, *, steps: int, epochs: int) -> Student:
    """A copy of the model whose kernels get `amount` of zeros, the smallest weights, in the first half of the epochs.

    Along the cubic of Zhu and Gupta 2017 (arXiv 1710.01878); the rest of the epochs lets the weights that stay make
    good. `steps` are those of an epoch.
    """
    settled_epoch = max(1, epochs // 2)
    updates = min(UPDATES, steps * settled_epoch)
    frequency = steps * settled_epoch // updates
    schedule = load_toolkit().sparsity.keras.PolynomialDecay(
        initial_sparsity=0.0,
        final_sparsity=amount,
        begin_step=0,
        end_step=frequency * updates,
        frequency=frequency,
    )
    return _masked_student(model, frequency * updates, settled_epoch, pruning_schedule=schedule)


def two_of_four_student(model: Any) -> Student:
    """A copy of the model with two zeros in every four weights that read neighbouring channels.

    The masks are chosen at the first step, by size (Mishra et al. 2021, arXiv 2104.08378).
    """
    schedule = load_toolkit().sparsity.keras.ConstantSparsity(TWO_OF_FOUR[0] / TWO_OF_FOUR[1], begin_step=0)
    return _masked_student(model, 1, 1, pruning_schedule=schedule, sparsity_m_by_n=TWO_OF_FOUR)


def clustered_student(model: Any, clusters: int) -> Student:
    """A copy of the model whose kernels hold `clusters` different values each (Han et al. 2016, arXiv 1510.00149)."""
    clustering = load_toolkit().clustering.keras
    first = clustering.CentroidInitialization.KMEANS_PLUS_PLUS

    def wrap(layer: Any) -> Any:
        return clustering.cluster_weights(layer, clusters, first)

    trained = _wrapped(model, wrap, lambda layer: np.unique(layer.kernel.numpy()).size > clusters)
    return Student(trained, lambda: list(clustering.strip_clustering(trained).get_weights()))


def clusters_for(amount: float) -> int:
    """The number of values of which each takes `amount` fewer bits than 8.

    >>> clusters_for(0.5), clusters_for(0.75)
    (16, 4)
    """
    return int(2 ** max(1, round(BITS * (1 - amount))))


def is_compressed(layer: Any) -> bool:
    """Whether zeros and clusters go into the layer: all convolutions but the first, the depthwise and the head.

    Those hold few weights and suffer most (Zhu and Gupta 2017 left them alone, too).
    """
    if type(layer).__name__ != "Conv2D" or layer.name == MAP_LAYER:
        return False
    return int(layer.kernel.shape[2]) > IMAGE_CHANNELS


def share_of_zeros(model: Any) -> float:
    """The share of zeros among the weights of the layers that `is_compressed` names."""
    kernels = [layer.kernel.numpy() for layer in model.layers if is_compressed(layer)]
    return float(sum((kernel == 0).sum() for kernel in kernels) / sum(kernel.size for kernel in kernels))


def most_values(model: Any) -> int:
    """The largest number of different values in a kernel of the layers that `is_compressed` names."""
    return max(np.unique(layer.kernel.numpy()).size for layer in model.layers if is_compressed(layer))


def _masked_student(model: Any, last_step: int, settled_epoch: int, **pruning: Any) -> Student:
    """A student whose weights are masked; `pruning` is what `prune_low_magnitude` is told."""
    sparsity = load_toolkit().sparsity.keras
    trained = _wrapped(model, lambda layer: sparsity.prune_low_magnitude(layer, **pruning), is_compressed)
    callback = sparsity.UpdatePruningStep()
    callback.set_model(trained)
    callback.on_train_begin()
    plain = sparsity.strip_pruning(trained)

    def weights() -> Weights:
        callback.on_epoch_end(0)  # masks what the last step of the optimizer has moved
        return list(plain.get_weights())

    def settle() -> None:
        for layer in callback.prunable_layers:
            if int(layer.pruning_step) < last_step:
                layer.pruning_step.assign(last_step)
                layer.pruning_obj.conditional_mask_update()

    return Student(trained, weights, settle, settled_epoch)


def _wrapped(model: Any, wrap: Callable[[Any], Any], chosen: Callable[[Any], bool]) -> Any:
    """A copy of the model with the chosen ones of the layers that are compressed wrapped."""
    _, keras = load_tensorflow()
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return keras.models.clone_model(
        copy, clone_function=lambda layer: wrap(layer) if is_compressed(layer) and chosen(layer) else layer
    )
