from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.benchmarks.facets.memory import arena_bytes, measure_memory
from osteo_edge.benchmarks.facets.memory_probe import Footprint, ProbeRequest, probe, read_footprint
from osteo_edge.benchmarks.runtimes.runners import RunnerSpec
from osteo_edge.bundle import Bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import InputSpec

GOLDEN = Path(__file__).resolve().parents[2] / "data"
MIB = 1 << 20
STATUS = "Name:\tpython\nVmPeak:\t  400000 kB\nVmHWM:\t   61234 kB\nVmRSS:\t   50000 kB\n"
ROLLUP = "00400000-7ffd [rollup]\nRss:               50000 kB\nPss:               33000 kB\nPss_Dirty:  20000 kB\n"


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Path]:
    """A process's folder in /proc, with the files given by their names."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


def test_a_process_tells_its_high_water_mark_and_its_share(process: Callable[..., Path]) -> None:
    maps = f"7f00-7f01 r--s 00000000 08:01 99   {GOLDEN / 'golden-int8.tflite'}\n7f02-7f03 rw-p 00000000 00:00 0\n"
    folder = process(status=STATUS, smaps_rollup=ROLLUP, maps=maps)
    found = read_footprint(GOLDEN / "golden-int8.tflite", folder)
    assert found == Footprint(61234 * 1024, 33000 * 1024, model_is_mapped=True)
    assert not read_footprint(GOLDEN / "golden-float32.tflite", folder).model_is_mapped


def test_a_kernel_that_tells_no_share_leaves_it_open(process: Callable[..., Path]) -> None:
    assert read_footprint(GOLDEN / "golden-int8.tflite", process(status=STATUS, maps="")).proportional_bytes is None


def test_where_there_is_no_proc_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="tells no peak of memory; measure it on Linux"):
        read_footprint(GOLDEN / "golden-int8.tflite", tmp_path)


def test_a_probe_loads_and_runs_the_model_unless_it_is_to_stay_bare() -> None:
    spec = RunnerSpec("LiteRT", str(GOLDEN / "golden-int8.tflite"), threads=1)
    assert probe(ProbeRequest(spec, 32, 32, 3, bare=False)).peak_bytes > 0
    missing = RunnerSpec("LiteRT", "/no/model.tflite", threads=1)
    assert not probe(ProbeRequest(missing, 32, 32, 3, bare=True)).model_is_mapped


def test_processes_with_the_model_are_measured_beside_bare_ones(bundle: Bundle) -> None:
    ballast = np.ones(50 * MIB)  # 400 MiB here, in none of the processes
    spec = RunnerSpec("LiteRT", str(bundle.model_path), threads=1)
    seen: list[tuple[int, int]] = []
    found = measure_memory(spec, bundle.manifest.input, processes=3, on_progress=lambda *done: seen.append(done))
    assert found.peaks_bytes is not None
    assert found.bare_peaks_bytes is not None
    assert found.peak_bytes == sorted(found.peaks_bytes)[1]
    assert found.bare_peak_bytes == sorted(found.bare_peaks_bytes)[1]
    assert 20 * MIB < found.bare_peak_bytes < found.peak_bytes < 300 * MIB
    assert found.proportional_bytes is not None
    assert found.proportional_bytes < found.peak_bytes
    assert found.model_is_mapped
    assert found.arena_bytes == arena_bytes(bundle.model_path)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert ballast.size


def test_a_model_that_cannot_be_loaded_is_one_line() -> None:
    spec = RunnerSpec("LiteRT", "/no/model.tflite", threads=1)
    with pytest.raises(OsteoEdgeError, match=r"^/no/model\.tflite: there is no such file; give a TFLite model$"):
        measure_memory(spec, InputSpec(32, 32), processes=1)


def test_a_runtime_that_is_not_there_is_one_line() -> None:
    spec = RunnerSpec("no_such_peer", str(GOLDEN / "golden-int8.tflite"), threads=1)
    with pytest.raises(OsteoEdgeError, match=r"^no_such_peer is not installed or does not load here"):
        probe(ProbeRequest(spec, 32, 32, 3, bare=True))


def test_the_arena_holds_what_a_run_writes_and_reuses_its_places() -> None:
    """Of the golden float model: the input is 12,288 bytes and the other tensors, scratch space apart, 1,292."""
    written = 4 * (32 * 32 * 3 + 8 * 8 * 2 + 8 * 8 * 3 + 3)
    found = arena_bytes(GOLDEN / "golden-float32.tflite")
    assert written <= found < 3 * written
    assert found / 5 < arena_bytes(GOLDEN / "golden-int8.tflite") < found / 3
