"""Each benchmark once for real, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cold_start", "map_cost", "fidelity", "sizes", "scaling"])
def test_a_benchmark_runs_as_a_module(name: str, bundle: Bundle, film: Path, tmp_path: Path) -> None:
    knees = tmp_path / "knees" / "normal"
    knees.mkdir(parents=True)
    (knees / "knee.png").write_bytes(film.read_bytes())
    arguments: dict[str, list[object]] = {
        "cold_start": [bundle.path, film, "--runs", 3],
        "map_cost": [bundle.path, "--runs", 10],
        "fidelity": [bundle.path, bundle.path, knees.parent],
        "sizes": [bundle.path],
        "scaling": ["--sizes", "100,1000", "--runs", 1],
    }
    command = [sys.executable, "-m", f"osteo_edge.benchmarks.{name}", *map(str, arguments[name]), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert json.loads(finished.stdout)
    assert finished.stderr == ""
    if name in ("fidelity", "sizes"):  # the others measure time, and the golden model is too small for their bounds
        assert finished.returncode == 0
