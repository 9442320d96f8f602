"""`osteo-edge bench` as it is called: what it prints and writes, and its exit code."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.bench.job import Job, Labelled
from osteo_edge.benchmarks.measuring.results import Measurement, Report
from osteo_edge.benchmarks.report.json_file import write_report_file
from osteo_edge.cli import run
from osteo_edge.errors import OsteoEdgeError

COMMAND = "osteo_edge.benchmarks.bench.command"


@pytest.fixture
def jobs(golden_report: Report, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that the command gives; each is answered with the golden report."""
    seen: list[Job] = []

    def answer(job: Job, *, on_progress: Any) -> Report:
        seen.append(job)
        return golden_report

    monkeypatch.setattr(f"{COMMAND}.run_benchmark", answer)
    return seen


@pytest.mark.slow
def test_bundles_are_measured_and_the_report_is_written(
    pair: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    words = ["bench", *map(str, pair), "--quick", "--budget-min", "0.05", "--threads", "1", "--out", str(out)]
    assert run(words) == 0
    printed = capsys.readouterr()
    assert "float, 1 thread" in printed.out
    assert "The fastest bundle is" in printed.out
    assert sorted(path.name for path in out.iterdir()) == [
        "report.csv",
        "report.html",
        "report.json",
        "report.md",
        "runs.csv",
    ]
    assert "Traceback" not in printed.err


def test_every_option_reaches_the_job(jobs: list[Job], film: Path, tmp_path: Path) -> None:
    split, recorded = tmp_path / "split.csv", tmp_path / "gpu.json"
    split.touch()
    recorded.touch()
    words = ["bench", "a", "b", "--data", str(tmp_path), "--split", str(split), "--image", str(film)]
    words += ["--threads", "1,2,1", "--peers", "OpenVINO,tensorflow"]
    words += [
        "--emulate",
        "cortex-a72,cortex-a76",
        "--tune",
        "--baseline",
        str(recorded),
        "--budget-min",
        "2",
        "--seed",
        "7",
    ]
    assert run([*words, "--json"]) == 0
    (job,) = jobs
    assert job.bundles == (Path("a"), Path("b"))
    assert job.threads == (1, 2)
    assert job.peers == ("openvino", "TensorFlow")
    assert job.cpus == ("cortex-a72", "cortex-a76")
    assert job.labelled == Labelled(tmp_path, split, "test")
    assert (job.image, job.baseline) == (film, recorded)
    assert job.tunes
    assert (job.settings.runs, job.settings.seconds, job.settings.budget_s, job.settings.seed) == (1024, 60, 120, 7)


def test_json_is_the_whole_report(jobs: list[Job], golden_report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "a", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == golden_report.schema
    assert len(document["measurements"]) == len(golden_report.measurements)


def test_a_regression_exits_with_1(
    jobs: list[Job], golden_report: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def smaller(found: Measurement) -> Measurement:
        return found if found.size is None else replace(found, size=replace(found.size, model_bytes=1))

    older = replace(golden_report, measurements=tuple(map(smaller, golden_report.measurements)))
    same, better = write_report_file(golden_report, tmp_path / "a.json"), write_report_file(older, tmp_path / "b.json")
    assert run(["bench", "a", "--compare", str(same)]) == 0
    capsys.readouterr()
    assert run(["bench", "a", "--compare", str(better)]) == 1
    assert "REGRESSION" in capsys.readouterr().out


def test_nothing_measured_exits_with_1(
    golden_report: Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    untimed = tuple(replace(found, latency=None, unstable=None) for found in golden_report.measurements)
    report = replace(golden_report, measurements=untimed, tunings=None)
    monkeypatch.setattr(f"{COMMAND}.run_benchmark", lambda job, *, on_progress: report)
    assert run(["bench", "a"]) == 1
    assert "not measured: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--data", "."), 2, "--data and --split go together"),
        (("--data", "films", "--split", __file__), 2, "'--data': Path 'films' does not exist"),
        (("--data", ".", "--split", "none.csv"), 2, "'--split': File 'none.csv' does not exist"),
        (("--image", "none.png"), 2, "'--image': File 'none.png' does not exist"),
        (("--baseline", "none.json"), 2, "'--baseline': File 'none.json' does not exist"),
        (("--peers", "tvm"), 2, "'tvm' is none of onnxruntime, openvino"),
        (("--emulate", "cortex-m4"), 2, "'cortex-m4' is none of cortex-a72, cortex-a76"),
        (("--threads", "none"), 2, "give numbers between 1 and 64"),
        (("--threads", "0"), 2, "give numbers between 1 and 64"),
        (("--compare", "missing.json"), 1, "missing.json"),
    ],
)
def test_bad_options_are_refused_before_anything_is_measured(
    jobs: list[Job], options: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "a", *options]) == code
    assert message in capsys.readouterr().err
    assert not jobs


def test_a_place_that_is_no_folder_is_refused_before_anything_is_measured(
    jobs: list[Job], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "report").write_text("a file")
    assert run(["bench", "a", "--out", str(tmp_path / "report")]) == 1
    assert "the report cannot be written there" in capsys.readouterr().err
    assert not jobs


@pytest.mark.usefixtures("jobs")
def test_what_cannot_be_written_after_all_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OsteoEdgeError("No space left on device")

    monkeypatch.setattr(f"{COMMAND}.write_report", full)
    assert run(["bench", "a", "--out", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "The fastest bundle is" in printed.out
    assert "No space left" in printed.err


def test_a_variant_that_is_missing_fails_nothing(jobs: list[Job], golden_report: Report, tmp_path: Path) -> None:
    for name, measurements in {"fewer": golden_report.measurements[:1], "none": ()}.items():
        older = write_report_file(replace(golden_report, measurements=measurements), tmp_path / f"{name}.json")
        assert run(["bench", "a", "--compare", str(older)]) == 0
    assert len(jobs) == 2


def test_the_word_baseline_is_another_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "baseline", "--help"]) == 0
    assert "osteo-edge bench baseline" in capsys.readouterr().out


def test_the_report_does_not_go_among_the_films(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "films.csv").write_text("path,label\n", "utf-8")
    for data in (tmp_path, tmp_path / "films.csv"):
        words = ["bench", "a", "--data", str(data), "--split", str(tmp_path / "films.csv"), "--out", str(tmp_path)]
        assert run(words) == 2
        assert "is the folder of the data; choose another" in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 1
