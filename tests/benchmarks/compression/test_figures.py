import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from osteo_edge.benchmarks.compression.figures import compression_figures
from osteo_edge.manifest import Manifest


def test_the_command_shows_figures_and_verdicts_and_exits_with_them(
    pair: tuple[Path, Path], films: Path, network_bundle: Callable[..., Path]
) -> None:
    options = [str(films), "--split", str(films.parent / "split.csv"), "--runs", "3"]
    other = network_bundle("other", prune=("2:4", 0.5))
    options += ["--mobilenet", *map(str, pair), "--other", str(other)]
    result = CliRunner().invoke(compression_figures, options)
    assert "2:4 pruned" in result.output
    assert "PASS  MobileNetV2 1.0, int8: size, MB: 0." in result.output
    assert result.stderr == ""
    assert result.exit_code == int("FAIL" in result.output)


def test_json_holds_every_run_and_verdict(pair: tuple[Path, Path], films: Path) -> None:
    options = [str(films), "--split", str(films.parent / "split.csv"), "--part", "validation", "--runs", "4", "--json"]
    result = CliRunner().invoke(compression_figures, [*options, "--mobilenet", *map(str, pair)])
    plain = json.loads(result.output)
    assert [len(values) for values in plain["runs"].values()] == [4, 4]
    assert plain["medians"].keys() == plain["runs"].keys()
    assert plain["part"] == "validation"
    assert plain["on_trained_split"] is True
    assert plain["figures"][0]["agreement"]["decisions"]["n"] == 3
    assert result.exit_code == int(not all(check["passed"] for check in plain["checks"]))


def test_another_split_than_the_trained_one_is_warned_of(
    network_bundle: Callable[..., Path], films: Path, manifest: Manifest
) -> None:
    stranger = [
        network_bundle(name, precision, data=manifest.data) for name, precision in (("f", "float32"), ("i", "int8"))
    ]
    options = [str(films), "--split", str(films.parent / "split.csv"), "--runs", "3"]
    result = CliRunner().invoke(compression_figures, [*options, "--mobilenet", *map(str, stranger)])
    assert "Warning: not the split file" in result.stderr


def test_without_a_bundle_there_is_nothing_to_measure(films: Path) -> None:
    result = CliRunner().invoke(compression_figures, [str(films), "--split", str(films.parent / "split.csv")])
    assert result.exit_code == 2
    assert "name bundles to measure" in result.stderr


def test_it_runs_as_a_module(pair: tuple[Path, Path], films: Path, tmp_path: Path) -> None:
    arguments = [films, "--split", films.parent / "split.csv", "--mobilenet", *pair, "--runs", 3, "--json"]
    command = [sys.executable, "-m", "osteo_edge.benchmarks.compression.figures", *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert json.loads(finished.stdout)["figures"]
    assert finished.stderr == ""
