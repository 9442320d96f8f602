"""The networks: one or more backbones and a head whose class-activation map needs no gradients."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes, sha256_file
from osteo_edge.manifest import Outputs
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.backbones import BACKBONES, Backbone, Shape, chosen
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.efficientnet import without_preprocessing
from osteo_edge.train.fusion import fuse
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.taps import tap_features

OUTPUTS = Outputs(logits=0, activation_map=1)
SCRATCH_BATCH_NORM_MOMENTUM = 0.9
MAP_LAYER = "activation_map"
NO_FILE = ("none", "imagenet")


@dataclass(frozen=True, eq=False)
class Network:
    """`model` maps a batch to [logits, activation map]; `backbone` is the part before the head.

    `weights_sha256` is that of the file the backbone's weights came from, over those of several joined backbones,
    None from scratch.
    """

    model: Any
    backbone: Any
    weights_sha256: str | None


def build(config: TrainConfig, spec: InputSpec) -> Network:
    """Build the network that the configuration asks for, with its weights.

    The head is a 1x1 convolution followed by global average pooling: the same function as pooling followed by a dense
    layer, but the class-activation map (Zhou et al. 2016) is on its way already, and its mean *is* the logits.
    """
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(config.seed)
    backbone, digest = _backbone(config, spec)
    features = keras.layers.SpatialDropout2D(config.dropout, name="dropout")(backbone.output)
    activation_map = keras.layers.Conv2D(len(config.labels), 1, name=MAP_LAYER)(features)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    name = config.backbone.replace("+", "_and_")
    return Network(keras.Model(backbone.input, [logits, activation_map], name=name), backbone, digest)


def weights_for(config: TrainConfig, name: str) -> str:
    """What the configuration's `weights` say for one backbone: "imagenet", "none" or a path; `OsteoEdgeError` if not.

    They may name other backbones too: one list serves all recipes of a comparison.

    >>> weights_for(TrainConfig(backbone="mobilenet_v2+custom_cnn", weights="mobilenet_v2=a.h5,none"), "custom_cnn")
    'none'
    """
    entries = [entry.strip().partition("=") for entry in config.weights.split(",")]
    named = {known: value for known, sign, value in entries if sign and known in BACKBONES}
    others = ["".join(entry) for entry in entries if entry[0] not in named]
    own = [named[name]] if name in named else others
    if len(own) != 1 or not own[0]:
        raise OsteoEdgeError(f"weights {config.weights!r}: say one thing for {name}, such as {name}=PATH or none")
    return own[0]


def quicken_batch_norm(model: Any) -> None:
    """Let the moving averages follow within tens of steps; keras.applications' 0.999 needs thousands."""
    _, keras = load_tensorflow()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = SCRATCH_BATCH_NORM_MOMENTUM


def set_trainable(network: Network, config: TrainConfig) -> None:
    """Freeze the backbone but for its last `config.trainable_layers` layers; the head is always trained.

    Batch normalization that came with weights is frozen everywhere if the configuration says so.
    """
    layers, number = network.backbone.layers, config.trainable_layers
    first = 0 if number is None else max(0, len(layers) - number)
    for place, layer in enumerate(layers):
        layer.trainable = place >= first
    if config.freeze_batch_norm:
        freeze_batch_norm(network.backbone, prefixes=_given_prefixes(config))


def freeze_batch_norm(model: Any, *, prefixes: tuple[str, ...] = ("",)) -> None:
    """Keep batch normalization at the statistics it came with; small sets would only blur them.

    Only in layers whose name begins with one of `prefixes`.
    """
    _, keras = load_tensorflow()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and layer.name.startswith(prefixes):
            layer.trainable = False


def set_head(network: Network, kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
    """Put a linear classifier on pooled features, (features, labels) and (labels,), into the head."""
    network.model.get_layer(MAP_LAYER).set_weights([kernel[np.newaxis, np.newaxis], bias])


def weights_digest(model: Any) -> str:
    """A SHA-256 over all weights, for telling cached features of one backbone from those of another."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def count_macs(model: Any) -> int:
    """Multiply-accumulates for one image, of convolutions and dense layers, read off the layers' shapes."""
    return sum(layer_macs(layer) for layer in model.layers)


def layer_macs(layer: Any) -> int:
    """Those of one layer; the kernel of a grouped convolution holds the inputs of one group only."""
    kind = type(layer).__name__
    places = int(np.prod(layer.output_shape[1:3])) if kind.endswith("Conv2D") else 1
    kernels: tuple[Any, ...] = ()
    if kind == "SeparableConv2D":
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
    elif kind == "DepthwiseConv2D":
        kernels = (layer.depthwise_kernel,)
    elif kind in ("Conv2D", "Dense"):
        kernels = (layer.kernel,)
    return sum(places * int(np.prod(kernel.shape)) for kernel in kernels)


def _given_prefixes(config: TrainConfig) -> tuple[str, ...]:
    """How the names of layers begin whose weights were given."""
    names = config.backbone.split("+")
    given = [name for name in names if weights_for(config, name) != "none"]
    return tuple(f"{name}_" for name in given) if len(names) > 1 else tuple("" for _ in given)


def _backbone(config: TrainConfig, spec: InputSpec) -> tuple[Any, str | None]:
    backbones = chosen(config)
    shape = (spec.height, spec.width, spec.channels)
    if spec.normalization != backbones[0].normalization:
        raise ValueError(f"{backbones[0].name} takes {backbones[0].normalization}; make the spec with input_spec")
    loaded = [_load(config, backbone, (*shape[:2], backbone.channels)) for backbone in backbones]
    if len(loaded) == 1:
        model, digest = loaded[0]
        return (tap_features(model, config.taps) if config.taps else model), digest
    digests = [digest for _, digest in loaded if digest is not None]
    joined = fuse(backbones, [model for model, _ in loaded])
    return joined, sha256_bytes("".join(digests).encode()) if digests else None


def _load(config: TrainConfig, backbone: Backbone, shape: Shape) -> tuple[Any, str | None]:
    """One backbone with its weights and their SHA-256."""
    weights = weights_for(config, backbone.name)
    path = None if weights in NO_FILE else Path(weights)
    _check_weights(backbone, weights, path)
    try:
        model = backbone.build(shape, config.alpha, "imagenet" if weights == "imagenet" else None)
        if path is not None:
            model.load_weights(str(path))
        if backbone.name == "efficientnet_b0":
            model = without_preprocessing(model, backbone.normalization, trained=weights != "none")
    except Exception as error:  # a failed download is a bare Exception in Keras, a wrong file nearly anything
        raise OsteoEdgeError(_weights_trouble(config, backbone, path, error)) from error
    if weights == "none":
        quicken_batch_norm(model)
        return model, None
    return model, sha256_file(path) if path is not None else weights_digest(model)


def _check_weights(backbone: Backbone, weights: str, path: Path | None) -> None:
    if weights == "imagenet" and not backbone.pretrained:
        raise OsteoEdgeError(f"backbone {backbone.name}: there are no ImageNet weights for it; give --weights none")
    if path is not None and not path.is_file():
        raise OsteoEdgeError(f"{path}: no such weights file; give a Keras .h5 without top, 'imagenet' or 'none'")


def _weights_trouble(config: TrainConfig, backbone: Backbone, path: Path | None, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    widths = len(backbone.alphas) > 1
    if path is None:
        width = f" {config.alpha}" if widths else ""
        return (
            f"ImageNet weights for {backbone.name}{width} cannot be downloaded ({reason}); "
            "give a local file with --weights PATH, or --weights none"
        )
    width, check = (f" with alpha {config.alpha}", "--alpha") if widths else ("", "--backbone")
    return f"{path}: no weights for {backbone.name}{width} without top ({reason}); check {check}"
