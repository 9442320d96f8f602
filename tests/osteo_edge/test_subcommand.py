import signal
import threading
import time
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.subcommand import reason_of, run_subcommand


def test_a_command_runs_and_what_it_prints_is_logged(bundle: Bundle, tmp_path: Path) -> None:
    ended = run_subcommand(["inspect", str(bundle.path)], log=tmp_path / "log", timeout_s=60)
    assert ended.code == 0
    assert ended.seconds > 0
    assert "golden" in (tmp_path / "log").read_text("utf-8")


def test_a_failure_gives_the_commands_own_line(tmp_path: Path) -> None:
    ended = run_subcommand(["inspect", str(tmp_path / "gone")], log=tmp_path / "log", timeout_s=60)
    assert ended.code == 1
    assert reason_of(1, tmp_path / "log").startswith(f"{tmp_path / 'gone'}: no such bundle")


def test_a_command_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    ended = run_subcommand(["doctor"], log=tmp_path / "log", timeout_s=0.01)
    assert ended.code is None
    assert time.monotonic() - started < 10


def test_ctrl_c_stops_the_command_at_once(tmp_path: Path) -> None:
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    out, started = tmp_path / "phantoms", time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_subcommand(
            ["data", "phantom", str(out), "--per-class", "2000", "--size", "1024"], log=tmp_path / "log", timeout_s=60
        )
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("code", "printed", "reason"),
    [
        (1, "noise\nosteo-edge: a: wrong; do this\nlater noise\n", "a: wrong; do this"),
        (1, "Traceback\nValueError: odd\n\n", "ValueError: odd ({log} tells more)"),
        (1, "", "exit code 1 ({log} tells more)"),
        (-9, "osteo-edge: half\n", "ended by SIGKILL; {log} tells how far it came"),
    ],
)
def test_the_reason_is_one_line(code: int, printed: str, reason: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(printed, "utf-8")
    assert reason_of(code, log) == reason.format(log=log)
