"""How fast this device answers: one drawn film is screened again and again for some seconds, with what it took."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.host import THIS_MACHINE, Host
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import screen
from osteo_edge.throttling import read_temperature_c, read_throttling, throttled_meanwhile

SECONDS: Final = 10.0
WARM_UP_RUNS: Final = 2
MIN_RUNS: Final = 10
"""As many as it takes for a ninth of ten."""
LOOK_EVERY_S: Final = 1.0
"""How often the machine is asked whether it is throttled: between films, outside what is timed."""
MIN_TRENDING_RUNS: Final = 30
SLOWED: Final = 1.1
STAGES: Final = {
    "read": "Reading the film",
    "prepare": "Preparing it",
    "infer": "The model",
    "map": "The map",
    "rest": "Checks and the rest",
}
"""The steps of a screening in their order, each with its name as a message to be translated."""


MEASURING: Final = "A drawn film is being screened for ten seconds…"
"""What is going on meanwhile, as a message to be translated."""


@dataclass(frozen=True)
class Times:
    """What one step, or the whole, took: half of the films at most `median_ms`, nine out of ten at most `p90_ms`."""

    median_ms: float
    p90_ms: float


@dataclass(frozen=True)
class SelfTest:
    """What was found. `stages` are those of `STAGES`; their medians come to about that of the whole, not quite.

    `slowdown` is the median of the last third of the films over that of the first, None where they were too few.
    `throttling` is what the machine reported meanwhile, in words; one that reports nothing may be throttled still.
    """

    runs: int
    whole: Times
    stages: dict[str, Times]
    runtime: str
    slowdown: float | None
    throttling: tuple[str, ...]
    temperature_c: float | None


def run_self_test(
    bundle: Bundle,
    *,
    threads: int | None = None,
    seconds: float = SECONDS,
    on_progress: Callable[[float], None] = lambda share: None,
    host: Host = THIS_MACHINE,
) -> SelfTest:
    """Screen the drawn film for about `seconds`, from the file to the answer, at least ten times.

    `on_progress` is told the share of the time that has passed, after each film; what it raises ends the test. Raises
    `BundleError` if the model cannot be loaded, and `OsteoEdgeError` if it rejects the drawn film.
    """
    interpreter = open_interpreter(bundle, threads=threads)
    for _ in range(WARM_UP_RUNS):
        _screen_once(bundle, interpreter)
    before, flags = read_throttling(host), list[str]()
    whole_ms, stages_ms = list[float](), list[dict[str, float]]()
    start = looked = time.monotonic()
    while (now := time.monotonic()) < start + seconds or len(whole_ms) < MIN_RUNS:
        if now >= looked + LOOK_EVERY_S:
            looked = now
            flags += throttled_meanwhile(before, read_throttling(host))
        taken_ms, steps = _screen_once(bundle, interpreter)
        whole_ms.append(taken_ms)
        stages_ms.append(steps)
        on_progress(min(1.0, (time.monotonic() - start) / seconds, len(whole_ms) / MIN_RUNS))
    flags += throttled_meanwhile(before, read_throttling(host))
    return SelfTest(
        runs=len(whole_ms),
        whole=_times(whole_ms),
        stages={stage: _times([steps[stage] for steps in stages_ms]) for stage in STAGES},
        runtime=interpreter.name,
        slowdown=slowdown_of(whole_ms),
        throttling=tuple(dict.fromkeys(flags)),
        temperature_c=read_temperature_c(host),
    )


def slowdown_of(times_ms: Sequence[float]) -> float | None:
    """The median of the last third over that of the first; None of fewer than 30.

    >>> slowdown_of([10.0] * 20 + [15.0] * 10)
    1.5
    """
    third = len(times_ms) // 3
    return median(times_ms[-third:]) / median(times_ms[:third]) if len(times_ms) >= MIN_TRENDING_RUNS else None


def summarize(found: SelfTest, translate: Translate = str) -> tuple[str, ...]:
    """What was found in a few sentences: how fast, and whether the device slowed down."""
    return tuple(_sentences(found, translate))


def _sentences(found: SelfTest, translate: Translate) -> Iterable[str]:
    speed = translate("One film takes {median} ms; nine films out of ten take {p90} ms at most.")
    yield speed.format(median=round(found.whole.median_ms), p90=round(found.whole.p90_ms))
    if found.throttling:
        slowed = translate("The device slowed itself down ({flags}): see to its power supply and cooling.")
        yield slowed.format(flags=", ".join(map(translate, found.throttling)))
    elif found.slowdown is not None and found.slowdown > SLOWED:
        slower = translate("It became {percent} % slower during the test: the device may be warm, or busy.")
        yield slower.format(percent=round((found.slowdown - 1) * 100))
    if found.temperature_c is not None:
        yield translate("The processor is at {degrees} °C.").format(degrees=round(found.temperature_c))


def _screen_once(bundle: Bundle, interpreter: Interpreter) -> tuple[float, dict[str, float]]:
    start = time.perf_counter()
    _, screening = screen(DRAWN_FILM, bundle, interpreter, force=True, any_film=True)
    taken_ms = (time.perf_counter() - start) * 1000
    if screening.outcome == "rejected":
        raise OsteoEdgeError(f"{bundle.path}: rejects the drawn film ({screening.reasons[0]}); its speed is not known")
    steps = screening.stage_ms
    return taken_ms, {**steps, "rest": max(0.0, taken_ms - sum(steps.values()))}


def _times(times_ms: Sequence[float]) -> Times:
    return Times(float(np.median(times_ms)), float(np.percentile(times_ms, 90)))
