"""AlexNet, the convolutions of its one-tower form.

Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks"; the channels of one tower,
without local response normalization, are those of Krizhevsky 2014, "One weird trick for parallelizing convolutional
neural networks", and of torchvision: 2,469,696 parameters. Its three dense layers (54.6 million) are left out.
"""

from typing import Any

from osteo_edge.train.keras import load_tensorflow

CONVOLUTIONS = ((64, 11, 4), (192, 5, 1), (384, 3, 1), (256, 3, 1), (256, 3, 1))
"""Channels, kernel and stride."""
POOLED = (1, 2, 5)
"""Convolutions that a maximum over 3 x 3 places with stride 2 follows."""


def alexnet(shape: tuple[int, int, int]) -> Any:
    """The untrained network for images of `shape`; its feature map has 256 channels, 6 x 6 of them at a side of 224."""
    _, keras = load_tensorflow()
    layers = keras.layers
    image = keras.Input(shape)
    x = layers.ZeroPadding2D(2, name="conv1_pad")(image)
    for number, (channels, size, stride) in enumerate(CONVOLUTIONS, start=1):
        padding = "valid" if number == 1 else "same"
        x = layers.Conv2D(channels, size, stride, padding, kernel_initializer="he_normal", name=f"conv{number}")(x)
        x = layers.ReLU(name=f"conv{number}_relu")(x)
        if number in POOLED:
            x = layers.MaxPooling2D(3, 2, name=f"pool{number}")(x)
    return keras.Model(image, x, name="alexnet")
