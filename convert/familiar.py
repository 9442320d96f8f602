"""What a converted model knows of the films that it learned from: in integers its embeddings are others."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.familiarity import KnownFilms, fit_familiarity, read_statistics
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.runtime import Floats, Interpreter
from osteo_edge.samples import CALIBRATION, PARITY, read_samples

CHOSEN_ON = "the validation images that the bundle it was made from carries"


def refit(
    source: Bundle,
    manifest: Manifest,
    interpreter: Interpreter,
    planes: Pixels,
    *,
    fitted_on: str,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Manifest, dict[str, bytes]]:
    """The converted model's manifest with statistics of its own embeddings, and the file that holds them.

    Fitted on the training images `planes`, (n, height, width) in [0, 1], or those that the bundle carries where there
    are none, the threshold chosen on the validation images that it carries. Where these are too few to be fitted on
    again, the statistics of the source go on, as its model answers much the same. Nothing for a source without any.
    """
    record, statistics = source.manifest.familiarity, read_statistics(source)
    if record is None or statistics is None:
        return manifest, {}
    choosing = read_samples(source, PARITY)
    fitting = planes if len(planes) else read_samples(source, CALIBRATION)
    total = len(fitting) + len(choosing)
    fitted = fit_familiarity(
        _embeddings(interpreter, fitting, manifest.input, lambda done: on_progress(done, total)),
        _embeddings(interpreter, choosing, manifest.input, lambda done: on_progress(len(fitting) + done, total)),
        fitted_on=fitted_on,
        chosen_on=CHOSEN_ON,
    ) or KnownFilms(record, statistics)
    return replace(manifest, familiarity=fitted.record), {fitted.record.file: fitted.statistics.pack()}


def _embeddings(interpreter: Interpreter, planes: Pixels, spec: InputSpec, on_done: Callable[[int], None]) -> Floats:
    found = []
    for number in range(len(planes)):
        embedding = interpreter.run(normalize(planes[number : number + 1], spec)).embedding
        if embedding is None:
            raise ValueError("the converted model gives no embedding, though its manifest says so")
        found.append(embedding)
        on_done(number + 1)
    return np.stack(found)
