"""One film as a model saw it: read, checked, prepared and put to the network, before any answer is made of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from osteo_edge.bundle import Bundle
from osteo_edge.familiarity import distance_of, too_far
from osteo_edge.findings import findings_of
from osteo_edge.gate import knee_rejections, rejections
from osteo_edge.image_quality import ImageQuality, measure_quality
from osteo_edge.layout import Layout
from osteo_edge.preprocessing import lay_out, to_tensor
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.runtime import Interpreter, Prediction

Reader = Callable[[Path], Radiograph]
"""Does what `read_radiograph` does, perhaps elsewhere."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a model gave for one film; or why the film must not be answered, `rejected`, and then nothing else.

    `unfit_for_density` says why a film that may be searched for abnormalities must not be asked about bone density.
    `warnings` say that the film is unlike those that the model learned from, where such films are answered all the
    same. `quality` is what the picture was measured to be, and `distance` how far the film lies from those films, where
    the bundle knows them and it got so far.
    """

    image: Path
    image_sha256: str
    stage_ms: dict[str, float]
    rejected: tuple[str, ...] = ()
    unfit_for_density: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    layout: Layout | None = None
    prediction: Prediction | None = None
    quality: ImageQuality | None = None
    distance: float | None = None

    @property
    def rounded_ms(self) -> dict[str, float]:
        """What each stage took, in milliseconds with two decimals."""
        return {stage: round(ms, 2) for stage, ms in self.stage_ms.items()}


def read_film(
    path: Path, bundle: Bundle, interpreter: Interpreter, *, any_film: bool, read: Reader = read_radiograph
) -> tuple[Radiograph, Reading]:
    """Put one image file to the model, unless a check says that it must not be answered.

    Raises `RadiographError` for a file that is no readable radiograph. `any_film` lets pass, with a warning, what is
    unlike the films that the model learned from. `read` opens and decodes the file.
    """
    manifest, stage_ms = bundle.manifest, dict[str, float]()
    with timed(stage_ms, "read"):
        radiograph = read(path)
    findings = findings_of(manifest)
    quality = measure_quality(radiograph.pixels)
    reasons = rejections(radiograph, manifest.gate, findings=findings, quality=quality)
    strict = rejections(radiograph, manifest.gate, quality=quality) if len(findings) > 1 else ()
    film = Reading(radiograph.source.path, radiograph.sha256, stage_ms, unfit_for_density=strict, quality=quality)
    if reasons:
        return radiograph, replace(film, rejected=reasons)
    with timed(stage_ms, "prepare"):
        layout = lay_out(radiograph.pixels, manifest.input)
        tensor = to_tensor(radiograph.pixels, manifest.input, layout)
    reasons = knee_rejections(layout)
    if reasons:
        return radiograph, replace(film, rejected=reasons)
    with timed(stage_ms, "infer"):
        prediction = interpreter.run(tensor)
        distance = distance_of(prediction.embedding, bundle)
    reasons, film = too_far(distance, manifest), replace(film, distance=distance)
    if reasons and not any_film:
        return radiograph, replace(film, rejected=reasons)
    return radiograph, replace(film, warnings=reasons, layout=layout, prediction=prediction)


@contextmanager
def timed(stage_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Note how many milliseconds the block takes."""
    start = time.perf_counter()
    yield
    stage_ms[stage] = (time.perf_counter() - start) * 1000
