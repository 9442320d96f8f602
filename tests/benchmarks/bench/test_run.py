"""A whole benchmark of the golden models: real processes, every facet, and what cannot be had is listed."""

from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.benchmarks.baselines.file import Baseline, write_baseline
from osteo_edge.benchmarks.bench.job import QUICK, Job, Labelled
from osteo_edge.benchmarks.bench.run import run_benchmark
from osteo_edge.benchmarks.report.json_file import read_report_file, write_report_file
from osteo_edge.console import Advance
from osteo_edge.errors import OsteoEdgeError

SHORT = replace(QUICK, runs=10, seconds=0.05, budget_s=1.0)


@pytest.fixture
def silent() -> Advance:
    """A progress that shows nothing."""
    return lambda done, total, note="", stage=None: None


@pytest.fixture
def job(pair: tuple[Path, Path], films: Path, film: Path) -> Job:
    """Float and int8 in two ways, on labelled films."""
    labelled = Labelled(films, films.parent / "split.csv", "test")
    return Job(pair, (1, 2), SHORT, labelled=labelled, image=film)


@pytest.mark.slow
def test_every_facet_of_every_variant_is_in_the_report_and_survives_its_file(
    job: Job, baseline: Baseline, tmp_path: Path, silent: Advance
) -> None:
    job = replace(job, baseline=write_baseline(baseline, tmp_path / "gpu.json"), tunes=True)
    report = run_benchmark(job, on_progress=silent)
    names = ["float, 1 thread", "float, 2 threads", "int8, 1 thread", "int8, 2 threads"]
    assert [found.variant.name for found in report.measurements] == names
    for found in report.measurements:
        assert found.latency is not None
        assert found.latency.summary.median.value > 0
        assert found.memory is not None
        assert found.size is not None
        assert found.fidelity is not None
        assert found.fidelity.n == 9
        assert found.fidelity.images_sha256 is not None
        assert found.baselines is not None
        assert {one.precision for one in found.baselines} == {"float32", "float16"}
    first, second, compressed, _ = report.measurements
    assert first.stages is not None
    assert first.placement is not None
    assert second.stages is None
    assert compressed.fidelity is not None
    assert compressed.fidelity.decisions_agree is not None
    assert report.tunings is not None
    assert len(report.tunings) == 2
    assert {(gap.of, gap.what) for gap in report.missing} >= {("float, 1 thread", "agreement with the baseline")}
    assert (
        read_report_file(write_report_file(report, tmp_path / "report.json")).measurements[0].variant == first.variant
    )


@pytest.mark.slow
def test_what_fails_is_missing_and_the_rest_is_measured(job: Job, tmp_path: Path, silent: Advance) -> None:
    nothing = tmp_path / "nothing.json"
    split = job.labelled.split if job.labelled else tmp_path
    broken = replace(
        job,
        bundles=(*job.bundles[:1], tmp_path / "none"),
        threads=(1,),
        labelled=Labelled(tmp_path / "no-films", split, "test"),
        baseline=nothing,
        image=tmp_path / "no.png",
    )
    report = run_benchmark(broken, on_progress=silent)
    (found,) = report.measurements
    assert found.latency is not None
    assert (found.stages, found.fidelity, found.baselines) == (None, None, None)
    gaps = {gap.what: gap.reason for gap in report.missing}
    assert gaps.keys() >= {"everything", "stages", "fidelity", "baseline"}
    assert str(nothing) in gaps["baseline"]
    assert str(tmp_path / "no.png") in gaps["stages"]


def test_nothing_to_measure_is_an_error(job: Job, tmp_path: Path, silent: Advance) -> None:
    with pytest.raises(OsteoEdgeError, match="none"):
        run_benchmark(replace(job, bundles=(tmp_path / "none",)), on_progress=silent)
