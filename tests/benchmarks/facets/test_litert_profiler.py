import sys
from pathlib import Path

import pytest

from osteo_edge.benchmarks.facets.litert_profiler import profile_runs
from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.errors import OsteoEdgeError

GOLDEN = Path(__file__).resolve().parents[2] / "data"
MODULE = "osteo_edge.benchmarks.facets.litert_profiler"


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_summary_is_of_one_run_and_of_every_operator(precision: str) -> None:
    job = {"model": str(GOLDEN / f"golden-{precision}.tflite"), "threads": 1, "runs": 4, "seconds": 30}
    summaries = run_isolated(MODULE, job, timeout_s=60)
    assert len(summaries) == 4
    for summary in summaries:
        run_order = summary.partition("Top by Computation Time")[0].splitlines()
        operators = [line.split() for line in run_order if "[Delegate]:" in line]
        assert [words[-1] for words in operators] == [f"[Delegate]:{place}" for place in range(3)]
        assert {words[-2] for words in operators} == {"1"}


def test_when_time_runs_out_three_runs_are_taken_all_the_same() -> None:
    job = {"model": str(GOLDEN / "golden-int8.tflite"), "threads": 1, "runs": 1000, "seconds": 0}
    assert len(run_isolated(MODULE, job, timeout_s=60)) == 3


def test_without_litert_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(OsteoEdgeError, match="LiteRT is not installed: pip install ai-edge-litert"):
        profile_runs(GOLDEN / "golden-int8.tflite", 1, runs=1, seconds=1)
