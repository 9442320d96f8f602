"""What is made of the guest's counts; the guest itself runs in `test_counting.py`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.emulation import instructions
from osteo_edge.benchmarks.emulation.guest import Finished
from osteo_edge.benchmarks.emulation.instructions import count_instructions
from osteo_edge.errors import OsteoEdgeError

MODEL = Path("model.tflite")
XNNPACK = "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the guest print something without there being one."""

    def make(output: str | None = None, messages: str = XNNPACK, **changes: Any) -> None:
        printed = {
            "version": "2.3.0",
            "delegated": True,
            "empty": [[0, 0, 300, 100, 600], [0, 0, 310, 110, 610], [0, 0, 290, 90, 590]],
            "inferences": [[10_000, 2_000, 5_300, 1_100, 3_600]] * 3,
        }
        text = json.dumps({**printed, **changes}) if output is None else output
        monkeypatch.setattr(instructions, "available", lambda: None)
        monkeypatch.setattr(instructions, "emulator_version", lambda: "7.2.22")
        monkeypatch.setattr(instructions, "compiled_plugin", lambda: Path("kinds.so"))
        monkeypatch.setattr(instructions, "prepare_guest", lambda runtime, on_progress: None)
        monkeypatch.setattr(instructions, "run_in_guest", lambda *given, **options: Finished(text, messages))

    return make


def test_counts_are_of_the_inference_without_the_reading_of_counters(guest: Callable[..., None]) -> None:
    guest()
    found = count_instructions(MODEL, "cortex-a72", precision="int8")
    assert (found.dot_product, found.multiply_accumulate, found.load, found.store, found.other) == (
        10_000,
        2_000,
        5_000,
        1_000,
        3_000,
    )
    assert found.total == 21_000
    assert (found.cpu, found.emulator, found.runtime) == ("cortex-a72", "QEMU 7.2.22", "LiteRT 2.3.0")
    assert found.uses_xnnpack
    assert found.spread == 0.0
    assert found.estimated_ms == pytest.approx(17 * 21_000 / 113_380_000)
    assert "17 ms" in str(found.calibration)
    assert found.estimated_threads == 4


def test_no_time_is_estimated_for_the_newer_board(guest: Callable[..., None]) -> None:
    guest()
    found = count_instructions(MODEL, "cortex-a76", precision="int8")
    assert (found.estimated_ms, found.calibration) == (None, None)


@pytest.mark.parametrize(
    ("printed", "problem"),
    [
        ({"inferences": [[100_000, 0, 0, 0, 1_000], [101_500, 0, 0, 0, 1_000]]}, "differ by 1.5% in instructions"),
        ({"messages": ""}, "LiteRT left XNNPACK out, so it did not know the emulated cortex-a76"),
        ({"output": "", "messages": f"{XNNPACK}Killed\n"}, r"did not print its counts \(Killed\)"),
        ({"version": 2}, "did not print its counts"),
    ],
)
def test_a_count_that_means_nothing_is_one_line(
    guest: Callable[..., None], printed: dict[str, Any], problem: str
) -> None:
    guest(**printed)
    with pytest.raises(OsteoEdgeError, match=f"^model.tflite: .*{problem}"):
        count_instructions(MODEL, "cortex-a76")


def test_a_model_that_xnnpack_takes_nothing_of_is_counted_and_said_so(guest: Callable[..., None]) -> None:
    guest(delegated=False)
    assert not count_instructions(MODEL, "cortex-a76").uses_xnnpack


def test_tflite_runtime_opens_xnnpack_only_for_what_it_takes(guest: Callable[..., None]) -> None:
    guest(delegated=False, messages="", version="2.14.0")
    assert count_instructions(MODEL, "cortex-a76", runtime="tflite-runtime").runtime == "tflite-runtime 2.14.0"


def test_what_cannot_be_counted_is_said_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "available", lambda: "emulation needs qemu-aarch64")
    with pytest.raises(OsteoEdgeError, match=r"^emulation needs qemu-aarch64$"):
        count_instructions(MODEL, "cortex-a76")
    with pytest.raises(OsteoEdgeError, match="onnxruntime: no runtime of the guest; there are LiteRT, tflite-runtime"):
        count_instructions(MODEL, "cortex-a76", runtime="onnxruntime")
