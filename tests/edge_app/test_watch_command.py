import json
import os
import random
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.hashing import sha256_file
from osteo_edge.trust import VARIABLE
from osteo_edge.wording import FAILED_CHECK, HEADLINES, PHANTOM_USE

Draw = Callable[..., Path]
PATIENCE_S = 30.0


@pytest.fixture
def folder(draw_film: Draw, tmp_path: Path) -> Path:
    """A folder with three films: refer, uncertain, no finding."""
    for name, brightness in (("a", 0.85), ("b", 0.5), ("c", 0.2)):
        draw_film(f"films/{name}.png", brightness=brightness)
    return tmp_path / "films"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


def words(bundle: Bundle, folder: Path, out: Path, *options: str) -> list[str]:
    return ["watch", str(bundle.path), str(folder), "--out", str(out), "--every", "50ms", *options]


def problem_of(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


@contextmanager
def watcher(bundle: Bundle, folder: Path, out: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A watch in a process of its own, which is killed in the end if it still runs."""
    command = [sys.executable, "-m", "osteo_edge", *words(bundle, folder, out, "--threads", "1", *options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1) as process:
        try:
            yield process
        finally:
            process.kill()


def read_json(process: "subprocess.Popen[str]", lines: int) -> list[dict[str, str]]:
    """The next lines that a watch prints with --json."""
    assert process.stdout is not None
    read = []
    for _ in range(lines):
        assert select.select([process.stdout.fileno()], [], [], PATIENCE_S)[0], "nothing was printed"
        read.append(json.loads(process.stdout.readline()))
    return read


def require_each_once(folder: Path, out: Path) -> None:
    digests = sorted({sha256_file(path) for path in folder.iterdir()})
    ledger = [json.loads(line) for line in (out / "ledger.jsonl").read_text("utf-8").splitlines()]
    results = [json.loads(path.read_bytes()) for path in out.glob("*/*.json")]
    rows = (out / "results.csv").read_text("utf-8").splitlines()
    assert sorted(line["sha256"] for line in ledger) == digests
    assert sorted(result["image_sha256"] for result in results) == digests
    assert sorted(row[-64:] for row in rows[1:]) == digests


def test_one_line_a_film_without_ruling_anything_out(
    bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words(bundle, folder, out, "--once")) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    head, _, *lines = printed.out.splitlines()
    assert head == f"golden: {bundle.manifest.intended_use}"
    assert [line.partition(" (score ")[0] for line in lines] == [
        f"{folder / 'a.png'}: {HEADLINES['refer']}",
        f"{folder / 'b.png'}: {HEADLINES['uncertain']}",
        f"{folder / 'c.png'}: {HEADLINES['no_finding']}",
    ]
    texts = printed.out + "".join(path.read_text("utf-8") for path in out.rglob("*.*") if path.suffix != ".png")
    for ruling_out in ("normal", "healthy", "clear"):
        assert ruling_out not in texts.lower().replace(str(folder), "")


def test_json_is_one_object_a_film(bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(words(bundle, folder, out, "--once"))
    capsys.readouterr()
    shutil.copy(folder / "a.png", folder / "copy.png")
    (folder / "bad.png").write_bytes(b"no film")
    (folder / "d.png").write_bytes((folder / "a.png").read_bytes() + b"\n")
    assert run(words(bundle, folder, out, "--once", "--json")) == 1
    printed = capsys.readouterr()
    copy, bad, other = sorted((json.loads(line) for line in printed.out.splitlines()), key=len)
    if "error" in copy:
        copy, bad = bad, copy
    assert (copy["image"], copy["seen_before_as"]) == (str(folder / "copy.png"), "a.png")
    assert bad["image"] == str(folder / "bad.png")
    assert printed.err == f"osteo-edge: {bad['error']}\n"
    assert (other["outcome"], json.loads((next(out.glob("*/d-*.json"))).read_bytes())) == ("refer", other)


def test_each_line_of_a_forced_or_demonstration_model_says_so(
    failed_bundle: Bundle,
    golden_bundle: Callable[..., Bundle],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(words(failed_bundle, folder, tmp_path / "out" / "failed", "--once")) == 1
    assert "add --force to try this one out" in problem_of(capsys)
    assert run(words(failed_bundle, folder, tmp_path / "out" / "failed", "--once", "--force")) == 0
    assert capsys.readouterr().out.count(FAILED_CHECK) == 3
    drawn = golden_bundle("drawn", intended_use=PHANTOM_USE)
    assert run(words(drawn, folder, tmp_path / "out" / "drawn", "--once")) == 0
    assert capsys.readouterr().out.count(PHANTOM_USE) == 1 + 3


def test_a_name_of_a_film_cannot_write_to_the_terminal(
    bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.png").rename(folder / "a\x1b[2J\n\udce9.png")
    (folder / "bad\x1b[2J\r.png").write_bytes(b"no film")
    run(words(bundle, folder, out, "--once"))
    shutil.copy(folder / "b.png", folder / "copy\x1b[2J.png")
    run(words(bundle, folder, out, "--once"))
    printed = capsys.readouterr()
    assert not [letter for letter in (printed.out + printed.err).replace("\n", "") if not letter.isprintable()]
    assert f"{folder}/a\ufffd[2J\ufffd\ufffd.png: {HEADLINES['refer']}" in printed.out
    assert "copy\ufffd[2J.png: seen before as b.png" in printed.out
    assert "bad\ufffd[2J\ufffd.png" in printed.err


@pytest.mark.parametrize("every", ["0s", "2 hours", "-1s", "61m", "nan", ""])
def test_a_time_that_is_none_is_wrong_usage(
    every: str, bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words(bundle, folder, out), f"--every={every}"]) == 2
    assert "write it like 2s, 500ms or 1m" in " ".join(capsys.readouterr().err.split())


def test_results_in_the_watched_folder_are_wrong_usage(
    bundle: Bundle, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words(bundle, folder, folder / ".." / folder.name)) == 2
    assert "results need one of their own" in " ".join(capsys.readouterr().err.split())


def test_a_film_for_a_folder_is_wrong_usage(
    bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words(bundle, folder / "a.png", out)) == 2
    assert "name the folder that films arrive in" in " ".join(capsys.readouterr().err.split())


def test_results_that_cannot_be_written_are_one_line(
    bundle: Bundle, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run(words(bundle, folder, tmp_path / "file", "--once")) == 1
    assert problem_of(capsys).endswith("choose another --out")


def test_an_unsigned_model_is_refused_on_a_locked_device_before_a_film_is_read(
    bundle: Bundle,
    folder: Path,
    out: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert run(words(bundle, folder, out)) == 1
    assert "is not signed" in problem_of(capsys)
    assert not out.exists()


def test_a_second_watcher_is_refused(
    bundle: Bundle, folder: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with watcher(bundle, folder, out, "--json") as first:
        read_json(first, 3)
        assert run(words(bundle, folder, out, "--once")) == 1
        assert "another watcher is at work there" in problem_of(capsys)
    assert run(words(bundle, folder, out, "--once")) == 0
    require_each_once(folder, out)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_with_a_line(number: int, code: int, bundle: Bundle, folder: Path, out: Path) -> None:
    with watcher(bundle, folder, out, "--json") as process:
        read_json(process, 1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == code
        assert errors == "osteo-edge: ended as asked; the next start goes on from here\n"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone")
def test_what_decodes_ends_with_the_watch_and_not_by_a_signal_that_is_for_all_of_a_service(
    bundle: Bundle, folder: Path, out: Path, draw_film: Draw
) -> None:
    with watcher(bundle, folder, out, "--json") as process:
        read_json(process, 3)
        (decoder,) = _children_of(process.pid)
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(decoder, number)
        draw_film("films/d.png", brightness=0.4)
        read_json(process, 1)
        assert _children_of(process.pid) == [decoder]
        process.kill()
        until = time.monotonic() + PATIENCE_S
        while Path(f"/proc/{decoder}").exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert not Path(f"/proc/{decoder}").exists()


def test_one_process_is_what_was_asked_for(bundle: Bundle, folder: Path, out: Path) -> None:
    with watcher(bundle, folder, out, "--json", "--one-process") as process:
        read_json(process, 3)
        assert _children_of(process.pid) == []


def _children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_films_that_arrive_are_screened_and_killing_it_again_and_again_does_no_harm(
    bundle: Bundle, out: Path, draw_film: Draw, tmp_path: Path
) -> None:
    folder, chance = tmp_path / "films", random.Random(0)
    for kill in range(6):
        for number in range(5):
            draw_film(f"films/{kill}-{number}.png", brightness=0.15 + 0.12 * number + 0.01 * kill, height=400 + kill)
        with watcher(bundle, folder, out, "--json", "--overlay") as process:
            read_json(process, 1 + kill % 3)
            time.sleep(chance.uniform(0, 0.03))
            process.kill()
    assert run(words(bundle, folder, out, "--once")) == 0
    require_each_once(folder, out)
    assert len(list(folder.iterdir())) == 30


def test_a_slow_writer_is_waited_for(bundle: Bundle, folder: Path, out: Path, draw_film: Draw) -> None:
    data = draw_film("slow.png", brightness=0.7).read_bytes()
    with watcher(bundle, folder, out, "--json", "--every", "500ms") as process:
        with (folder / "slow.png").open("wb", buffering=0) as file:
            piece = len(data) // 4 + 1
            for start in range(0, len(data), piece):
                file.write(data[start : start + piece])
                time.sleep(0.4)
        told = read_json(process, 4)
    assert sorted(Path(answer["image"]).name for answer in told) == ["a.png", "b.png", "c.png", "slow.png"]
    assert all("error" not in answer for answer in told)
    require_each_once(folder, out)


def test_a_disk_that_takes_no_more_ends_it_with_one_line(bundle: Bundle, folder: Path, out: Path) -> None:
    """A limit on the size of a file cuts a write in two, as a full disk does; it is one on shared memory, too."""
    command = [sys.executable, "-m", "osteo_edge", *words(bundle, folder, out, "--once", "--one-process")]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1200, 1200))

    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"osteo-edge: {out}")
    assert line.endswith("cannot be written (File too large); free some space or choose another place")
    assert len((out / "ledger.jsonl").read_bytes().splitlines()) == 2
    assert run(words(bundle, folder, out, "--once")) == 0
    require_each_once(folder, out)


@pytest.mark.slow
def test_memory_stays_flat_over_500_films(bundle: Bundle, folder: Path, out: Path, draw_film: Draw) -> None:
    for number in range(500):
        draw_film(f"films/{number}.png", brightness=0.1 + 0.0016 * number, height=1200, width=900)
    with watcher(bundle, folder, out, "--json", "--overlay") as process:
        read_json(process, 100)
        before = _resident_mb(process.pid)
        read_json(process, 400)
        assert _resident_mb(process.pid) - before < 10


def _resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_systemd_is_told_when_it_is_ready_alive_and_ending_and_no_film_s_name(
    bundle: Bundle, folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "200000")
        told: list[str] = []
        with watcher(bundle, folder, out, "--json") as process:
            read_json(process, 3)
            while len(told) < 10 or not any("STATUS=3 events" in line for line in told):
                told.append(manager.recv(4096).decode())
            process.send_signal(signal.SIGTERM)
            while told[-1] != "STOPPING=1":
                told.append(manager.recv(4096).decode())
            assert process.wait(PATIENCE_S) == 0
    assert [line for line in told if "READY=1" in line] == [told[0]]
    assert told[0].startswith("READY=1\nSTATUS=waiting for films, with LiteRT")
    assert told.count("WATCHDOG=1") >= 3
    assert not any(path.name in line for path in folder.iterdir() for line in told)
