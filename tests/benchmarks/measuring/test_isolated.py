"""Jobs in processes of their own: what comes back, and what is said of those that fail."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.errors import OsteoEdgeError

Run = Callable[..., Any]

START = """
from osteo_edge.benchmarks.measuring.isolated import serve
from osteo_edge.errors import OsteoEdgeError
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(script: str, job: dict[str, Any], *, timeout_s: float = 60.0) -> Any:
        (tmp_path / "odd_job.py").write_text(START + script)
        return run_isolated("odd_job", job, timeout_s=timeout_s, environment={"PYTHONPATH": str(tmp_path)})

    return run


def test_the_result_comes_back_though_a_library_chatters(run: Run) -> None:
    script = "def work(job):\n    print('hello'); return {'sum': job['a'] + 1}\nserve(work)"
    assert run(script, {"a": 1}) == {"sum": 2}


def test_the_own_error_is_the_reason_whatever_else_was_said(run: Run) -> None:
    script = "import sys\ndef work(job):\n    print('noise', file=sys.stderr); raise OsteoEdgeError('no such model')\n"
    with pytest.raises(OsteoEdgeError, match=r"^no such model$"):
        run(script + "serve(work)", {})


def test_a_crash_is_told_by_its_last_line(run: Run) -> None:
    with pytest.raises(OsteoEdgeError, match=r"^ZeroDivisionError: division by zero$"):
        run("serve(lambda job: 1 / 0)", {})


def test_a_build_for_another_processor_is_told(run: Run) -> None:
    with pytest.raises(OsteoEdgeError, match="SIGILL; its build is for another processor"):
        run("import os, signal\nos.kill(os.getpid(), signal.SIGILL)", {})


def test_what_never_ends_is_ended(run: Run) -> None:
    with pytest.raises(OsteoEdgeError, match="not done after 1 s"):
        run("import time\ntime.sleep(60)", {}, timeout_s=1.0)


def test_a_process_without_a_result_is_an_error(run: Run) -> None:
    with pytest.raises(OsteoEdgeError, match="code 0 and no message"):
        run("pass", {})


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot leave the current folder out")
def test_a_file_in_the_current_folder_is_taken_for_no_module(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "csv.py").write_text("raise RuntimeError('not the standard library')")
    monkeypatch.chdir(elsewhere)
    assert run("import csv\nserve(lambda job: csv.QUOTE_ALL)", {}) == 1
