"""EfficientNet-B0 without the preprocessing that Keras builds into it, which is done where every image is prepared.

Keras has it begin with Rescaling and Normalization, and with a further multiplication for its own ImageNet weights:
their file holds each channel's deviation where Keras expects its square. A file loaded by path gets no such correction
(https://github.com/tensorflow/tensorflow/issues/49930), so its network would see images at 0.48 of their contrast.
"""

from typing import Any

import numpy as np

from osteo_edge.preprocessing import Normalization
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.rewiring import rewire

FIRST_LAYER = "stem_conv_pad"


def without_preprocessing(model: Any, normalization: Normalization, *, trained: bool) -> Any:
    """The model from its first padding on, which takes what `normalization` gives, padded in those units as before.

    ValueError if the model is trained, but on images normalized otherwise.
    """
    _, keras = load_tensorflow()
    if trained:
        _check(model, normalization)
    image = keras.Input(model.input_shape[1:])
    return keras.Model(image, rewire(model, image, start=FIRST_LAYER), name=model.name)


def _check(model: Any, normalization: Normalization) -> None:
    """The file's variance may be the deviation, as Keras' own has it, or its square: the same is meant by both."""
    mean, variance, _ = next(layer for layer in model.layers if type(layer).__name__ == "Normalization").get_weights()
    deviation = 1.0 / np.asarray(normalization.scale)
    means_agree = np.allclose(mean, -np.asarray(normalization.offset) * deviation, atol=1e-3)
    if not (means_agree and any(np.allclose(variance, deviation**power, atol=1e-3) for power in (1, 2))):
        raise ValueError(f"it was trained on images of mean {np.ravel(mean)} and variance {np.ravel(variance)}")
