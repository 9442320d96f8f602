"""The Ray engine for real: the command in a process of its own, on Ray's own processes, some of which are killed."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from osteo_edge.archive.ray_engine import PRIVATE, TRIES
from tests.osteo_edge.archive.results import Rows, rows_of

pytest.importorskip("ray")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at the processes of others in /proc")

REPOSITORY = Path(__file__).resolve().parents[3]
DEMO = REPOSITORY / "edge_app" / "demo_bundle"
FILM = REPOSITORY / "edge_app" / "drawn_film.jpg"
FILMS = 120
SHARD = 4
LISTENS = "0A"
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
PATIENCE_S = 300.0
STARTS = 3


class Nodes:
    """Two nodes of a processor each: `ray_cluster` in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.osteo_edge.archive.ray_cluster"]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.environment = environment
        self.address = self._told()

    def kill_one(self) -> None:
        """End one of them as a power cut would."""
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        assert self._told() == "killed"

    def end(self) -> None:
        """End them all."""
        self._process.communicate(timeout=PATIENCE_S)

    def _told(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Of a Ray that listens on the loopback device alone."""
    return {**os.environ, **PRIVATE, "RAY_AUTH_TOKEN": secrets.token_hex(32), "PYTHONWARNINGS": ""}


@pytest.fixture(scope="module")
def nodes(environment: dict[str, str]) -> Iterator[Nodes]:
    """Two nodes, one of which the last test that uses them kills.

    Ray gives a node 30 s to start, which no setting changes and a busy machine may not do in: so it is tried again.
    """
    for _ in range(STARTS):
        nodes = Nodes(environment)
        if nodes.address:
            break
        nodes.end()
    else:
        pytest.fail("the nodes of Ray do not start; what Ray says is above")
    yield nodes
    nodes.end()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One drawn film under many names, and two files that are none."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(FILMS - 2):
        (folder / f"{number:03}.jpg").symlink_to(FILM)
    (folder / "empty.png").touch()
    (folder / "torn.jpg").write_bytes(FILM.read_bytes()[:5000])
    return folder


@pytest.fixture(scope="module")
def expected(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What an uninterrupted run of the other engine gives."""
    out = tmp_path_factory.mktemp("expected") / "out"
    finished(screening(archive, out, "--engine", "local"))
    return rows_of(out)


def screening(archive: Path, out: Path, *options: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    """The command, begun."""
    command = [sys.executable, "-m", "osteo_edge", "screen-archive", str(archive)]
    return subprocess.Popen(
        [*command, "--bundle", str(DEMO), "--out", str(out), "--shard-size", str(SHARD), "--json", *options],
        cwd=REPOSITORY,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(run: "subprocess.Popen[str]") -> None:
    """Wait for its end: 1, since two of the files cannot be read, and nothing said beside the summary."""
    told, errors = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, errors) == (1, "")
    assert json.loads(told)["films"] == FILMS


def parts_of(out: Path) -> dict[str, int]:
    """The parts that are done, each with when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.glob("films/*/part-*.parquet")}


def wait_for_parts(out: Path, at_least: int, run: "subprocess.Popen[str]") -> dict[str, int]:
    """Wait until so many parts are done, and not all of them."""
    until(lambda: len(parts_of(out)) >= at_least or run.poll() is not None)
    parts = parts_of(out)
    assert at_least <= len(parts) < FILMS // SHARD
    return parts


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descendants(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that these have."""
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):
            for child in map(int, (task / "children").read_text("ascii").split()):
                yield child
                yield from descendants(child)


def workers_of(process: int, title: str) -> set[int]:
    """The processes of Ray that are at a task of this name; one that was killed has no name any more."""
    found = set()
    for child in descendants(process):
        with suppress(OSError):
            if Path(f"/proc/{child}/cmdline").read_bytes().rstrip(b"\0 ") == title.encode():
                found.add(child)
    return found


def opened_by(process: int) -> set[str]:
    """What a process and those that it has started have open: files, and sockets by their numbers."""
    found = set()
    for each in (process, *descendants(process)):
        with suppress(OSError):
            for entry in Path(f"/proc/{each}/fd").iterdir():
                with suppress(OSError):
                    found.add(str(entry.readlink()))
    return found


def addresses_listened_on(opened: set[str]) -> set[str]:
    """The addresses, as the kernel writes them, of those sockets on which somebody listens by TCP."""
    lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text("ascii").splitlines()[1:]]
    fields = [line.split() for line in lines]
    return {each[1].rpartition(":")[0] for each in fields if each[3] == LISTENS and f"socket:[{each[9]}]" in opened}


@pytest.mark.slow
def test_a_ray_of_ones_own_gives_the_same_rows_and_listens_to_this_machine_alone(
    archive: Path, expected: Rows, tmp_path: Path
) -> None:
    other = {**os.environ, "RAY_ADDRESS": "127.0.0.1:1"}
    run = screening(archive, tmp_path / "out", "--engine", "ray", "--workers", "2", env=other)
    wait_for_parts(tmp_path / "out", 1, run)
    opened = opened_by(run.pid)
    (folder,) = {Path(*Path(name).parts[:3]) for name in opened if name.startswith("/tmp/osteo-edge-ray-")}
    assert folder.stat().st_mode & 0o077 == 0
    addresses = addresses_listened_on(opened)
    finished(run)
    assert rows_of(tmp_path / "out") == expected
    assert addresses
    assert addresses <= LOOPBACK
    assert not folder.exists()


@pytest.mark.release
def test_a_driver_that_is_killed_is_gone_on_from_by_either_engine(
    archive: Path, expected: Rows, tmp_path: Path, nodes: Nodes
) -> None:
    cluster = ("--engine", "ray", "--address", nodes.address)
    for number, engine in enumerate((("--engine", "local"), cluster)):
        out = tmp_path / str(number)
        run = screening(archive, out, *cluster, env=nodes.environment)
        before = wait_for_parts(out, 5, run)
        run.kill()
        run.communicate()
        finished(screening(archive, out, *engine, env=nodes.environment))
        assert rows_of(out) == expected
        assert before.items() <= parts_of(out).items()


@pytest.mark.release
def test_a_run_that_the_local_engine_was_killed_in_is_gone_on_from_on_a_cluster(
    archive: Path, expected: Rows, tmp_path: Path, nodes: Nodes
) -> None:
    run = screening(archive, tmp_path / "out", "--engine", "local")
    before = wait_for_parts(tmp_path / "out", 5, run)
    run.kill()
    run.communicate()
    cluster = ("--engine", "ray", "--address", nodes.address)
    finished(screening(archive, tmp_path / "out", *cluster, env=nodes.environment))
    assert rows_of(tmp_path / "out") == expected
    assert before.items() <= parts_of(tmp_path / "out").items()


@pytest.mark.release
def test_a_shard_that_ends_its_process_is_done_again_and_at_last_film_by_film(
    archive: Path, expected: Rows, tmp_path: Path
) -> None:
    run = screening(archive, tmp_path / "out", "--engine", "ray", "--workers", "1")
    killed, careful = set[int](), set[int]()
    while run.poll() is None and not careful:
        careful |= workers_of(run.pid, "ray::screen_shard_carefully")
        for worker in workers_of(run.pid, "ray::screen_shard") if len(killed) <= TRIES else ():
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
    finished(run)
    assert len(killed) == TRIES + 1
    assert rows_of(tmp_path / "out") == expected


@pytest.mark.release
def test_ctrl_c_leaves_whole_parts_and_no_process_of_ray(archive: Path, tmp_path: Path) -> None:
    run = screening(archive, tmp_path / "out", "--engine", "ray", "--workers", "2")
    wait_for_parts(tmp_path / "out", 3, run)
    started = set(descendants(run.pid))
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130
    assert "the same command goes on from there" in errors
    rows = rows_of(tmp_path / "out")
    assert len(rows) == len({row["film"] for row in rows}) == SHARD * len(parts_of(tmp_path / "out"))
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in started))


@pytest.mark.release
def test_a_cluster_with_another_token_is_one_line(archive: Path, tmp_path: Path, nodes: Nodes) -> None:
    stranger = {**nodes.environment, "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    run = screening(archive, tmp_path / "out", "--engine", "ray", "--address", nodes.address, env=stranger)
    _, errors = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 1
    assert errors.count("\n") == 1
    assert f"--address {nodes.address}: cannot be used" in errors


@pytest.mark.release
def test_a_node_that_is_killed_half_way_loses_and_doubles_nothing(
    archive: Path, expected: Rows, tmp_path: Path, nodes: Nodes
) -> None:
    run = screening(archive, tmp_path / "out", "--engine", "ray", "--address", nodes.address, env=nodes.environment)
    before = wait_for_parts(tmp_path / "out", 5, run)
    nodes.kill_one()
    after = wait_for_parts(tmp_path / "out", len(before), run)
    finished(run)
    assert len(after) < FILMS // SHARD
    assert rows_of(tmp_path / "out") == expected
