"""Several networks as one: their calibrated probabilities averaged inside a single graph that any device can run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.fusion import conversion
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import MAP_LAYER
from osteo_edge.train.rewiring import rewire

SMALLEST_PROBABILITY = 1e-4
"""Added to each, so that the logarithm of none takes up the range of an int8 output."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble: a model with the outputs [logits, activation map, ...], its input and temperature."""

    model: Any
    spec: InputSpec
    temperature: float


def join_networks(members: Sequence[Member]) -> Any:
    """One model with the outputs [logits, activation map], which takes images prepared for the first member.

    The logits are log(mean of the members' softmax(logits / temperature)). The activation map is the mean of the
    members' maps divided by their temperatures, on the grid of the finest, plus the constants that make its spatial
    mean the logits. The members' own models are left with their heads divided by the temperature.
    """
    _, keras = load_tensorflow()
    image = keras.Input(members[0].model.input_shape[1:])
    maps = [_member_map(image, members[0].spec, member, number) for number, member in enumerate(members, start=1)]
    logits = _mean_answer(maps, number_of_labels=maps[0].shape[-1])
    return keras.Model(image, [logits, _mean_map(maps, logits)], name="ensemble")


def _member_map(image: Any, given: InputSpec, member: Member, number: int) -> Any:
    """The member's activation map, divided by its temperature, as a function of the shared image."""
    _, keras = load_tensorflow()
    head = member.model.get_layer(MAP_LAYER)
    head.set_weights([weights / member.temperature for weights in head.get_weights()])
    prefix = f"member_{number}_"
    if member.spec.normalization != given.normalization:
        step = conversion(given.normalization, member.spec.normalization)
        image = keras.layers.Rescaling(list(step.scale), list(step.offset), name=f"{prefix}normalization")(image)
    return rewire(keras.Model(member.model.input, head.output), image, prefix=prefix)


def _mean_answer(maps: Sequence[Any], *, number_of_labels: int) -> Any:
    """The logits, (n, labels), by way of a 1x1 convolution that changes nothing but can be given a bias."""
    tensorflow, keras = load_tensorflow()
    probabilities = [keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(each)) for each in maps]
    mean = keras.layers.Rescaling(1.0, SMALLEST_PROBABILITY)(keras.layers.Average()(probabilities))
    place = keras.layers.Reshape((1, 1, number_of_labels))(tensorflow.math.log(mean))
    unchanged = keras.initializers.Constant(np.eye(number_of_labels))
    answer = keras.layers.Conv2D(number_of_labels, 1, kernel_initializer=unchanged, name="answer")
    return keras.layers.GlobalAveragePooling2D(name="logits")(answer(place))


def _mean_map(maps: Sequence[Any], logits: Any) -> Any:
    _, keras = load_tensorflow()
    height, width = (max(each.shape[axis] for each in maps) for axis in (1, 2))
    alike = [
        each if tuple(each.shape[1:3]) == (height, width) else keras.layers.Resizing(height, width)(each)
        for each in maps
    ]
    mean = keras.layers.Average()(alike)
    missing = keras.layers.Subtract()([logits, keras.layers.GlobalAveragePooling2D()(mean)])
    constants = keras.layers.Reshape((1, 1, logits.shape[-1]))(missing)
    return keras.layers.Add(name=MAP_LAYER)([mean, constants])
