"""The whole conversion: Keras bundle in, TFLite bundle with its measured loss out."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.activation_ranges import ActivationRanges, read_ranges
from osteo_edge.bundle import Bundle, require_free, write_bundle
from osteo_edge.console import Advance
from osteo_edge.convert.calibration import Calibration, carried, require_enough
from osteo_edge.convert.clusters import for_shared_values, shares_values
from osteo_edge.convert.compression import Job, Made, compress, for_trained
from osteo_edge.convert.drafts import MODEL_FILE, describe_model, open_draft
from osteo_edge.convert.familiar import refit
from osteo_edge.convert.heeding import CALIBRATION, require_heeded, require_kept
from osteo_edge.convert.mixed import matching_layers
from osteo_edge.convert.parity import MIN_DECISION_AGREEMENT, measure_parity
from osteo_edge.convert.recipe import Recipe
from osteo_edge.convert.tflite import load_keras
from osteo_edge.manifest import Manifest, Metric, Parent, Precision
from osteo_edge.samples import PARITY, read_samples
from osteo_edge.strict import to_dict
from osteo_edge.version import VERSION


def convert_bundle(
    source: Bundle,
    recipe: Recipe | Precision,
    out: Path,
    *,
    asked: Collection[str] = (),
    calibration: Callable[[], Calibration] | None = None,
    min_agreement: float = MIN_DECISION_AGREEMENT,
    on_progress: Advance,
) -> Bundle:
    """Convert a Keras bundle by a recipe, measure what that changed, and write the bundle `out`.

    A precision alone stands for the usual recipe for it. `asked` are the recipe's fields that somebody chose:
    `OsteoEdgeError` for one that does nothing for this network. `calibration` reads training images to take instead of
    those that the bundle carries. A bundle whose decisions do not agree on a share of `min_agreement` is written too:
    its `parity.passed` is False.
    """
    require_free(out)
    recipe = recipe if isinstance(recipe, Recipe) else Recipe(recipe)
    asked = asked if calibration is None else (*asked, CALIBRATION)
    require_heeded(recipe, asked)
    job, images = _job(source, recipe, asked, calibration, on_progress)
    made = compress(job)
    manifest = _manifest(job, made, images)
    interpreter = open_draft(manifest, made.data)
    parity = measure_parity(
        source,
        job.reference,
        interpreter,
        read_samples(source, PARITY),
        min_agreement=min_agreement,
        on_progress=lambda done, total: on_progress(done, total, stage="compare"),
    )
    manifest, files = refit(
        source,
        replace(manifest, parity=parity),
        interpreter,
        job.planes,
        fitted_on=images if len(job.planes) else carried(source).source,
        on_progress=lambda done, total: on_progress(done, total, stage="know the films"),
    )
    return write_bundle(out, manifest, {MODEL_FILE: made.data, **files})


def _job(
    source: Bundle,
    recipe: Recipe,
    asked: Collection[str],
    calibration: Callable[[], Calibration] | None,
    on_progress: Advance,
) -> tuple[Job, str]:
    """What is to be done, and where its images come from; they are read last, once all else is known to be in order."""
    reference = load_keras(source)
    for name in recipe.mixed or ():
        matching_layers([layer.name for layer in reference.layers], name)
    trained = read_ranges(source)
    settled = _settled(recipe, reference, trained, asked)
    images = _images(source, settled, calibration)
    return Job(source, reference, settled, images.planes, trained, on_progress), images.source


def _settled(recipe: Recipe, reference: Any, trained: ActivationRanges | None, asked: Collection[str]) -> Recipe:
    """The recipe for this network: one that was trained for int8, or to share values, is spared some steps."""
    if trained is not None and recipe.has_int8_weights:
        settled, reason = for_trained(recipe), "the network was trained for int8, and is converted as it is"
    elif recipe.has_int8_weights and shares_values(reference):
        settled, reason = for_shared_values(recipe), "the network's weights share values, which they are to keep"
    else:
        return recipe
    require_kept(recipe, settled, asked, reason)
    require_heeded(settled, asked)
    return settled


def _images(source: Bundle, recipe: Recipe, read: Callable[[], Calibration] | None) -> Calibration:
    """The images that the recipe needs, those that the bundle carries if there is nothing else to read."""
    if not recipe.needs_images:
        return Calibration(np.zeros((0, source.manifest.input.height, source.manifest.input.width), np.float32), "none")
    images = carried(source) if read is None else read()
    if recipe.is_static:
        require_enough(images, recipe.precision)
    return images


def _manifest(job: Job, made: Made, images: str) -> Manifest:
    old = job.source.manifest
    recipe = {
        **to_dict(job.recipe),
        "engine": job.recipe.maker,
        **dict(zip(("input_type", "output_type"), job.recipe.ends, strict=True)),
        "calibration": {"images": len(job.planes), "source": images},
        "trained_ranges": job.takes_trained_ranges,
        "found": made.found,
    }
    return replace(
        describe_model(old, made.data, job.recipe.precision),
        created_by=f"osteo-edge {VERSION}",
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        parent=Parent(old.model.sha256, {"convert": recipe, "parent": old.parent.recipe}),
        metrics={name: _before(metric) for name, metric in old.metrics.items()},
    )


def _before(metric: Metric) -> Metric:
    """A metric of the model before conversion says so."""
    note = ", before conversion"
    return metric if metric.part.endswith(note) else replace(metric, part=metric.part + note)
