import sys
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.benchmarks.measuring.cold_process import run_cold
from osteo_edge.errors import OsteoEdgeError


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_the_memory_of_the_process_that_measures_is_not_counted() -> None:
    ballast = np.ones(25_000_000)  # 191 MiB here, in none of the children
    assert run_cold(python("pass")).peak_mib < 50
    assert ballast.sum() == ballast.size


def test_the_peak_counts_even_if_the_memory_was_given_back() -> None:
    assert run_cold(python("block = b'x' * (60 << 20); del block")).peak_mib > 60


def test_waiting_takes_time_but_no_cpu_time() -> None:
    run = run_cold(python("import time; time.sleep(0.2)"))
    assert run.wall_ms >= 200
    assert run.cpu_ms < run.wall_ms


def test_what_the_process_prints_does_not_disturb() -> None:
    assert run_cold(python("print('[1, 2]' * 100_000)")).wall_ms > 0


def test_a_process_that_fails_is_reported_with_its_last_line() -> None:
    with pytest.raises(OsteoEdgeError, match=r"ended with code 3: no luck$"):
        run_cold(python("import sys; print('much\\nno luck', file=sys.stderr); sys.exit(3)"))


def test_a_program_that_is_not_there_is_reported() -> None:
    with pytest.raises(OsteoEdgeError, match=r"^/no/such/program: cannot be started \(FileNotFoundError"):
        run_cold(["/no/such/program"])


def test_a_process_that_takes_too_long_is_reported() -> None:
    with pytest.raises(OsteoEdgeError, match=r"not done after 1 s; try again on an idle machine$"):
        run_cold(python("import time; time.sleep(30)"), timeout_s=1)


def test_modules_are_kept_compiled_where_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "module.py").touch()
    command = [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import module"]
    run_cold(command)
    assert not list(tmp_path.rglob("*.pyc"))
    run_cold(command, bytecode=tmp_path / "kept")
    assert [path.name.partition(".")[0] for path in tmp_path.rglob("module*.pyc")] == ["module"]
    assert not (tmp_path / "__pycache__").exists()
