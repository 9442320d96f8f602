"""What moved a network's answer: its own activation map, Grad-CAM and integrated gradients, and checks on all three."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Tensor, to_tensor
from osteo_edge.radiograph import Pixels
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.models import MAP_LAYER

STEPS = (64, 128, 256, 512, 1024)
COMPLETE = 0.05
"""The share of the logit's change that may stay unexplained (Sundararajan et al. 2017, section 5)."""
CHECK_STEPS = (32,)
STAGES = 8
REPEATS = 3
BATCH = 16


@dataclass(frozen=True, eq=False)
class Probe:
    """The part of a Keras model that answers, and the function of (images, number of a label) to explain it by.

    The model gives logits, activation map and the features under the map. `read` gives the label's "logit" and
    "activation_map", the "features", and the gradient of the logit "at_features" and "at_pixels", for each image.
    """

    model: Any
    manifest: Manifest
    read: Callable[[Any, int], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Explanation:
    """What moves the logit of `label` in one image, in its units; above zero is towards the label.

    `activation_map` and `grad_cam` are (rows, columns) of the last feature map, Grad-CAM before its ReLU.
    `integrated_gradients` are (height, width) of the network's input, from black in `steps` steps.
    """

    label: str
    logit: float
    black_logit: float
    steps: int
    activation_map: Pixels
    grad_cam: Pixels
    integrated_gradients: Pixels

    @property
    def agreement(self) -> float:
        """The rank correlation of the activation map with Grad-CAM before its ReLU."""
        return rank_correlation(self.activation_map, self.grad_cam)

    @property
    def residual(self) -> float:
        """What integrated gradients leave unexplained: their sum less the change of the logit (completeness)."""
        return float(self.integrated_gradients.sum(dtype=np.float64)) - (self.logit - self.black_logit)

    @property
    def complete(self) -> bool:
        """Whether integrated gradients account for all but a twentieth of the logit's change."""
        return abs(self.residual) <= COMPLETE * abs(self.logit - self.black_logit)


@dataclass(frozen=True)
class Shuffled:
    """How like its original each map remains with all weights from the head down to `layer` shuffled.

    `likeness` is the size of the rank correlation, the mean over the shuffles, by name of the map: the size, because
    the same picture with its sign turned round shows the film no less.
    """

    layer: str
    likeness: dict[str, float]


def open_probe(bundle: Bundle) -> Probe:
    """Load a Keras bundle to be explained; `BundleError` for TFLite, which has no gradients, and without a map."""
    model = bundle.manifest.model
    if model.format != "keras":
        parent = bundle.manifest.parent.sha256
        which = "" if parent is None else f" (its model has the SHA-256 {parent[:12]}...)"
        raise BundleError(f"{bundle.path}: {model.format} has no gradients; name the Keras bundle it came from{which}")
    loaded = load_model(bundle)
    try:
        return make_probe(loaded, bundle.manifest)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f"{bundle.model_path}: cannot be explained ({reason}); train it again") from error


def make_probe(model: Any, manifest: Manifest) -> Probe:
    """The probe of a model that has the layer `MAP_LAYER` and says which output is its map; ValueError if not."""
    tensorflow, keras = load_tensorflow()
    outputs = manifest.outputs
    if outputs.activation_map is None:
        raise ValueError("it has no activation map")
    answers = [model.outputs[outputs.logits], model.outputs[outputs.activation_map]]
    whole = keras.Model(model.input, [*answers, model.get_layer(MAP_LAYER).input])

    def read(images: Any, place: int) -> dict[str, Any]:
        with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            logits, maps, features = whole(images, training=False)
            logit = logits[:, place]
        at_features, at_pixels = tape.gradient(logit, [features, images])
        found = {"logit": logit, "activation_map": maps[..., place], "features": features}
        return {**found, "at_features": at_features, "at_pixels": at_pixels}

    return Probe(whole, manifest, tensorflow.function(read))


def place_of(label: str | None, probe: Probe, pixels: Pixels) -> int:
    """The number of a positive label, or of the one with the largest logit; `OsteoEdgeError` for any other name.

    A picture of what speaks for the reference label would read as a rule-out.
    """
    labels, positive = probe.manifest.labels, probe.manifest.decision.positive_labels
    if label is not None and label not in positive:
        raise OsteoEdgeError(f"{label}: not a positive label of this bundle; choose from {', '.join(positive)}")
    if label is not None:
        return labels.index(label)
    logits = probe.model(to_tensor(pixels, probe.manifest.input), training=False)[0].numpy()[0]
    return max((labels.index(name) for name in positive), key=lambda place: float(logits[place]))


def explain(probe: Probe, pixels: Pixels, place: int, *, steps: Sequence[int] = STEPS) -> Explanation:
    """Explain the logit of label number `place` for `pixels`, (height, width) in [0, 1], bone bright.

    `steps` are tried in turn until integrated gradients are complete: networks with shattered gradients need hundreds.
    Their baseline is a black canvas as the network takes it, after any filter.
    """
    spec, label = probe.manifest.input, probe.manifest.labels[place]
    tensor, black = to_tensor(pixels, spec), to_tensor(np.zeros_like(pixels), replace(spec, filters=()))
    found, baseline = _read(probe, tensor, place), _read(probe, black, place)
    logit, black_logit = float(found["logit"][0]), float(baseline["logit"][0])
    activation_map, cam = found["activation_map"][0], grad_cam(found["features"][0], found["at_features"][0])
    for count in steps:
        gradients = integrate_gradients(probe, tensor, black, place, steps=count)
        explanation = Explanation(label, logit, black_logit, count, activation_map, cam, gradients)
        if explanation.complete:
            break
    return explanation


def grad_cam(features: Pixels, gradients: Pixels) -> Pixels:
    """Grad-CAM (Selvaraju et al. 2017) before its ReLU, (rows, columns), of (rows, columns, features) both."""
    return np.asarray(features @ gradients.mean(axis=(0, 1)))


def integrate_gradients(probe: Probe, tensor: Tensor, baseline: Tensor, place: int, *, steps: int) -> Pixels:
    """Integrated gradients (Sundararajan et al. 2017), (height, width), summed over the channels of the input.

    The straight way from `baseline` to `tensor` is walked at fractions t = s^2, with s the middles of `steps` equal
    pieces, so dt = 2 s ds: steps lie closer near the baseline, where networks change most. Fewer are needed than of
    the paper's equal steps.
    """
    total = np.zeros(tensor.shape[1:], np.float64)
    middles = (np.arange(steps, dtype=np.float32) + np.float32(0.5)) / np.float32(steps)
    for start in range(0, steps, BATCH):
        part = middles[start : start + BATCH, np.newaxis, np.newaxis, np.newaxis]
        gradients = _read(probe, baseline + part**2 * (tensor - baseline), place)["at_pixels"]
        total += (2 * part * gradients).sum(axis=0, dtype=np.float64)
    return np.asarray((total / steps * (tensor - baseline)[0]).sum(axis=-1), np.float32)


def rank_correlation(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Spearman's rank correlation of two arrays of one shape; NaN where one is constant or not all numbers."""
    from scipy.stats import rankdata

    if not (np.isfinite(first).all() and np.isfinite(second).all() and np.ptp(first) > 0 and np.ptp(second) > 0):
        return math.nan
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def randomization_check(
    probe: Probe, pixels: Pixels, place: int, *, stages: int = STAGES, on_progress: Advance | None = None
) -> tuple[Shuffled, ...]:
    """Shuffle the weights from the head downwards and tell how like its original each map remains.

    The cascading randomization of Adebayo et al. 2018: a map that hardly changes shows the film, not what the network
    has learnt. The first stage is the head alone; the layers below come in `stages` - 1 groups. The model has its own
    weights again at the end.
    """
    original = explain(probe, pixels, place, steps=CHECK_STEPS)
    groups, found = _from_the_head_down(probe.model, stages), list[dict[str, float]]()
    for seed in range(REPEATS):
        rng = np.random.default_rng(seed)
        with _weights_kept(probe.model):
            for layers in groups:
                _shuffle(layers, rng)
                found.append(_likeness(original, explain(probe, pixels, place, steps=CHECK_STEPS)))
                if on_progress is not None:
                    on_progress(len(found), REPEATS * len(groups))
    return tuple(Shuffled(group[-1].name, _mean(found[stage :: len(groups)])) for stage, group in enumerate(groups))


def _read(probe: Probe, images: Tensor, place: int) -> dict[str, Pixels]:
    tensorflow, _ = load_tensorflow()
    found = probe.read(tensorflow.constant(images, "float32"), place)
    return {name: value.numpy() for name, value in found.items()}


def _from_the_head_down(model: Any, stages: int) -> list[list[Any]]:
    """The layers with weights, the head by itself and the others in groups of like size, from top to bottom."""
    layers = [layer for layer in reversed(model.layers) if layer.weights]
    edges = np.linspace(1, len(layers), stages).round().astype(int)
    return [layers[:1], *(layers[start:end] for start, end in pairwise(edges) if end > start)]


def _shuffle(layers: Sequence[Any], rng: np.random.Generator) -> None:
    for layer in layers:
        layer.set_weights([rng.permuted(weight) for weight in layer.get_weights()])


@contextmanager
def _weights_kept(model: Any) -> Iterator[None]:
    weights = model.get_weights()
    try:
        yield
    finally:
        model.set_weights(weights)


def _likeness(original: Explanation, other: Explanation) -> dict[str, float]:
    """The size of the rank correlation of each map with its original; pixels that tell nothing in both are left out."""
    first, second = original.integrated_gradients, other.integrated_gradients
    seen = np.not_equal(first, 0) | np.not_equal(second, 0)
    pairs = {
        "activation map": (original.activation_map, other.activation_map),
        "Grad-CAM": (original.grad_cam, other.grad_cam),
        "integrated gradients": (first[seen], second[seen]),
        "integrated gradients, sign left out": (np.abs(first[seen]), np.abs(second[seen])),
    }
    return {name: abs(rank_correlation(*pair)) for name, pair in pairs.items()}


def _mean(likenesses: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([likeness[name] for likeness in likenesses])) for name in likenesses[0]}
