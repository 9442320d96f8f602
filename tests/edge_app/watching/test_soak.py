"""A watch under a stream of good, damaged and hostile files, whose processes are killed again and again.

OSTEO_EDGE_SOAK_MINUTES=30 pytest tests/edge_app/watching/test_soak.py -s
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from osteo_edge import audit_log
from osteo_edge.bundle import Bundle
from osteo_edge.hashing import sha256_bytes

WATCH = Path(__file__).with_name("hostile_watch.py")
SOAK_S = 60 * float(os.environ.get("OSTEO_EDGE_SOAK_MINUTES", "0.2"))
DEEDS = ("crash", "abort", "raise", "eat", "nan", "connect", "write", "fork", "die", "lie: nothing", "lie: huge")
PENDING = 12
WARM, ENOUGH = 20, 60
"""Films after which a process has taken what it keeps, and those after which it is seen whether it takes more."""
GROWTH_MB = 10.0
PATIENCE_S = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone"),
]


@dataclass
class Soak:
    """The folders, what has been put there, and the watch that runs."""

    root: Path
    bundle: Bundle
    film: bytes
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    kinds: dict[str, str] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    growth_mb: list[float] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / "films"

    @property
    def out(self) -> Path:
        return self.root / "results"

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        words = ["watch", str(self.bundle.path), str(self.folder), "--out", str(self.out), "--every", "50ms"]
        command = [sys.executable, str(WATCH), str(self.root / "mark"), *words, "--threads", "1", "--json", *options]
        environment = {**os.environ, "TMPDIR": str(self.root / "tmp")}
        nothing = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=nothing, stderr=nothing, env=environment)

    def add(self) -> None:
        """Let one more file arrive."""
        number = len(self.kinds)
        kind = self.chance.choices(["good", "bad", "hostile"], [12, 4, 1])[0]
        data = self.film + f"{number}".encode()
        if kind == "bad":
            data = self.film[: self.chance.randrange(200, len(self.film) // 2)] + f"{number}".encode()
        elif kind == "hostile":
            data += f"#{self.chance.choice(DEEDS)}".encode()
        part = self.folder / f"{number}.png.part"
        part.write_bytes(data)
        part.rename(part.with_suffix(""))
        self.kinds[sha256_bytes(data)] = kind

    def answered(self) -> int:
        """How many lines the ledger has."""
        ledger = self.out / "ledger.jsonl"
        return ledger.read_bytes().count(b"\n") if ledger.exists() else 0

    def feed(self, until: float, process: "subprocess.Popen[bytes]", kill: Callable[[], None] | None) -> None:
        """Add files and now and then kill, until that time; note how much memory the watch came to take.

        Without kills also until there are enough films for that.
        """
        first = done = self.answered()
        warm_mb, next_kill = None, time.monotonic() + self.chance.uniform(2, 5)
        while process.poll() is None and (time.monotonic() < until or (kill is None and done - first < ENOUGH)):
            while len(self.kinds) < done + PENDING:
                self.add()
            time.sleep(0.1)
            before, done = done, self.answered()
            if done - first > WARM and warm_mb is None:
                warm_mb = resident_mb(process.pid)
            if kill is not None and time.monotonic() > next_kill and done > before:
                kill()
                next_kill = time.monotonic() + self.chance.uniform(2, 5)
        if warm_mb is not None and done - first >= ENOUGH and process.poll() is None:
            self.growth_mb.append(resident_mb(process.pid) - warm_mb)

    def kill_a_helper(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill what decodes, or what forks it."""
        forkers = children_of(process.pid)
        decoders = [each for forker in forkers for each in children_of(forker)]
        for name, victims in self.chance.sample([("decoder", decoders), ("forker", forkers)], 2):
            if victims:
                self.kills[name] += 1
                end(victims[0])
                return


@pytest.fixture
def soak(tmp_path: Path, bundle: Bundle, film: Path) -> Soak:
    for name in ("films", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "mark").touch()
    return Soak(tmp_path, bundle, film.read_bytes())


def test_each_file_is_answered_once_in_flat_memory_and_nothing_is_left(soak: Soak) -> None:
    end_at = time.monotonic() + SOAK_S
    others = set(processes_of(soak.root))
    while time.monotonic() < end_at:
        lives_s = soak.chance.choice([soak.chance.uniform(1, 4), max(4.0, SOAK_S / 10)])
        with soak.start() as process:
            soak.feed(
                min(end_at, time.monotonic() + lives_s),
                process,
                lambda process=process: soak.kill_a_helper(process),  # type: ignore[misc]
            )
            assert process.poll() is None, "the watch ended by itself"
            soak.kills["watch"] += 1
            process.kill()
        _wait_for(lambda: set(processes_of(soak.root)) == others)
    with soak.start() as process:
        soak.feed(time.monotonic() + SOAK_S / 30, process, None)
        _wait_for(lambda: soak.answered() == len(soak.kinds))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    _require_sound(soak)
    print(f"{len(soak.kinds)} files {Counter(soak.kinds.values())}, kills {soak.kills}, {soak.growth_mb} MB")  # noqa: T201


def _require_sound(soak: Soak) -> None:
    lines = [json.loads(line) for line in (soak.out / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert sorted(line["sha256"] for line in lines) == sorted(soak.kinds)
    for line in lines:
        assert (line["outcome"] == "unreadable") == (soak.kinds[line["sha256"]] != "good"), line
    results = [json.loads(path.read_bytes())["image_sha256"] for path in soak.out.glob("20??-??-??/*.json")]
    assert sorted(results) == sorted(digest for digest, kind in soak.kinds.items() if kind == "good")
    rows = (soak.out / "results.csv").read_text("utf-8").splitlines()[1:]
    assert sorted(row[-64:] for row in rows) == sorted(soak.kinds)
    assert audit_log.verify_log(soak.out).findings == ()
    assert list(soak.out.rglob("*.partial")) == []
    assert list((soak.root / "tmp").iterdir()) == []
    assert soak.growth_mb
    assert max(soak.growth_mb) < GROWTH_MB
    assert processes_of(soak.root) == []


def processes_of(root: Path) -> list[int]:
    """What runs with the folder on its command line, but for what has ended and is only not waited for."""
    return [
        int(place.name)
        for place in Path("/proc").iterdir()
        if place.name.isdigit() and int(place.name) != os.getpid() and str(root).encode() in _command_line(place)
    ]


def _command_line(place: Path) -> bytes:
    try:
        return (place / "cmdline").read_bytes()
    except OSError:
        return b""


def children_of(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def end(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def resident_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _wait_for(look: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not look():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
