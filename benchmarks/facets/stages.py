"""The steps from a film's file to an answer, each with every time it took: in a warm process, and from a cold start."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from osteo_edge.benchmarks.bundles.cold_start import screening_program
from osteo_edge.benchmarks.measuring.cold_process import run_cold
from osteo_edge.benchmarks.measuring.results import Stages
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.findings import findings_of
from osteo_edge.gate import knee_rejections, rejections
from osteo_edge.overlay import blend
from osteo_edge.preprocessing import lay_out, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import evidence_of, screen

RUNS = 30
COLD_RUNS = 7
WARM_UP_ROUNDS = 2
FILM_PX = 2048
DRAWN = f"a drawn knee film of {FILM_PX} pixels, PNG"
TIMEOUT_S = 300.0
STEPS = ("decode", "preprocess", "inference", "activation_map")

Times = dict[str, list[float]]


def measure_stages(
    bundle: Bundle,
    image: Path | None = None,
    *,
    threads: int,
    runs: int = RUNS,
    cold_runs: int = COLD_RUNS,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Stages:
    """Measure the steps of screening one film with a TFLite bundle: `image`, or one that is drawn.

    Decoding is from the file, preprocessing has the input gate and the search for knees in it, inference the rounding
    of input and outputs, and the activation map the picture of the film with the map over it. End to end is the flow of
    the app itself, measured in turns with the steps, so they add up to about that. Cold starts are whole processes of
    `osteo-edge screen`, one before them uncounted. `OsteoEdgeError` if the image cannot be read or is rejected.
    """
    if image is None:
        with TemporaryDirectory() as folder:
            drawn = draw_film(Path(folder))
            return _measure(bundle, drawn, DRAWN, threads, runs, cold_runs, on_progress)
    return _measure(bundle, image, str(image), threads, runs, cold_runs, on_progress)


def draw_film(folder: Path, *, size: int = FILM_PX) -> Path:
    """Have `osteo-edge data phantom` draw a film of `size` pixels below `folder`, always the same."""
    out = folder / "phantoms"
    command = [
        *screening_program(),
        "data",
        "phantom",
        str(out),
        "--per-class",
        "1",
        "--size",
        str(size),
        "--seed",
        "0",
    ]
    try:
        finished = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"no film could be drawn in {TIMEOUT_S:.0f} s; give one to measure with") from error
    if finished.returncode != 0:
        raise OsteoEdgeError(f"no film could be drawn ({finished.stderr.strip()}); give one to measure with")
    return min((out / "osteoporosis").glob("*.png"))


def _measure(
    bundle: Bundle,
    image: Path,
    name: str,
    threads: int,
    runs: int,
    cold_runs: int,
    on_progress: Callable[[int, int], None],
) -> Stages:
    interpreter = open_interpreter(bundle, threads=threads)
    times: Times = {step: [] for step in (*STEPS, "end_to_end")}
    _check_accepted(bundle, image, name, interpreter)
    total = WARM_UP_ROUNDS + runs + cold_runs
    for number in range(WARM_UP_ROUNDS + runs):
        kept = times if number >= WARM_UP_ROUNDS else {step: [] for step in times}
        _take_steps(bundle, image, interpreter, kept)
        _take_whole(bundle, image, interpreter, kept)
        on_progress(number + 1, total)
    cold = _cold_starts(bundle, image, threads, cold_runs, lambda done: on_progress(total - cold_runs + done, total))
    return Stages(
        cold_start_ms=cold,
        decode_ms=tuple(times["decode"]),
        preprocess_ms=tuple(times["preprocess"]),
        inference_ms=tuple(times["inference"]),
        activation_map_ms=tuple(times["activation_map"]),
        end_to_end_ms=tuple(times["end_to_end"]),
        image=name,
    )


def _check_accepted(bundle: Bundle, image: Path, name: str, interpreter: Interpreter) -> None:
    _, screening = screen(image, bundle, interpreter, force=True, any_film=True)
    if screening.outcome == "rejected":
        raise OsteoEdgeError(f"{name}: rejected by {bundle.path} ({screening.reasons[0]}); give a film that it takes")


def _take_steps(bundle: Bundle, image: Path, interpreter: Interpreter, times: Times) -> None:
    """What `osteo_edge.screening.screen` does, step by step."""
    manifest = bundle.manifest
    with _timed(times, "decode"):
        radiograph = read_radiograph(image)
    with _timed(times, "preprocess"):
        rejections(radiograph, manifest.gate, findings=findings_of(manifest))
        layout = lay_out(radiograph.pixels, manifest.input)
        tensor = to_tensor(radiograph.pixels, manifest.input, layout)
        knee_rejections(layout)
    with _timed(times, "inference"):
        prediction = interpreter.run(tensor)
    with _timed(times, "activation_map"):
        blend(radiograph.pixels, evidence_of(prediction, manifest, layout))


def _take_whole(bundle: Bundle, image: Path, interpreter: Interpreter, times: Times) -> None:
    with _timed(times, "end_to_end"):
        radiograph, screening = screen(image, bundle, interpreter, force=True, any_film=True)
        blend(radiograph.pixels, screening.evidence)


def _cold_starts(
    bundle: Bundle, image: Path, threads: int, runs: int, on_done: Callable[[int], None]
) -> tuple[float, ...]:
    options = ("--json", "--force", "--any-film", "--threads", str(threads))
    command = [*screening_program(), "screen", str(bundle.path), str(image), *options]
    with TemporaryDirectory() as folder:
        run = partial(run_cold, command, bytecode=Path(folder))
        run()
        found = []
        for number in range(runs):
            found.append(run().wall_ms)
            on_done(number + 1)
        return tuple(found)


@contextmanager
def _timed(times: Times, step: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times[step].append((time.perf_counter() - start) * 1000)
