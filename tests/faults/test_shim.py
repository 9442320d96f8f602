"""The library that makes disk calls fail reaches Python and SQLite, and fails them as it is told."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import shim

REPOSITORY = Path(__file__).resolve().parents[2]
START = """\
import json, os, sqlite3, sys, time
from pathlib import Path
from tests.faults.shim import KINDS, Shim
place = Path(sys.argv[1])
(place / "data").mkdir()
(place / "aside").mkdir()
data, library, told = place / "data", Shim(), {}
kinds = {kind.name: kind for kind in KINDS}
library.watch(data, place / "aside")
"""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return shim.build(tmp_path_factory.mktemp("shim"))
    except RuntimeError as error:
        pytest.skip(str(error))


@pytest.fixture
def run(library: Path, tmp_path: Path) -> Run:
    """Run lines of Python with the library loaded; what they print as JSON."""

    def run_lines(lines: str, code: int = 0) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", START + textwrap.dedent(lines), str(tmp_path)],
            env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run_lines


def test_the_writes_of_python_and_of_sqlite_are_counted_and_no_others(run: Run) -> None:
    trace = run("""
        (place / "outside").write_text("not counted")
        library.count_calls()
        (place / "outside").write_text("not counted")
        (data / "file").write_text("counted")
        connection = sqlite3.connect(data / "base")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("CREATE TABLE things (name TEXT)")
        connection.execute("INSERT INTO things VALUES ('one')")
        connection.commit()
        connection.close()
        os.rename(data / "file", data / "other")
        library.disarm()
        print(json.dumps(library.trace))
    """)
    assert trace[:2] == ["open /file", "write /file"]
    assert {"write /base", "write /base-wal", "sync /base", "sync /base-wal", "remove /base-wal"} <= set(trace)
    assert trace[-1] == "name /other"


def test_what_is_counted_is_what_the_system_was_asked_for(run: Run) -> None:
    """The kernel's own figure of a program's writes (`/proc/self/io`) beside that of the library."""
    counted, asked = run("""
        def writes():
            lines = Path("/proc/self/io").read_text().splitlines()
            return int(next(line.split()[1] for line in lines if line.startswith("syscw")))
        connection = sqlite3.connect(data / "base", isolation_level=None)
        before = writes()
        library.count_calls()
        connection.execute("CREATE TABLE things (name TEXT)")
        for number in range(50):
            connection.execute("INSERT INTO things VALUES (?)", (f"{number}" * 500,))
        library.disarm()
        after = writes()
        print(json.dumps([sum(one.startswith("write") for one in library.trace), after - before]))
    """)
    assert counted > 100
    assert counted == asked


def test_an_error_once_hits_one_call_and_for_good_all_that_follow(run: Run) -> None:
    once, always = run("""
        def attempts(name):
            library.arm(kinds[name], 3)
            errors = []
            for number in range(4):
                try:
                    descriptor = os.open(data / f"file {number}", os.O_CREAT | os.O_WRONLY)
                    errors.append(0)
                    os.close(descriptor)
                except OSError as error:
                    errors.append(error.errno)
            library.disarm()
            return errors
        print(json.dumps([attempts("I/O error, once"), attempts("read-only from there on")]))
    """)
    assert (once, always) == ([0, 0, 5, 0], [0, 0, 30, 30])


def test_sqlite_is_told_of_a_full_disk(run: Run) -> None:
    assert "full" in run("""
        connection = sqlite3.connect(data / "base", isolation_level=None)
        connection.execute("CREATE TABLE things (name TEXT)")
        library.arm(kinds["disk full from there on"], 3)
        try:
            connection.execute("INSERT INTO things VALUES (?)", ("one" * 9999,))
        except sqlite3.OperationalError as error:
            print(json.dumps(str(error)))
    """)


@pytest.mark.parametrize(
    ("kind", "left"),
    [("kill -9 before", ""), ("kill -9 half-way", "four "), ("kill -9 after", "four words")],
)
def test_a_kill_leaves_what_was_done_by_then(kind: str, left: str, run: Run, tmp_path: Path) -> None:
    run(
        f"""
        library.arm(kinds["{kind}"], 2)
        descriptor = os.open(data / "file", os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, b"four words")
        print("not reached")
        """,
        code=shim.KILLED,
    )
    assert (tmp_path / "data" / "file").read_text() == left


def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(run: Run, tmp_path: Path) -> None:
    run("""
        for name in ("kept", "changed", "removed", "replaced"):
            (data / name).write_text("old")
        library.arm(kinds["power cut after"], 0)
        def sync(path):
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        (data / "synced").write_text("new")
        (data / "kept").write_text("new")
        (data / "folder").mkdir()
        sync(data / "synced"); sync(data / "kept"); sync(data)
        (data / "changed").write_text("new")
        (data / "removed").unlink()
        (data / "made").write_text("new")
        os.replace(data / "made", data / "replaced")
        (data / "folder" / "file").write_text("new")
        sync(data / "folder" / "file")
        library.end(0)
    """)
    there = {path.name: path.read_text() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert there == {"synced": "new", "kept": "new", "changed": "old", "removed": "old", "replaced": "old"}
    assert (tmp_path / "data" / "folder").is_dir()


def test_the_clock_on_the_wall_is_set_and_the_other_one_is_not(run: Run) -> None:
    wall, other = run("""
        before = time.time(), time.monotonic()
        library.set_clock(-1000)
        print(json.dumps([time.time() - before[0], time.monotonic() - before[1]]))
    """)
    assert wall == pytest.approx(-1000, abs=30)
    assert other == pytest.approx(0, abs=30)


def test_without_gcc_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt-get install gcc"):
        shim.build(tmp_path)
