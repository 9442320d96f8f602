"""The networks: a backbone without top and a head whose class-activation map needs no gradients."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Outputs
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow

OUTPUTS = Outputs(logits=0, activation_map=1)
SCRATCH_BATCH_NORM_MOMENTUM = 0.9
MAP_LAYER = "activation_map"


@dataclass(frozen=True, eq=False)
class Network:
    """`model` maps a batch to [logits, activation map]; `backbone` is the part before the head.

    `weights_sha256` is that of the file the backbone's weights came from, None from scratch.
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
    if config.from_scratch:
        quicken_batch_norm(backbone)
    features = keras.layers.SpatialDropout2D(config.dropout, name="dropout")(backbone.output)
    activation_map = keras.layers.Conv2D(len(config.labels), 1, name=MAP_LAYER)(features)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    return Network(keras.Model(backbone.input, [logits, activation_map], name=config.backbone), backbone, digest)


def quicken_batch_norm(model: Any) -> None:
    """Let the moving averages follow within tens of steps; keras.applications' 0.999 needs thousands."""
    _, keras = load_tensorflow()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = SCRATCH_BATCH_NORM_MOMENTUM


def freeze_batch_norm(model: Any) -> None:
    """Keep batch normalization at the statistics it came with; small sets would only blur them."""
    _, keras = load_tensorflow()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
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
    return sum(_layer_macs(layer) for layer in model.layers)


def _layer_macs(layer: Any) -> int:
    kind = type(layer).__name__
    if kind == "Conv2D":
        kernel = layer.kernel.shape
        return int(np.prod(layer.output_shape[1:3]) * np.prod(kernel) // layer.groups)
    if kind == "DepthwiseConv2D":
        return int(np.prod(layer.output_shape[1:3]) * np.prod(layer.depthwise_kernel.shape))
    return int(np.prod(layer.kernel.shape)) if kind == "Dense" else 0


def _backbone(config: TrainConfig, spec: InputSpec) -> tuple[Any, str | None]:
    _, keras = load_tensorflow()
    shape = (spec.height, spec.width, spec.channels)
    path = None if config.weights in ("none", "imagenet") else Path(config.weights)
    if path is not None and not path.is_file():
        raise OsteoEdgeError(f"{path}: no such weights file; give a Keras .h5 without top, 'imagenet' or 'none'")
    initial = "imagenet" if config.weights == "imagenet" else None
    try:
        model = keras.applications.MobileNetV2(shape, alpha=config.alpha, include_top=False, weights=initial)
        if path is not None:
            model.load_weights(str(path))
    except Exception as error:  # a failed download is a bare Exception in Keras, a wrong file nearly anything
        raise OsteoEdgeError(_weights_trouble(config, path, error)) from error
    if config.from_scratch:
        return model, None
    return model, sha256_file(path) if path is not None else weights_digest(model)


def _weights_trouble(config: TrainConfig, path: Path | None, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if path is None:
        return (
            f"ImageNet weights for {config.backbone} {config.alpha} cannot be downloaded ({reason}); "
            "give a local file with --weights PATH, or --weights none"
        )
    return f"{path}: no weights for {config.backbone} with alpha {config.alpha} without top ({reason}); check --alpha"
