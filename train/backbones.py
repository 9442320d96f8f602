"""The networks that can be trained: how each is built, what it was trained on, and where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import GREY, MOBILENET, InputSpec, Normalization
from osteo_edge.train.alexnet import alexnet
from osteo_edge.train.config import ALPHAS, TrainConfig
from osteo_edge.train.csp_darknet import csp_darknet
from osteo_edge.train.custom_cnn import custom_cnn
from osteo_edge.train.keras import load_tensorflow

Shape = tuple[int, int, int]
Initial = Literal["imagenet"] | None
Build = Callable[[Shape, float, Initial], Any]

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STANDARDIZED = Normalization(
    scale=tuple(1 / deviation for deviation in IMAGENET_DEVIATION),
    offset=tuple(-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)),
)
"""(pixel - mean) / deviation of ImageNet, by colour: PyTorch's convention."""
CENTRED = Normalization(scale=(255.0, 255.0, 255.0), offset=(-103.939, -116.779, -123.68))
"""0 to 255 less the mean of ImageNet, blue first: Caffe's convention."""


@dataclass(frozen=True)
class Backbone:
    """A network without top.

    `build` takes the shape of an image, a width (one of `alphas`) and "imagenet" or None; with "imagenet", which
    `pretrained` allows, Keras downloads weights. `smallest_side` is in pixels. Those that are not `for_devices` are
    server-class, to compare with.
    """

    name: str
    build: Build
    source: str
    normalization: Normalization = MOBILENET
    channels: Literal[1, 3] = 3
    alphas: tuple[float, ...] = (1.0,)
    smallest_side: int = 32
    pretrained: bool = True
    for_devices: bool = False


def _from_keras(name: str) -> Build:
    def build(shape: Shape, alpha: float, initial: Initial) -> Any:
        _, keras = load_tensorflow()
        return getattr(keras.applications, name)(include_top=False, weights=initial, input_shape=shape)

    return build


def _mobilenet_v2(shape: Shape, alpha: float, initial: Initial) -> Any:
    _, keras = load_tensorflow()
    return keras.applications.MobileNetV2(shape, alpha=alpha, include_top=False, weights=initial)


def _untrained(network: Callable[[Shape], Any]) -> Build:
    return lambda shape, alpha, initial: network(shape)


BACKBONES = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            "mobilenet_v2", _mobilenet_v2, "Sandler et al. 2018, arXiv 1801.04381", alphas=ALPHAS, for_devices=True
        ),
        Backbone(
            "efficientnet_b0",
            _from_keras("EfficientNetB0"),
            "Tan and Le 2019, arXiv 1905.11946",
            STANDARDIZED,
            for_devices=True,
        ),
        Backbone(
            "custom_cnn",
            _untrained(custom_cnn),
            "this project, after Howard et al. 2017, arXiv 1704.04861",
            GREY,
            channels=1,
            pretrained=False,
            for_devices=True,
        ),
        Backbone(
            "csp_darknet",
            _untrained(csp_darknet),
            "Wang et al. 2020, arXiv 1911.11929, as in Ultralytics' YOLOv5-s",
            STANDARDIZED,
            pretrained=False,
            for_devices=True,
        ),
        Backbone("resnet50", _from_keras("ResNet50"), "He et al. 2016, arXiv 1512.03385", CENTRED),
        Backbone("densenet121", _from_keras("DenseNet121"), "Huang et al. 2017, arXiv 1608.06993", STANDARDIZED),
        Backbone("vgg16", _from_keras("VGG16"), "Simonyan and Zisserman 2015, arXiv 1409.1556", CENTRED),
        Backbone("vgg19", _from_keras("VGG19"), "Simonyan and Zisserman 2015, arXiv 1409.1556", CENTRED),
        Backbone("inception_v3", _from_keras("InceptionV3"), "Szegedy et al. 2016, arXiv 1512.00567", smallest_side=75),
        Backbone("xception", _from_keras("Xception"), "Chollet 2017, arXiv 1610.02357", smallest_side=71),
        Backbone(
            "alexnet",
            _untrained(alexnet),
            "Krizhevsky et al. 2012, one tower as in Krizhevsky 2014, arXiv 1404.5997",
            STANDARDIZED,
            smallest_side=63,
            pretrained=False,
        ),
    )
}


def chosen(config: TrainConfig) -> tuple[Backbone, ...]:
    """The backbones that the configuration asks for, in its order; `OsteoEdgeError` if they cannot be had so."""
    names = config.backbone.split("+")
    for name in names:
        if name not in BACKBONES:
            raise OsteoEdgeError(
                f"backbone {name!r}: not known; choose from {', '.join(BACKBONES)}, or join some with +"
            )
    backbones = tuple(BACKBONES[name] for name in names)
    _check_join(config, backbones)
    _check_sizes(config, backbones)
    return backbones


def input_spec(config: TrainConfig) -> InputSpec:
    """How an image is prepared for the configuration's network: as its first backbone was trained.

    For the region "knees" two squares of `config.side_px` stand side by side.
    """
    first = chosen(config)[0]
    knees = config.region == "knees"
    return InputSpec(
        config.side_px,
        config.side_px * (2 if knees else 1),
        channels=first.channels,
        resize="knees" if knees else "letterbox",
        filters=config.filters,
        normalization=first.normalization,
    )


def _check_join(config: TrainConfig, backbones: tuple[Backbone, ...]) -> None:
    if len(set(backbones)) < len(backbones):
        raise OsteoEdgeError(f"backbone {config.backbone}: the same one twice; name each once")
    late = [backbone.name for backbone in backbones if backbone.channels < backbones[0].channels]
    if late:
        raise OsteoEdgeError(f"backbone {config.backbone}: {late[0]} takes grey images; name it first")


def _check_sizes(config: TrainConfig, backbones: tuple[Backbone, ...]) -> None:
    alphas = sorted({alpha for backbone in backbones for alpha in backbone.alphas})
    if config.alpha not in alphas:
        offered = ", ".join(map(str, alphas))
        raise OsteoEdgeError(f"backbone {config.backbone}: not offered with alpha {config.alpha}, but with {offered}")
    for backbone in backbones:
        if config.side_px < backbone.smallest_side:
            raise OsteoEdgeError(
                f"backbone {backbone.name}: a side of {config.side_px} px is too small; "
                f"give at least {backbone.smallest_side}"
            )
