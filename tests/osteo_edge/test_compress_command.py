import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge import compress_command
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import run
from osteo_edge.compress_measuring import Images
from osteo_edge.compress_record import Auroc, Candidate, Latency, Record, Subject
from osteo_edge.compress_search import Found, Plan
from osteo_edge.intervals import Estimate


def candidate(size_bytes: int, drop: float, ratio: float, shortfall: str | None = None) -> Candidate:
    difference = Estimate(-drop, -drop - 0.02, -drop + 0.01, 80)
    aurocs = {"osteoporosis": Auroc(Estimate(0.9 - drop, 0.8, 0.95, 80), difference)}
    latency = Latency(2 * ratio, Estimate(ratio, ratio - 0.1, ratio + 0.2, 51))
    return Candidate("a" * 64, "int8", size_bytes, shortfall, aurocs, Estimate(1, 0.9, 1, 80), 12.0, latency)


CANDIDATES = {
    "float32": candidate(1_600_000, 0.0, 1.0),
    "dynamic": candidate(500_000, 0.001, 9.5),
    "int8": candidate(620_000, 0.004, 0.8),
    "mixed": candidate(300_000, 0.0, 0.9, "decisions agree on 50.0% of 80 images, 98.0% are asked for"),
}
"""What the stand-in search comes to: `mixed` would be chosen, had it passed."""


class Searches:
    """Stands in for the search, and keeps what it was asked."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.subjects: list[Subject] = []
        self.interrupted = False

    def __call__(self, plan: Plan, subject: Subject, images: Images, *, on_progress: object) -> Found:
        self.plans.append(plan)
        self.subjects.append(subject)
        plan.out.mkdir()
        untried = {"qat-int8": "takes 9 min or more, 2 min were left"}
        record = Record(subject, 90.0, {}, CANDIDATES, {"pruned-50-int8": "pruned-50: not this network"}, untried)
        return Found(record, self.interrupted)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> Searches:
    stand_in = Searches()
    monkeypatch.setattr(compress_command, "search", stand_in)
    return stand_in


@pytest.fixture
def compress(source: Bundle, films: tuple[Path, Path], tmp_path: Path) -> Callable[..., int]:
    """Call the command; the last of an option that stands twice counts."""

    def call(*options: object, budget_mb: object = 1.5) -> int:
        words = ("compress", source.path, films[0], "--split", films[1], "--out", tmp_path / "out")
        return run([str(word) for word in (*words, "--budget-mb", budget_mb, *options)])

    return call


Compress = Callable[..., int]


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_smallest_that_passed_and_meets_the_bounds_is_named(
    compress: Compress, searches: Searches, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compress() == 0
    printed = flat(capsys.readouterr().out)
    out = tmp_path / "out"
    for words in (
        f"The smallest within 1.5 MB and an AUROC drop of 0.01: {out / 'dynamic'}",
        "dynamic: 0.50 MB, 9.50 [9.40, 9.70] times the time of float32, loses 0.0010 of AUROC osteoporosis at worst.",
        "It is slower than float32; --max-latency 1 leaves out such models.",
        "80 images cannot rule out that it loses more: the interval of AUROC osteoporosis reaches down to -0.0210.",
        "Chosen on the validation part, its figures flatter it. Measure it once on test:",
        f"osteo-edge compare {out / 'float32'} {out / 'dynamic'} ",
        "On the front of size, latency and AUROC: dynamic, int8, float32.",
        "mixed failed parity: decisions agree on 50.0% of 80 images",
        "pruned-50-int8 failed: pruned-50: not this network",
        "qat-int8 not tried: takes 9 min or more, 2 min were left.",
        "The same command with a larger --time-budget-min goes on.",
    ):
        assert words in printed
    assert ElementTree.fromstring((out / "pareto.svg").read_text("utf-8")).tag.endswith("svg")


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (0.004, "loses 0.0040 of AUROC osteoporosis at worst."),
        (0.00001, "loses no AUROC."),
        (-0.00001, "loses no AUROC."),
        (-0.002, "gains 0.0020 of AUROC osteoporosis at least."),
    ],
)
def test_what_becomes_of_the_auroc_is_said_as_it_is(
    drop: float,
    words: str,
    compress: Compress,
    searches: Searches,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(CANDIDATES, "dynamic", candidate(500_000, drop, 9.5))
    assert compress() == 0
    assert f"times the time of float32, {words}" in flat(capsys.readouterr().out)


def test_a_bound_on_latency_leaves_out_what_is_slow(
    compress: Compress, searches: Searches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compress("--max-latency", 1, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["chosen"], found["nearest"]) == ("int8", None)
    assert found["bounds"] == {"size_bytes": 1_500_000, "auroc_drop": 0.01, "latency": 1.0}
    assert found["front"] == ["dynamic", "int8", "float32"]
    assert found["candidates"]["mixed"]["shortfall"] is not None
    assert found["candidates"]["int8"]["aurocs"]["osteoporosis"]["difference"]["n"] == 80


def test_where_none_meets_the_bounds_the_nearest_are_named_and_the_code_is_1(
    compress: Compress, searches: Searches, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compress("--max-auroc-drop", 0.003, "--max-latency", 2, budget_mb=0.7) == 1
    printed = flat(capsys.readouterr().out)
    for words in (
        "None is within 0.7 MB, 2 times the time of float32 and an AUROC drop of 0.003.",
        "Nearest, if it may be larger: float32: 1.60 MB",
        "Nearest, if it may be less accurate: int8: 0.62 MB",
        "Nearest, if it may be slower: dynamic: 0.50 MB",
    ):
        assert words in printed
    assert "osteo-edge compare" not in printed


def test_the_float_model_itself_is_measured_by_evaluate(
    compress: Compress, searches: Searches, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert compress("--max-auroc-drop", 0, budget_mb=2) == 0
    assert f"osteo-edge evaluate {tmp_path / 'out/float32'} " in flat(capsys.readouterr().out)


def test_after_ctrl_c_it_says_how_to_go_on(
    compress: Compress, searches: Searches, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    searches.interrupted = True
    assert compress() == 130
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "interrupted; 4 of 10 models are kept in" in printed.err
    assert "the same command goes on from there" in printed.err
    assert not (tmp_path / "out/pareto.svg").exists()


def test_the_search_is_told_what_it_is_about(
    compress: Compress, searches: Searches, source: Bundle, films: tuple[Path, Path]
) -> None:
    assert compress("--recipes", " int8, ,float16", "--epochs", 3, "--time-budget-min", 2) == 0
    (plan,), (subject,) = searches.plans, searches.subjects
    assert [recipe.name for recipe in plan.recipes] == ["float32", "float16", "int8"]
    assert (plan.budget_s, plan.epochs) == (120, 3)
    assert subject.bundle_sha256 == source.manifest.model.sha256
    assert subject.split_sha256 == source.manifest.data.split_sha256
    assert (subject.data, subject.part, subject.epochs) == (str(films[0].resolve()), "validation", 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--part", "test"), "a model chosen on the test part has no honest figures left"),
        (("--budget-mb", 0), "0 is not in the range x>0"),
        (("--budget-mb", "nan"), "nan is not a finite number"),
        (("--budget-mb", "inf"), "inf is not a finite number"),
        (("--max-auroc-drop", -0.1), "-0.1 is not in the range 0<=x<=1"),
        (("--max-latency", 0), "0 is not in the range x>0"),
        (("--time-budget-min", 0), "0 is not in the range x>0"),
        (("--recipes", "int4"), "no recipe is called 'int4'"),
        (("--recipes", ","), "names no recipe"),
        (("--epochs", 0), "0 is not in the range"),
    ],
)
def test_a_senseless_option_is_wrong_usage(
    options: tuple[object, ...],
    words: str,
    compress: Compress,
    searches: Searches,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    assert compress(*options) == 2
    assert words in flat(capsys.readouterr().err)
    assert (searches.plans, (tmp_path / "out").exists()) == ([], False)


def test_a_converted_bundle_is_refused(
    bundle: Bundle, films: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compress", bundle.path, films[0], "--split", films[1], "--budget-mb", 1, "--out", tmp_path / "out"]
    assert run([str(word) for word in words]) == 1
    assert capsys.readouterr().err == (
        f"osteo-edge: {bundle.path}: is converted already; name the Keras bundle that `osteo-edge train` wrote\n"
    )
    assert not (tmp_path / "out").exists()


def test_another_split_is_refused_before_anything_is_made(
    compress: Compress, films: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films[1].write_bytes(films[1].read_bytes() + b"\n")
    assert compress() == 1
    assert "not the split that" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.tf
@pytest.mark.slow
def test_a_real_search_is_interrupted_goes_on_and_names_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, split, out = tmp_path / "ph", tmp_path / "split.csv", tmp_path / "out"
    model = ("--recipe", "custom-cnn", "--side", 64, "--epochs", 1)
    _succeed("data", "phantom", data, "--per-class", 12, "--size", 64)
    _succeed("data", "split", data, "--out", split)
    _succeed("train", data, "--split", split, "--out", tmp_path / "knee", *model)
    words = ["compress", tmp_path / "knee", data, "--split", split, "--budget-mb", 1, "--max-auroc-drop", 1]
    words += ["--recipes", "float16", "--out", out, "--json"]
    assert _interrupted([str(word) for word in words], out / "search.json") == 130
    record = json.loads((out / "search.json").read_text("utf-8"))
    assert list(record["steps"]) == ["float32"]
    made = (out / "float32/manifest.json").stat().st_mtime_ns
    capsys.readouterr()
    code = run([str(word) for word in words])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (out / "float32/manifest.json").stat().st_mtime_ns == made
    assert (list(found["candidates"]), found["failed"]) == (["float32", "float16"], {})
    passed = [name for name, one in found["candidates"].items() if one["shortfall"] is None]
    small = [name for name in passed if found["candidates"][name]["size_bytes"] <= 1_000_000]
    smallest = min(small, key=lambda name: found["candidates"][name]["size_bytes"], default=None)
    assert (found["chosen"], code) == (smallest, 0 if smallest else 1)
    assert read_bundle(out / "float16").model_path.stat().st_size == found["candidates"]["float16"]["size_bytes"]


def _succeed(*words: object) -> None:
    assert run([str(word) for word in words]) == 0


def _interrupted(words: list[str], record: Path) -> int:
    """Press Ctrl-C as soon as the record knows of a finished step; the exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "osteo_edge", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 300
    while not _knows_a_step(record) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    return process.wait(60)


def _knows_a_step(record: Path) -> bool:
    return record.exists() and bool(json.loads(record.read_text("utf-8"))["steps"])
