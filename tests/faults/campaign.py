"""Interrupt an action at each of its calls, in each way, and see what its next start finds."""

import gc
import os
import select
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from osteo_edge.errors import OsteoEdgeError
from tests.faults.actions import Action, strays
from tests.faults.finding import Found
from tests.faults.shim import KINDS, Kind, Shim

MEMORY_DISK: Final = Path("/dev/shm")
PATIENCE_S: Final = 60.0
A_DAY_S: Final = 25 * 3600
YEARS_S: Final = 3 * 365 * 24 * 3600
AFTER_CLOCK: Final = ("disk full, once", "kill -9 after", "power cut before")
"""The kinds that are tried again on a device whose clock was set back by years before the action."""
RECORDED_ALONE: Final = ("screened", "purged")
"""Events that change nothing that is to be seen besides: what was deleted is not."""

Verdict = Literal["lost", "unreadable", "half", "stray", "crashed"]
VERDICTS: Final[tuple[Verdict, ...]] = ("lost", "unreadable", "half", "stray", "crashed")
ACKNOWLEDGED, REFUSED, STUCK, FAULTY = b"A", b"R", b"S", b"C"
"""What a program tells: it was done; it was refused; refused again, once the disk was well; something unexpected."""


@dataclass(frozen=True)
class Fault:
    """One fault: of which kind, at which call (0: after the last), and with which seed, if chance is part of it."""

    kind: Kind
    nth: int
    call: str
    seed: int = 1
    is_clock_back: bool = False

    def __str__(self) -> str:
        clock = ", clock set back" if self.is_clock_back else ""
        return f"{self.kind.name} at call {self.nth} ({self.call}), seed {self.seed}{clock}"


@dataclass(frozen=True)
class Violation:
    """What a fault has broken."""

    action: str
    fault: str
    verdict: Verdict
    what: str


@dataclass
class Result:
    """What came of one action: its calls, the faults, and what was broken."""

    action: str
    calls: int
    faults: int = 0
    acknowledged: int = 0
    refused: int = 0
    violations: list[Violation] = field(default_factory=list)

    def count(self, verdict: Verdict) -> int:
        """How many faults had that verdict."""
        return len({one.fault for one in self.violations if one.verdict == verdict})


@dataclass(frozen=True)
class _Run:
    """What a program that was interrupted has told."""

    told: bytes
    trace: tuple[str, ...] = ()

    @property
    def is_acknowledged(self) -> bool:
        return self.told.lstrip(REFUSED).startswith(ACKNOWLEDGED)

    @property
    def is_stuck(self) -> bool:
        return self.told.lstrip(REFUSED).startswith(STUCK)


class Campaign:
    """The faults of one action, in a scratch folder of its own; `close` removes that."""

    def __init__(self, action: Action, shim: Shim) -> None:
        self.action, self._shim = action, shim
        disk = MEMORY_DISK if os.access(MEMORY_DISK, os.W_OK) else None
        self._scratch = Path(tempfile.mkdtemp(prefix="faults-", dir=disk))
        self._prepared, self._root, self._aside = (self._scratch / name for name in ("prepared", "data", "aside"))
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Lay the folder out, and do the action once without a fault."""
        action = self.action
        self._shim.disarm()
        action.prepare(self._root)
        self._root.rename(self._prepared)
        self._lay_out()
        self.before = self._find_sound("before")
        self._lay_out()
        run = self._run(None)
        if not run.is_acknowledged:
            raise AssertionError(f"{action.name}: is not done even without a fault: {run.told.decode()}")
        self.trace = run.trace
        self.after = self._find_sound("after")
        if action.told is not None and action.told not in RECORDED_ALONE and self.after == self.before:
            raise AssertionError(f"{action.name}: changes nothing")

    def close(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def faults(self, seeds: int) -> Iterator[Fault]:
        """All that can be tried: each kind at each call, those of chance with so many seeds, and the clock set back."""
        for nth, call in enumerate(self.trace, 1):
            for kind in KINDS:
                if kind.writes_only and not call.startswith("write "):
                    continue
                for seed in range(1, (seeds if kind.keeps else 1) + 1):
                    yield Fault(kind, nth, call, seed)
                if kind.name in AFTER_CLOCK:
                    yield Fault(kind, nth, call, is_clock_back=True)
        for kind in KINDS:
            if kind.mode == "power" and kind.part == "whole":
                for seed in range(1, (seeds if kind.keeps else 1) + 1):
                    yield Fault(kind, 0, "after the last", seed)

    def try_out(self, fault: Fault, result: Result) -> None:
        """Interrupt the action once, and add what came of it to the result."""
        self._lay_out()
        run = self._run(fault)
        result.faults += 1
        result.acknowledged += run.is_acknowledged
        result.refused += run.told.startswith(REFUSED)
        for verdict, what in self._judge(run, fault.is_clock_back):
            result.violations.append(Violation(self.action.name, str(fault), verdict, what))

    def _lay_out(self) -> None:
        for folder in (self._root, self._aside):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._prepared, self._root, symlinks=True)
        self._aside.mkdir()

    def _find_sound(self, when: str) -> dict[str, str]:
        found = self.action.find(self._root)
        if found.wrong or strays(self._root, self.action.expected):
            left = strays(self._root, self.action.expected)
            raise AssertionError(f"{self.action.name}: not sound {when} any fault: {found.wrong} {left}")
        return found.things

    def _judge(self, run: _Run, is_clock_back: bool) -> Iterator[tuple[Verdict, str]]:
        if FAULTY in run.told and not run.is_stuck:
            yield "crashed", run.told.partition(FAULTY)[2].decode(errors="replace")
        yield from self._shortened()
        found = self._found()
        for wrong in found.wrong:
            yield ("half" if wrong.startswith("half") else "unreadable"), wrong
        if found.wrong:
            return
        yield from self._compared(found.things, run, is_clock_back)
        yield from self._left_over()

    def _found(self) -> Found:
        try:
            return self.action.find(self._root)
        except Exception as error:
            return Found({}, (f"does not start: {_innermost(error).decode()}",))

    def _shortened(self) -> Iterator[tuple[Verdict, str]]:
        for name in self.action.appended:
            before, now = self._prepared / name, self._root / name
            if before.is_file() and not (now.is_file() and now.read_bytes().startswith(before.read_bytes())):
                yield "lost", f"{name} does not begin with what stood there"

    def _compared(self, things: dict[str, str], run: _Run, is_clock_back: bool) -> Iterator[tuple[Verdict, str]]:
        kept = self.before.items() & self.after.items()
        if missing := sorted(name for name, value in kept if things.get(name) != value):
            yield "lost", f"{', '.join(missing)}"
        elif things not in (self.before, self.after):
            yield "half", f"{_difference(things, self.after)} (from what it leads to)"
        elif run.is_stuck and things != self.after and not is_clock_back:
            yield "half", f"refused again, with the disk well: {run.told.decode(errors='replace')}"
        elif run.is_acknowledged and things != self.after:
            yield "lost", f"acknowledged, but {_difference(things, self.after)}"
        elif run.is_acknowledged and self.action.told is not None and not self._is_told(self.action.told):
            yield "lost", f"acknowledged, but {self.action.told!r} is not on record"

    def _is_told(self, what: str) -> bool:
        name = next(name for name in (*self.action.appended, "audit.jsonl") if name.endswith("audit.jsonl"))
        before = self._prepared / name
        start = before.stat().st_size if before.is_file() else 0
        return f'"what":"{what}"'.encode() in (self._root / name).read_bytes()[start:]

    def _left_over(self) -> Iterator[tuple[Verdict, str]]:
        if not strays(self._root, self.action.expected):
            return
        self._shim.set_clock(A_DAY_S)
        try:
            self._found()
        finally:
            self._shim.set_clock(0)
        for path in strays(self._root, self.action.expected)[:3]:
            yield "stray", path

    def _run(self, fault: Fault | None) -> _Run:
        reading, writing = os.pipe()
        gc.freeze()
        process = os.fork()
        if process == 0:
            os.close(reading)
            self._interrupted(fault, writing)
        os.close(writing)
        return self._listen(process, reading)

    def _listen(self, process: int, reading: int) -> _Run:
        told = b""
        while True:
            if not select.select([reading], [], [], PATIENCE_S)[0]:
                os.kill(process, signal.SIGKILL)
                told += FAULTY + b"it hangs"
                break
            piece = os.read(reading, 1 << 16)
            if not piece:
                break
            told += piece
        os.close(reading)
        os.waitpid(process, 0)
        told, _, trace = told.partition(b"\0")
        return _Run(told, tuple(trace.decode().splitlines()))

    def _interrupted(self, fault: Fault | None, writing: int) -> None:
        """Do the action in this process, which ends by it."""
        try:
            if fault is not None and fault.is_clock_back:
                self._shim.set_clock(-YEARS_S)
            self._shim.watch(self._root, self._aside)
            if fault is None:
                self._shim.count_calls()
            else:
                self._shim.arm(fault.kind, fault.nth, fault.seed)
            self._act(fault, lambda told: os.write(writing, told))
            if fault is None:
                self._shim.disarm()
                os.write(writing, b"\0" + "\n".join(self._shim.trace).encode())
        except BaseException as error:
            self._shim.disarm()
            os.write(writing, FAULTY + _innermost(error))
        self._shim.end(0)

    def _act(self, fault: Fault | None, tell: Callable[[bytes], object]) -> None:
        """Open, do, and close; what was refused once is done again, as a user would."""
        again = fault is not None and fault.kind.mode in ("once", "short")
        try:
            opened = self.action.open(self._root)
        except OsteoEdgeError:
            tell(REFUSED)
            if not again:
                return
            opened = self.action.open(self._root)
        try:
            self.action.do(opened)
            tell(ACKNOWLEDGED)
        except OsteoEdgeError:
            tell(REFUSED)
            if again:
                tell(self._again(opened))
        self.action.close(opened)

    def _again(self, opened: object) -> bytes:
        try:
            self.action.do(opened)
        except OsteoEdgeError as error:
            return STUCK + str(error).encode()
        return ACKNOWLEDGED


def _difference(things: dict[str, str], after: dict[str, str]) -> str:
    names = sorted({name for name, _ in things.items() ^ after.items()})
    return "; ".join(f"{name}: {things.get(name, 'nothing')[:80]}" for name in names[:4])


def _innermost(error: BaseException) -> bytes:
    """The error and the last places that it came through, in one line."""
    places = [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)[-4:]]
    return f"{error!r} at {' '.join(places)}".encode()
