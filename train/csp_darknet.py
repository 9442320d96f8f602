"""CSP-Darknet: the backbone of YOLOv5-s, ended by its spatial pyramid and used as a classifier.

Wang et al. 2020, "CSPNet: A New Backbone that can Enhance Learning Capability of CNN"; the widths and depths are those
of Ultralytics' YOLOv5 v6 at depth 0.33 and width 0.5, 4,171,456 trained parameters. Its own classification form,
yolov5s-cls, has a 1280-channel head of ImageNet where the pyramid is here (5.45 million with it).
"""

from typing import Any

from osteo_edge.train.keras import load_tensorflow

STEM_CHANNELS = 32
STAGES = ((64, 1), (128, 2), (256, 3), (512, 1))
"""Channels and bottlenecks of each stage."""
EPSILON = 1e-3


def csp_darknet(shape: tuple[int, int, int]) -> Any:
    """The untrained network for images of `shape`; its feature map has 512 channels at 1/32 of the side."""
    _, keras = load_tensorflow()
    image = keras.Input(shape)
    x = _convolve(image, STEM_CHANNELS, 6, "stem", strides=2)
    for number, (channels, bottlenecks) in enumerate(STAGES, start=1):
        x = _convolve(x, channels, 3, f"stage{number}_down", strides=2)
        x = _partial_stage(x, channels, bottlenecks, f"stage{number}")
    return keras.Model(image, _pyramid(x, STAGES[-1][0], "pyramid"), name="csp_darknet")


def _partial_stage(x: Any, channels: int, bottlenecks: int, name: str) -> Any:
    """Cross-stage partial stage ("C3"): half of the channels pass the bottlenecks, the other half pass them by."""
    _, keras = load_tensorflow()
    half = channels // 2
    deep = _convolve(x, half, 1, f"{name}_deep")
    for number in range(1, bottlenecks + 1):
        inner = _convolve(deep, half, 1, f"{name}_block{number}_narrow")
        inner = _convolve(inner, half, 3, f"{name}_block{number}_wide")
        deep = keras.layers.Add(name=f"{name}_block{number}_add")([deep, inner])
    past = _convolve(x, half, 1, f"{name}_past")
    joined = keras.layers.Concatenate(name=f"{name}_join")([deep, past])
    return _convolve(joined, channels, 1, f"{name}_out")


def _pyramid(x: Any, channels: int, name: str) -> Any:
    """Spatial pyramid pooling, fast form ("SPPF"): maxima over 5, 9 and 13 places, each from the one before."""
    _, keras = load_tensorflow()
    levels = [_convolve(x, channels // 2, 1, f"{name}_in")]
    for number in range(1, 4):
        levels.append(keras.layers.MaxPooling2D(5, 1, "same", name=f"{name}_pool{number}")(levels[-1]))
    return _convolve(keras.layers.Concatenate(name=f"{name}_join")(levels), channels, 1, f"{name}_out")


def _convolve(x: Any, channels: int, size: int, name: str, *, strides: int = 1) -> Any:
    """Convolution, batch normalization and SiLU (Elfwing et al. 2018), which Keras calls swish."""
    _, keras = load_tensorflow()
    x = keras.layers.Conv2D(channels, size, strides, "same", use_bias=False, name=name)(x)
    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn")(x)
    return keras.layers.Activation("swish", name=f"{name}_silu")(x)
