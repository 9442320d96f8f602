"""Float networks in Keras 3, on whatever framework it stands on: a bundle's own, or one of `keras.applications`.

Training writes models of Keras 2 (`tf_keras`), which runs on TensorFlow alone. Their layers have the same names,
options and weights in Keras 3, so the graph is read from the archive and built anew, pruned widths and all.
"""

import inspect
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra

NETWORKS = {
    "mobilenet_v2": ("MobileNetV2", {"alpha": 1.0}),
    "efficientnet_b0": ("EfficientNetB0", {}),
}
"""Those of `keras.applications` that can be had with random weights."""
LABELS = 3
MAP_LAYER = "activation_map"

Weights = list[npt.NDArray[np.float32]]


def load_keras(precision: str) -> Any:
    """Keras 3, its layers computing and keeping weights in `precision`; `KERAS_BACKEND` must be set."""
    (keras,) = load_extra(("keras",), feature="a baseline", package="Keras 3", extra="baseline")
    if int(keras.__version__.partition(".")[0]) < 3:
        raise OsteoEdgeError(f"Keras {keras.__version__} is too old for a baseline: pip install 'osteo-edge[baseline]'")
    keras.config.set_floatx(precision)
    keras.config.set_dtype_policy(precision)
    return keras


def random_network(keras: Any, name: str, height: int, width: int, channels: int) -> Any:
    """A network of `keras.applications` with random weights and the head that training gives it.

    EfficientNet keeps the rescaling that Keras builds into it: a few operations on the input.
    """
    function, options = NETWORKS[name]
    build = getattr(keras.applications, function)
    backbone = build(include_top=False, weights=None, input_shape=(height, width, channels), **options)
    activation_map = keras.layers.Conv2D(LABELS, 1, name=MAP_LAYER)(backbone.output)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    return keras.Model(backbone.input, [logits, activation_map], name=name)


def read_network(keras: Any, path: Path) -> Any:
    """The network of a `.keras` archive, with its weights.

    `OsteoEdgeError` if it is no such archive, or has layers that Keras 3 cannot build.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))["config"]
            stored = io.BytesIO(archive.read("model.weights.h5"))
        return _build(keras, config, _stored_weights(stored, config["layers"]))
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError, zipfile.BadZipFile) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise OsteoEdgeError(f"{path}: cannot be built in Keras 3 ({reason}); try --network") from error


def _build(keras: Any, config: Mapping[str, Any], weights: Mapping[str, Weights]) -> Any:
    outputs: dict[str, Any] = {}
    for described in config["layers"]:
        name = described["config"]["name"]
        if described["class_name"] == "InputLayer":
            shape = described["config"].get("batch_shape") or described["config"]["batch_input_shape"]
            outputs[name] = keras.Input(tuple(shape[1:]), name=name)
            continue
        layer = _layer(keras, described)
        (node,) = described["inbound_nodes"]
        given = [outputs[source] for source, *_ in node]
        outputs[name] = layer(given[0] if len(given) == 1 else given)
        layer.set_weights(weights[name])
    (start,) = [outputs[name] for name, *_ in config["input_layers"]]
    return keras.Model(start, [outputs[name] for name, *_ in config["output_layers"]], name=config["name"])


def _layer(keras: Any, described: Mapping[str, Any]) -> Any:
    """The layer of Keras 3 with the options that it knows too; the others are Keras 2's defaults."""
    kind = getattr(keras.layers, described["class_name"])
    known = {*inspect.signature(kind.__init__).parameters, "name"} - {"dtype"}
    options = {key: value for key, value in described["config"].items() if key in known}
    if isinstance(options.get("axis"), list):  # of a batch normalization: always one
        (options["axis"],) = options["axis"]
    for name in options:
        if name.endswith("_initializer"):
            options[name] = "zeros"  # the weights follow, and JAX would compile a generator for each shape
    return kind.from_config(options)


def _stored_weights(file: io.BytesIO, layers: Sequence[Mapping[str, Any]]) -> dict[str, Weights]:
    """By the layers' names. In the file they are numbered by kind, in the model's order: conv2d, conv2d_1 and so on."""
    (h5py,) = load_extra(("h5py",), feature="a baseline", package="h5py", extra="baseline")
    seen: Counter[str] = Counter()
    found = {}
    with h5py.File(file) as archive:
        for layer in layers:
            kind = snake_case(layer["class_name"])
            key = f"{kind}_{seen[kind]}" if seen[kind] else kind
            seen[kind] += 1
            stored = archive["layers"].get(f"{key}/vars", {})
            found[layer["config"]["name"]] = [np.asarray(stored[str(place)]) for place in range(len(stored))]
    return found


def snake_case(name: str) -> str:
    """A class's name as Keras writes it into the file.

    >>> snake_case("DepthwiseConv2D"), snake_case("ReLU"), snake_case("BatchNormalization")
    ('depthwise_conv2d', 're_lu', 'batch_normalization')
    """
    parted = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", parted).lower()
