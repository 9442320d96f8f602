"""The campaign finds what is planted for it, and nothing in what the program writes."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.faults import shim
from tests.faults.actions import clinic_actions
from tests.faults.elsewhere import other_actions, pi_actions

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = 12
PLANTED = """\
import json, os, sys
from pathlib import Path
from osteo_edge.durable import write_durably
from osteo_edge.errors import OsteoEdgeError
from tests.faults.actions import Action
from tests.faults.campaign import VERDICTS, Campaign, Result
from tests.faults.finding import Found
from tests.faults.shim import Shim

def prepare(root):
    root.mkdir()
    (root / "file").write_text("old text")

def find(root):
    try:
        return Found({"text": (root / "file").read_text()})
    except FileNotFoundError as error:
        return Found({}, (f"does not start: {error}",))

def refusing(write):
    def do(root):
        try:
            write(root / "file")
        except OSError as error:
            raise OsteoEdgeError("refused") from error
    return do

def nothing(_):
    pass

def verdicts(do):
    action = Action("planted", prepare, lambda root: root, do, nothing, find, ("file",))
    with Campaign(action, Shim()) as campaign:
        result = Result("planted", len(campaign.trace))
        for fault in campaign.faults(1):
            campaign.try_out(fault, result)
    return {verdict: result.count(verdict) for verdict in VERDICTS if result.count(verdict)}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return shim.build(tmp_path_factory.mktemp("shim"))
    except RuntimeError as error:
        pytest.skip(str(error))


def verdicts_of(library: Path, lines: str) -> Any:
    """What the campaign says of an action, the function `do` in these lines."""
    program = f"{PLANTED}\n{textwrap.dedent(lines)}\nprint(json.dumps(verdicts(do)))"
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param("do = lambda root: write_durably(root / 'file', b'new text', 'it')", {"stray"}, id="left there"),
        pytest.param("do = refusing(lambda path: path.write_text('new text'))", {"lost", "half"}, id="in place"),
        pytest.param(
            """
            def write(path):
                (path.parent / "other").write_text("new text")
                (path.parent / "other").replace(path)
            do = refusing(write)
            """,
            {"lost", "half", "stray"},
            id="not synced",
        ),
        pytest.param(
            "do = lambda root: (root / 'file').write_text('new text')", {"lost", "half", "crashed"}, id="traceback"
        ),
        pytest.param("do = refusing(lambda path: path.unlink() or path.write_text('x'))", {"unreadable"}, id="gone"),
    ],
)
def test_what_is_not_done_safely_is_found(lines: str, found: set[str], library: Path) -> None:
    assert found <= set(verdicts_of(library, lines))


def test_what_is_done_safely_and_tidied_is_not_reported(library: Path) -> None:
    tidying = """
        found = find
        def find(root):
            remove_partials(root)
            return found(root)
        from osteo_edge.durable import remove_partials
        do = lambda root: write_durably(root / "file", b"new text", "it")
    """
    assert verdicts_of(library, tidying) == {}


@pytest.mark.slow
def test_no_fault_loses_anything_that_the_program_writes(library: Path) -> None:
    command = [sys.executable, "-m", "tests.faults", "--json", "--sample", str(SAMPLE)]
    environment = {**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    told = json.loads(done.stdout or "{}")
    assert told.get("broken") == [], done.stderr
    actions = (*clinic_actions(), *other_actions(), *pi_actions())
    assert [result["action"] for result in told["results"]] == [action.name for action in actions]
    assert {result["faults"] for result in told["results"]} == {SAMPLE}
    assert min(result["calls"] for result in told["results"]) >= 9
    assert done.returncode == 0
