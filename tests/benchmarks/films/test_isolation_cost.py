import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

if sys.platform != "linux":
    pytest.skip("processes are confined on Linux alone", allow_module_level=True)

from osteo_edge.benchmarks.films.isolation_cost import isolation_cost


def test_a_film_is_read_here_and_apart(film: Path) -> None:
    done = CliRunner().invoke(isolation_cost, [str(film), "--rounds", "3", "--json"])
    assert done.exit_code == 0, done.output
    costs = json.loads(done.stdout)
    (cost,) = costs["films"]
    assert (cost["film"], cost["megapixels"]) == ("knee.png", 0.12)
    assert cost["apart_ms"] > 0
    assert cost["here_ms"] > 0
    assert 5 < costs["waiting_mb"] < 200


def test_the_figures_are_shown_for_people_too(film: Path) -> None:
    """And another process of this one, as some other test may have left it, is not taken for the one that decodes."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        done = CliRunner().invoke(isolation_cost, [str(film), "--rounds", "3"])
        other.communicate(b"\n")
    assert "knee.png" in done.output
    assert "The process that waits takes " in done.output
