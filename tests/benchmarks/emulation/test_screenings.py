"""Whole screenings counted: what is made of the guest's counters, and once for real."""

import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.emulation import screenings
from osteo_edge.benchmarks.emulation.guest import Finished
from osteo_edge.benchmarks.emulation.instructions import count_instructions
from osteo_edge.benchmarks.emulation.screenings import count_screening
from osteo_edge.benchmarks.measuring.results import Instructions
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError

ONE, MORE = (50, 100, 200_000, 80_000, 500_000), (50, 100, 20_000, 8_000, 60_000)
"""What the pretended guest takes for a process with one film, and for one more film in it."""
ANSWER = {"outcome": "refer", "reasons": ["score above 0.9"]}


@pytest.fixture
def inference(counted: Callable[..., Instructions]) -> Instructions:
    return replace(counted(1_000), dot_product=50, multiply_accumulate=100, estimated_ms=5.0, calibration="published")


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Pretend to screen in a guest: each film more takes `more`, and each process `drift` times what the last took."""

    def make(
        answer: dict[str, Any] | None = None, more: Iterable[int] = MORE, drift: float = 1.0, printed: str | None = None
    ) -> list[Any]:
        calls: list[Any] = []
        text = json.dumps(answer or ANSWER) if printed is None else printed

        def run(guest: object, board: object, words: list[str], **options: Any) -> Finished:
            films = sum(word.endswith(".png") for word in words)
            counts = [
                int((one + (films - 1) * extra) * drift ** len(calls)) for one, extra in zip(ONE, more, strict=True)
            ]
            (options["programs"] / "counters").write_bytes(struct.pack("=5Q", *counts))
            calls.append((words, options, {file.name for file in (options["programs"] / "osteo_edge").iterdir()}))
            return Finished(f"{text}\n" * films, "")

        monkeypatch.setattr(screenings, "available", lambda: None)
        monkeypatch.setattr(screenings, "compiled_plugin", lambda: Path("kinds.so"))
        monkeypatch.setattr(screenings, "prepare_guest", lambda runtime, on_progress: None)
        monkeypatch.setattr(screenings, "run_in_guest", run)
        return calls

    return make


def test_cold_is_a_whole_process_and_warm_what_one_more_film_adds(
    guest: Callable[..., list[Any]], bundle: Bundle, film: Path, inference: Instructions
) -> None:
    calls = guest()
    found = count_screening(bundle, film, inference)
    kinds = ("dot_product", "multiply_accumulate", "load", "store", "other")
    assert tuple(getattr(found.cold, kind) for kind in kinds) == ONE
    assert tuple(getattr(found.warm, kind) for kind in kinds) == MORE
    assert (found.cold.total, found.warm.total) == (sum(ONE), sum(MORE))
    assert (found.cold.cpu, found.cold.runtime, found.cold.spread) == (inference.cpu, inference.runtime, 0.0)
    assert (found.image, found.warm.estimated_ms, found.warm.calibration) == (film.name, None, None)
    films = [sum(word == str(film) for word in words) for words, *_ in calls]
    assert films == [1, 1, 2, 1, 2, 1, 2]  # the first is not counted: it compiles modules


def test_what_makes_counts_move_is_pinned(
    guest: Callable[..., list[Any]], bundle: Bundle, film: Path, inference: Instructions
) -> None:
    calls = guest()
    count_screening(bundle, film, inference)
    words, options, modules = calls[0]
    assert words[:3] == ["-m", "osteo_edge", "screen"]
    assert words[-3:] == ["--threads", "1", "--one-process"]
    assert options["settings"] == {"OSTEO_EDGE_PREFLIGHT": "0", "OPENCV_FOR_THREADS_NUM": "1"}
    assert {"screen_command.py", "knee_template.npz"} <= modules
    assert "__pycache__" not in modules


@pytest.mark.parametrize(
    ("pretended", "problem"),
    [
        ({"answer": {"outcome": "rejected", "reasons": ["too small"]}}, r"is rejected \(too small\)"),
        ({"printed": "Killed"}, "did not print an answer"),
        ({"printed": '{"image": "film.png", "error": "unreadable"}'}, "did not print an answer"),
        ({"drift": 1.02}, r"differ by \d+\.\d% in instructions"),
        ({"more": (0, 100, 20_000, 8_000, 60_000)}, "fewer instructions of the kind dot product than an inference"),
        ({"more": (50, 0, 20_000, 8_000, 60_000)}, "fewer instructions of the kind multiply accumulate"),
    ],
)
def test_a_count_that_means_nothing_is_one_line(
    guest: Callable[..., list[Any]],
    bundle: Bundle,
    film: Path,
    inference: Instructions,
    pretended: dict[str, Any],
    problem: str,
) -> None:
    guest(**pretended)
    with pytest.raises(OsteoEdgeError, match=problem) as caught:
        count_screening(bundle, film, inference)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_counted_is_said_before_anything_is_fetched(
    bundle: Bundle, film: Path, inference: Instructions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screenings, "available", lambda: "emulation needs qemu-aarch64")
    with pytest.raises(OsteoEdgeError, match=r"^emulation needs qemu-aarch64$"):
        count_screening(bundle, film, inference)


@pytest.mark.slow
@pytest.mark.device
@pytest.mark.usefixtures("emulator")
def test_screenings_counted_for_real_repeat_and_hold_an_inference(bundle: Bundle, film: Path) -> None:
    inference = count_instructions(bundle.model_path, "cortex-a76")
    found = count_screening(bundle, film, inference)
    assert found.cold.total > 10 * found.warm.total > 10 * inference.total
    assert found.warm.dot_product >= inference.dot_product > 0
    for counted in (found.cold, found.warm):
        assert counted.spread is not None
        assert counted.spread < 0.01
        assert counted.runtime == inference.runtime
