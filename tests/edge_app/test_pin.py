import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from osteo_edge.edge_app import pin as module
from osteo_edge.edge_app.pin import (
    FIRST_DELAY_S,
    FREE_ATTEMPTS,
    MAX_DELAY_S,
    TOO_EASY,
    TOO_SHORT,
    PinHash,
    PinLock,
    Verdict,
    boot_name,
    delay_s,
    hash_pin,
    matches,
    pin_problem,
)


class Clock:
    """A clock that can be set, beside one that cannot: both go on by `pass_by`."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.time, self.ticks, self.boots = now, 50.0, 1

    def pass_by(self, seconds: float) -> None:
        self.time += seconds
        self.ticks += seconds

    def start_anew(self) -> None:
        """The device is switched off and on: what counts since then is at its beginning."""
        self.ticks, self.boots = 1.0, self.boots + 1

    def lock(self, path: Path) -> PinLock:
        return PinLock(path, now=lambda: self.time, monotonic=lambda: self.ticks, boot=lambda: f"boot {self.boots}")


@pytest.fixture(scope="module")
def known() -> PinHash:
    return hash_pin("7193")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pin-attempts.json"


def test_only_the_pin_matches_its_hash(known: PinHash) -> None:
    assert matches("7193", known)
    assert not any(matches(other, known) for other in ("7194", "719", "71930", "", "７１９３", "\ud800"))


def test_two_hashes_of_one_pin_differ_and_do_not_hold_it(known: PinHash) -> None:
    other = hash_pin("7193")
    assert (other.salt != known.salt, other.key != known.key) == (True, True)
    assert matches("7193", other)


@pytest.mark.parametrize(
    ("salt", "key"), [("ab", "cd" * 32), ("ab" * 16, "cd" * 31), ("AB" * 16, "cd" * 32), ("ab" * 16, "zz" * 32)]
)
def test_a_hash_of_another_shape_is_refused(salt: str, key: str) -> None:
    with pytest.raises(ValueError, match="hex digits"):
        PinHash(salt, key)


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("719", TOO_SHORT),
        ("7193719371937", TOO_SHORT),
        ("71 93", TOO_SHORT),
        ("٧١٩٣", TOO_SHORT),
        ("", TOO_SHORT),
        ("0000", TOO_EASY),
        ("123456", TOO_EASY),
        ("9876", TOO_EASY),
        ("1212", None),
        ("719371937193", None),
    ],
)
def test_a_pin_is_digits_that_are_not_guessed_first(pin: str, problem: str | None) -> None:
    assert pin_problem(pin) == problem


def test_wrong_pins_are_answered_ever_more_slowly(path: Path, known: PinHash) -> None:
    clock = Clock()
    lock = clock.lock(path)
    waits = []
    for _ in range(FREE_ATTEMPTS + 3):
        assert lock.check("0001", known) == "wrong"
        waits.append(lock.wait_s())
        clock.pass_by(waits[-1])
    assert waits == [0, 0, FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S, 8 * FIRST_DELAY_S]


def test_while_the_delay_runs_not_even_the_right_pin_is_tried(path: Path, known: PinHash) -> None:
    clock = Clock()
    lock = clock.lock(path)
    for _ in range(FREE_ATTEMPTS):
        lock.check("0001", known)
    clock.pass_by(FIRST_DELAY_S - 0.01)
    assert lock.check("7193", known) == "wait"
    clock.pass_by(0.01)
    assert lock.check("7193", known) == "right"
    assert [lock.check("0001", known) for _ in range(FREE_ATTEMPTS)] == ["wrong"] * FREE_ATTEMPTS


def test_a_restart_neither_forgets_the_attempts_nor_shortens_the_delay(path: Path, known: PinHash) -> None:
    clock = Clock()
    for _ in range(FREE_ATTEMPTS):
        assert clock.lock(path).check("0001", known) == "wrong"
    clock.pass_by(2)
    assert clock.lock(path).wait_s() == pytest.approx(FIRST_DELAY_S - 2)
    assert clock.lock(path).check("7193", known) == "wait"
    clock.pass_by(FIRST_DELAY_S)
    assert clock.lock(path).wait_s() == 0


def test_a_clock_that_is_set_does_not_help_within_a_run_and_set_back_it_starts_the_delay_again(
    path: Path, known: PinHash
) -> None:
    clock = Clock()
    lock = clock.lock(path)
    for _ in range(FREE_ATTEMPTS):
        lock.check("0001", known)
    clock.time += 10_000
    assert lock.wait_s() == FIRST_DELAY_S
    clock.time -= 1_000_000
    assert [lock.wait_s(), clock.lock(path).wait_s()] == [FIRST_DELAY_S, FIRST_DELAY_S]


def test_all_windows_share_one_count_and_one_delay(path: Path, known: PinHash) -> None:
    clock = Clock()
    one, other, third = (clock.lock(path) for _ in range(3))
    assert [lock.check("0001", known) for lock in (one, other, third)] == ["wrong"] * FREE_ATTEMPTS
    assert [lock.wait_s() for lock in (one, other, third)] == [FIRST_DELAY_S] * 3
    assert one.check("7193", known) == "wait"
    clock.pass_by(FIRST_DELAY_S)
    assert one.check("7193", known) == "right"
    assert [lock.check("0001", known) for lock in (third, other)] == ["wrong", "wrong"]
    assert json.loads(path.read_text())["wrong"] == 2


def test_windows_that_try_at_the_same_moment_are_all_counted(path: Path, known: PinHash) -> None:
    """Each looks while the other is about to write; a count that is lost is a free try."""
    clock = Clock()
    locks = [clock.lock(path) for _ in range(12)]
    start = threading.Barrier(len(locks))

    def attempt(lock: PinLock) -> Verdict:
        start.wait()
        return lock.attempt(lambda: False)

    with ThreadPoolExecutor(len(locks)) as pool:
        found = list(pool.map(attempt, locks))
    assert sorted(found) == ["wait"] * (len(locks) - FREE_ATTEMPTS) + ["wrong"] * FREE_ATTEMPTS
    assert json.loads(path.read_text())["wrong"] == FREE_ATTEMPTS


def test_setting_the_clock_shortens_no_delay_over_a_restart_of_the_program(path: Path, known: PinHash) -> None:
    clock = Clock()
    for _ in range(FREE_ATTEMPTS):
        clock.lock(path).check("0001", known)
    clock.pass_by(1)
    for hours in (1, -10_000):
        clock.time += hours * 3600
        assert clock.lock(path).wait_s() == FIRST_DELAY_S - 1


def test_a_device_that_starts_with_its_clock_set_back_waits_the_delay_and_no_longer(path: Path, known: PinHash) -> None:
    clock = Clock()
    for _ in range(FREE_ATTEMPTS):
        clock.lock(path).check("0001", known)
    clock.start_anew()
    clock.time = 0.0
    lock = clock.lock(path)
    assert lock.wait_s() == FIRST_DELAY_S
    clock.pass_by(FIRST_DELAY_S)
    assert lock.check("0001", known) == "wrong"
    assert lock.wait_s() == 2 * FIRST_DELAY_S


def test_over_a_start_of_the_device_the_delay_goes_on_by_its_clock(path: Path, known: PinHash) -> None:
    clock = Clock()
    for _ in range(FREE_ATTEMPTS):
        clock.lock(path).check("0001", known)
    clock.start_anew()
    clock.time += 2
    assert clock.lock(path).wait_s() == FIRST_DELAY_S - 2


def test_a_count_of_an_older_version_counts(path: Path, known: PinHash) -> None:
    clock = Clock()
    path.write_text(json.dumps({"wrong": FREE_ATTEMPTS, "last_at": clock.time - 1}))
    assert clock.lock(path).check("7193", known) == "wait"


def test_a_count_that_is_taken_away_while_the_program_runs_stays(path: Path, known: PinHash) -> None:
    lock = Clock().lock(path)
    for _ in range(FREE_ATTEMPTS):
        lock.check("0001", known)
    path.unlink()
    assert lock.check("7193", known) == "wait"


def test_this_system_names_its_start_always_alike() -> None:
    assert boot_name() == boot_name()


def test_an_attempt_counts_before_it_is_answered(path: Path, known: PinHash, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(pin: str, known: PinHash) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "matches", killed)
    with pytest.raises(KeyboardInterrupt):
        Clock().lock(path).check("0001", known)
    assert json.loads(path.read_text())["wrong"] == 1


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"wrong": -1, "last_at": 0.0}', b"\xff", b"[" * 100_000])
def test_a_count_that_cannot_be_read_is_taken_for_attempts(data: bytes, path: Path, known: PinHash) -> None:
    path.write_bytes(data)
    lock = Clock().lock(path)
    assert (lock.wait_s(), lock.check("7193", known)) == (FIRST_DELAY_S, "wait")


def test_a_disk_that_takes_no_count_locks_no_one_out(tmp_path: Path, known: PinHash) -> None:
    (tmp_path / "file").write_bytes(b"")
    clock = Clock()
    lock = clock.lock(tmp_path / "file" / "attempts.json")
    clock.pass_by(FIRST_DELAY_S)
    assert lock.check("7193", known) == "right"
    assert [lock.check("0001", known) for _ in range(FREE_ATTEMPTS + 1)] == ["wrong"] * FREE_ATTEMPTS + ["wait"]


def test_the_delay_grows_to_a_quarter_of_an_hour() -> None:
    delays = [delay_s(wrong) for wrong in range(2000)]
    assert delays == sorted(delays)
    assert delays[-1] == MAX_DELAY_S == 900


def test_a_pin_is_slow_to_try(known: PinHash) -> None:
    started = time.process_time()
    matches("0001", known)
    assert time.process_time() - started > 0.01
