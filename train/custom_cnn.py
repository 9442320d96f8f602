"""A small network for grey films, meant to be trained from scratch and run in int8.

Two plain convolutions, then depthwise separable ones (Howard et al. 2017, "MobileNets"). Every convolution is followed
by batch normalization and ReLU6, so the converter folds the first and int8 has a fixed range for the second.
"""

from typing import Any

from osteo_edge.train.keras import load_tensorflow

PLAIN = (16, 32)
"""Channels of the plain convolutions, each of stride 2."""
SEPARABLE = ((64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
"""Channels and stride of the separable convolutions."""


def custom_cnn(shape: tuple[int, int, int]) -> Any:
    """The untrained network for images of `shape`; its feature map has 256 channels at 1/32 of the side."""
    _, keras = load_tensorflow()
    layers = keras.layers
    x = image = keras.Input(shape)
    for number, channels in enumerate(PLAIN, start=1):
        x = layers.Conv2D(channels, 3, 2, "same", use_bias=False, name=f"plain{number}")(x)
        x = _activate(x, f"plain{number}")
    for number, (channels, stride) in enumerate(SEPARABLE, start=1):
        x = layers.DepthwiseConv2D(3, stride, "same", use_bias=False, name=f"block{number}_depthwise")(x)
        x = _activate(x, f"block{number}_depthwise")
        x = layers.Conv2D(channels, 1, use_bias=False, name=f"block{number}_pointwise")(x)
        x = _activate(x, f"block{number}_pointwise")
    return keras.Model(image, x, name="custom_cnn")


def _activate(x: Any, name: str) -> Any:
    _, keras = load_tensorflow()
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(keras.layers.BatchNormalization(name=f"{name}_bn")(x))
