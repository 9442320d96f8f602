"""From a Keras network to the bytes of a TFLite model, by a recipe."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.activation_ranges import ActivationRanges
from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.convert.activation_layout import lay_out
from osteo_edge.convert.drafts import draft_logits
from osteo_edge.convert.equalization import equalize
from osteo_edge.convert.graph import sources_of
from osteo_edge.convert.int8_fitting import fit_int8
from osteo_edge.convert.layer_errors import measure_layers
from osteo_edge.convert.layer_ranges import with_known
from osteo_edge.convert.mixed import Layers, Trial, Units, choose_units, find_named, find_units
from osteo_edge.convert.operators import Operators, find_operators
from osteo_edge.convert.parity import keras_logits
from osteo_edge.convert.quantizer import STEPS, quantize_dynamic, quantize_static
from osteo_edge.convert.ranges import Activation, Ends, RangeMethod, choose, choose_all, observe
from osteo_edge.convert.recipe import Recipe
from osteo_edge.convert.rescaling import rescale
from osteo_edge.convert.tapped_head import split_heads
from osteo_edge.convert.tflite import load_keras, to_tflite
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.screening import calibrated

ROUNDING_IMAGES = 64
"""Images that weights are rounded for; their places are plenty, and time grows with them."""
NOISE_IMAGES = 8
"""Images that show where noise comes in; all tensors of both networks are kept for each."""
TRIAL_IMAGES = 64
"""Images that layers are chosen on: the model runs on them for each attempt."""
NOTHING: Pixels = np.zeros((0, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Job:
    """What is compressed and how; `planes` are prepared training images, (n, height, width) in [0, 1].

    `reference` is the bundle's Keras model as it is, which the result is to answer like. `trained` are the ranges that
    the network was trained to be quantized with, if it was.
    """

    source: Bundle
    reference: Any
    recipe: Recipe
    planes: Pixels
    trained: ActivationRanges | None
    on_progress: Advance

    @property
    def spec(self) -> InputSpec:
        return self.source.manifest.input

    @property
    def takes_trained_ranges(self) -> bool:
        return self.trained is not None and self.recipe.has_own_ranges

    def stage(self, name: str) -> Callable[[int, int], None]:
        """Progress within a stage of that name."""
        return lambda done, total: self.on_progress(done, total, stage=name)


@dataclass(frozen=True, eq=False)
class Made:
    """A TFLite model, and what was chosen on the way, for the record."""

    data: bytes
    found: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A Keras network that is ready to be converted, and the ranges that its weights were fitted for, by layer."""

    model: Any
    ranges: dict[str, Ends]


@dataclass(frozen=True, eq=False)
class FloatGraph:
    """A float TFLite model with its operators, the units of these, and what its tensors hold on the job's images.

    `known` are ranges that need not be chosen any more, by the layer that writes the tensor.
    """

    data: bytes
    known: dict[str, Ends]
    operators: Operators
    units: Units
    activations: dict[str, Activation]


@dataclass(frozen=True, eq=False)
class Draft:
    """A quantized model with what it was made by, and its logits on the job's images, (n, labels)."""

    data: bytes
    method: RangeMethod
    ranges: dict[str, Ends]
    in_float: Layers
    logits: Pixels


def compress(job: Job) -> Made:
    """Convert the job's network."""
    prepared = _prepared(job)
    model = prepared.model
    if not job.recipe.has_int8_weights:
        return Made(to_tflite(model, job.spec, job.recipe.precision, job.planes), {})
    expected = keras_logits(job.reference, job.planes, job.spec) if job.recipe.needs_images else NOTHING
    if job.recipe.has_own_ranges:
        return _static(job, prepared, expected)
    return _converted(job, model, expected)


def for_trained(recipe: Recipe) -> Recipe:
    """The recipe for a network that was trained to be quantized: its weights and answers are to stay as they are."""
    return replace(recipe, equalize=False, rescale=False, compensate=False, correct_logits=False)


def spread(planes: Pixels, number: int) -> Pixels:
    """At most `number` images, evenly over all: sorted as they are, the first ones would lack the last label."""
    places = np.linspace(0, len(planes) - 1, min(number, len(planes))).round().astype(int)
    return np.asarray(planes[places])


def shift_logits(model: Any, shift: Pixels) -> None:
    """Add `shift`, (labels,), to the logits: it goes into the bias of the head, whose mean over places they are."""
    writers = {id(layer.output): layer for layer in model.layers}
    (head_output,) = sources_of(writers[id(model.outputs[0])])
    head = writers[id(head_output)]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + shift])


def _prepared(job: Job) -> Prepared:
    """The network, loaded again and changed so that it computes much the same and loses less as integers."""
    recipe = job.recipe
    model = load_keras(job.source)
    if recipe.split_heads:
        model = split_heads(model)
    if not recipe.has_int8_weights:
        return Prepared(model, {})
    few = spread(job.planes, ROUNDING_IMAGES)
    if recipe.equalize:
        equalize(model, few, job.spec)
    if recipe.rescale and recipe.has_int8_activations:
        model = rescale(model, few, job.spec)
    elif recipe.compensate:
        model = lay_out(model)
    if not recipe.compensate:
        return Prepared(model, {})
    return Prepared(model, fit_int8(model, few, job.spec, _chooser(recipe), on_progress=job.stage("fit weights")))


def _chooser(recipe: Recipe) -> Callable[[Activation], Ends] | None:
    """How ranges are chosen while weights are fitted for them; None where activations are not all int8."""
    if not recipe.fits_ranges:
        return None
    return partial(choose, method=recipe.methods[0], percentile=recipe.percentile, steps=STEPS[recipe.activation_bits])


def _converted(job: Job, model: Any, expected: Pixels) -> Made:
    """A model whose ranges are not ours to choose: dynamic, or by TensorFlow's converter."""
    data = _convert(job, model)
    if job.recipe.correct_logits:
        _correct(model, expected, draft_logits(job.source, data, job.planes, job.stage("correct")))
        data = _convert(job, model)
    return Made(data, {})


def _convert(job: Job, model: Any) -> bytes:
    recipe = job.recipe
    if recipe.maker == "ai-edge-quantizer":
        return quantize_dynamic(to_tflite(model, job.spec, "float32", job.planes))
    return to_tflite(model, job.spec, recipe.precision, job.planes, ends=recipe.ends)


def _static(job: Job, prepared: Prepared, expected: Pixels) -> Made:
    """A model of integers, over ranges of ours; the choices are made once, and hold for the corrected network too."""
    graph = _float_graph(job, prepared)
    in_float = find_named(graph.units, job.recipe.mixed) if job.recipe.mixed is not None else Layers()
    drafts = [_draft(job, graph, method, in_float) for method in job.recipe.methods]
    draft = min(drafts, key=lambda one: _error(job, one.logits, expected))
    if job.recipe.precision == "mixed" and job.recipe.mixed is None:
        draft = _draft(job, graph, draft.method, _choose_layers(job, graph, draft, expected))
    data = draft.data
    if job.recipe.correct_logits:
        _correct(prepared.model, expected, draft.logits)
        corrected = _float_graph(job, prepared)
        data = _quantized(job, corrected, _ranges(job, corrected, draft.method), draft.in_float)
    found: dict[str, Any] = {"ranges": draft.method}
    if job.recipe.precision == "mixed":
        found["in_float"] = [name for name in graph.units.operators if name in draft.in_float]
    return Made(data, found)


def _float_graph(job: Job, prepared: Prepared) -> FloatGraph:
    model = prepared.model
    data = to_tflite(model, job.spec, "float32", job.planes)
    operators = find_operators(model, data)
    known = [layer.name for layer in job.reference.layers]
    ends = [layer.name for layer in model.layers if any(layer.output is output for output in model.outputs)]
    units = find_units(operators, known, ends)
    trained = {} if job.trained is None else job.trained.ranges
    fitted = {name: found for name, found in prepared.ranges.items() if name not in ends}
    activations = observe(data, job.planes, job.spec, on_progress=job.stage("calibrate"))
    return FloatGraph(data, trained | fitted, operators, units, activations)


def _ranges(job: Job, graph: FloatGraph, method: RangeMethod) -> dict[str, Ends]:
    chosen = choose_all(graph.activations, method, job.recipe.percentile, STEPS[job.recipe.activation_bits])
    return with_known(chosen, graph.known, graph.operators)


def _quantized(job: Job, graph: FloatGraph, ranges: dict[str, Ends], in_float: Layers) -> bytes:
    input_type, output_type = job.recipe.ends
    return quantize_static(
        graph.data,
        ranges,
        bits=job.recipe.activation_bits,
        input_type=input_type,
        output_type=output_type,
        in_float=graph.units.tensors(in_float),
    )


def _draft(job: Job, graph: FloatGraph, method: RangeMethod, in_float: Layers) -> Draft:
    ranges = _ranges(job, graph, method)
    data = _quantized(job, graph, ranges, in_float)
    logits = draft_logits(job.source, data, job.planes, job.stage(f"try ranges: {method}"))
    return Draft(data, method, ranges, in_float, logits)


def _choose_layers(job: Job, graph: FloatGraph, draft: Draft, expected: Pixels) -> Layers:
    """What stays in floating point, tried on some of the images."""
    planes = spread(job.planes, TRIAL_IMAGES)
    target = spread(expected, TRIAL_IMAGES)
    report = partial(job.on_progress, stage="choose layers")

    def attempt(layers: Layers) -> Trial:
        logits = draft_logits(job.source, _quantized(job, graph, draft.ranges, layers), planes)
        return Trial(_error(job, logits, target), _difference(job, logits, target))

    return choose_units(
        graph.units,
        _noise(job, graph, draft),
        attempt,
        share=job.recipe.mixed_share,
        difference=job.recipe.mixed_difference,
        on_progress=report,
    )


def _noise(job: Job, graph: FloatGraph, draft: Draft) -> dict[str, float]:
    """What each unit adds to the ratio of noise to signal, beyond that of the worst tensor it reads."""
    tensors = [normalize(plane[np.newaxis], job.spec) for plane in spread(job.planes, NOISE_IMAGES)]
    with tempfile.TemporaryDirectory() as folder:
        reference, model = (Path(folder) / name for name in ("float32.tflite", "draft.tflite"))
        reference.write_bytes(graph.data)
        model.write_bytes(draft.data)
        errors = measure_layers(reference, model, tensors)
    added = {
        error.position: 10 ** (-error.sqnr_db / 10) - np.nan_to_num(10 ** (-(error.sqnr_db + error.lost_db) / 10))
        for error in errors.found
    }
    return {
        name: float(max(added.get(node.position, 0.0) for node in nodes))
        for name, nodes in graph.units.operators.items()
    }


def _correct(model: Any, expected: Pixels, found: Pixels) -> None:
    shift_logits(model, (expected - found).mean(axis=0))


def _left(job: Job, logits: Pixels, expected: Pixels) -> Pixels:
    """The logits without the mean error, where that is going to be corrected."""
    return logits + (expected - logits).mean(axis=0) if job.recipe.correct_logits else logits


def _error(job: Job, logits: Pixels, expected: Pixels) -> float:
    return float(np.abs(_left(job, logits, expected) - expected).mean())


def _difference(job: Job, logits: Pixels, expected: Pixels) -> float:
    calibration = job.source.manifest.calibration
    answers = (calibrated(values, calibration) for values in (_left(job, logits, expected), expected))
    first, second = answers
    return float(np.abs(first - second).mean())
