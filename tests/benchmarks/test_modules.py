"""Each benchmark once for real, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bundles.cold_start", "bundles.map_cost", "bundles.fidelity", "bundles.sizes", "training.scaling"]
)
def test_a_benchmark_runs_as_a_module(name: str, bundle: Bundle, film: Path, tmp_path: Path) -> None:
    knees = tmp_path / "knees" / "normal"
    knees.mkdir(parents=True)
    (knees / "knee.png").write_bytes(film.read_bytes())
    arguments: dict[str, list[object]] = {
        "bundles.cold_start": [bundle.path, film, "--runs", 3],
        "bundles.map_cost": [bundle.path, "--runs", 10],
        "bundles.fidelity": [bundle.path, bundle.path, knees.parent],
        "bundles.sizes": [bundle.path],
        "training.scaling": ["--sizes", "100,1000", "--runs", 1],
    }
    command = [sys.executable, "-m", f"osteo_edge.benchmarks.{name}", *map(str, arguments[name]), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert json.loads(finished.stdout)
    assert finished.stderr == ""
    if name in ("bundles.fidelity", "bundles.sizes"):  # the others measure time: the golden model is too small for them
        assert finished.returncode == 0
