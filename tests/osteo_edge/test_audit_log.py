import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge import audit_log
from osteo_edge.audit_log import FILE, HEAD_FILE, MAX_LINE_BYTES, START, AuditLog, Head, read_events, verify_log
from osteo_edge.durable import write_durably
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_bytes

APPENDING = """
import sys
from pathlib import Path
from osteo_edge.audit_log import AuditLog
log, name = AuditLog(Path(sys.argv[1])), sys.argv[2]
for number in range(10_000):
    log.append("screened", who=name, image="f" * 64, number=number)
    print(number, flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """A log of six events."""
    log = AuditLog(tmp_path)
    log.append("model chosen", who="technician", model="a" * 64)
    for number in range(4):
        log.append("screened", who="clinic", image=str(number) * 64, outcome="refer", score=0.5 + number / 10)
    log.append("exported", who="clinic", to="größer.pdf", pages=2, complete=True, note=None)
    return log


def findings(folder: Path, noted: Head | None = None) -> tuple[str, ...]:
    return verify_log(folder, noted).findings


def lines(folder: Path) -> list[bytes]:
    return (folder / FILE).read_bytes().splitlines(keepends=True)


def test_a_log_that_nobody_touched_is_whole_and_tells_what_was_done(log: AuditLog, tmp_path: Path) -> None:
    verified = verify_log(tmp_path)
    assert (verified.findings, verified.head) == ((), log.head())
    events = list(read_events(tmp_path))
    assert [event.number for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[0].previous == START
    assert (events[5].what, events[5].who) == ("exported", "clinic")
    assert events[5].about == {"to": "größer.pdf", "pages": 2, "complete": True, "note": None}


def test_any_changed_byte_is_found(log: AuditLog, tmp_path: Path) -> None:
    path = tmp_path / FILE
    data, chosen, missed = path.read_bytes(), random.Random(0), []
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << chosen.randrange(8)
        path.write_bytes(changed)
        if not findings(tmp_path):
            missed.append(place)
    assert missed == []


def test_a_removed_line_is_found_wherever_it_stood(log: AuditLog, tmp_path: Path) -> None:
    whole = lines(tmp_path)
    for place in range(len(whole)):
        (tmp_path / FILE).write_bytes(b"".join(whole[:place] + whole[place + 1 :]))
        assert findings(tmp_path), place


def test_lines_in_another_order_are_found(log: AuditLog, tmp_path: Path) -> None:
    whole = lines(tmp_path)
    for first in range(len(whole)):
        for second in range(first + 1, len(whole)):
            moved = list(whole)
            moved[first], moved[second] = moved[second], moved[first]
            (tmp_path / FILE).write_bytes(b"".join(moved))
            assert findings(tmp_path), (first, second)


def test_a_line_put_in_or_doubled_is_found(log: AuditLog, tmp_path: Path) -> None:
    whole = lines(tmp_path)
    for place in range(len(whole)):
        (tmp_path / FILE).write_bytes(b"".join(whole[: place + 1] + whole[place:]))
        assert findings(tmp_path), place


def test_a_log_cut_off_anywhere_is_found(log: AuditLog, tmp_path: Path) -> None:
    data = (tmp_path / FILE).read_bytes()
    for size in range(len(data)):
        (tmp_path / FILE).write_bytes(data[:size])
        assert findings(tmp_path), size


def test_an_emptied_or_missing_head_is_found(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / HEAD_FILE).write_bytes(b"")
    assert "no head can be read" in findings(tmp_path)[0]
    (tmp_path / HEAD_FILE).unlink()
    assert "no head can be read" in findings(tmp_path)[0]


def forged(folder: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    """Rewrite the log with right hashes throughout, and the head with it."""
    events = [json.loads(line) for line in lines(folder)]
    change(events)
    previous, written = START, b""
    for number, event in enumerate(events, 1):
        event |= {"number": number, "previous": previous}
        line = json.dumps(event, separators=(",", ":")).encode()
        previous, written = sha256_bytes(line), written + line + b"\n"
    (folder / FILE).write_bytes(written)
    (folder / HEAD_FILE).write_text(json.dumps({"number": len(events), "sha256": previous, "schema": 1}))


def test_a_forger_of_the_whole_log_is_found_out_by_a_head_that_was_noted(log: AuditLog, tmp_path: Path) -> None:
    noted = log.head()
    log.append("screened", who="clinic")
    assert findings(tmp_path, noted) == ()
    forged(tmp_path, lambda events: events[2].update(who="somebody else"))
    assert findings(tmp_path) == ()
    assert findings(tmp_path, noted) == ("line 6: not the one whose hash was noted",)
    forged(tmp_path, lambda events: events.clear())
    assert findings(tmp_path, noted)[0] == "there are 0 lines, but line 6 had been noted"


def test_what_was_cut_off_before_the_next_event_stays_on_record(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"".join(lines(tmp_path)[:-2]))
    log.append("screened", who="clinic")
    (found,) = findings(tmp_path)
    assert "lines had been cut off or replaced before" in found
    assert [event.what for event in read_events(tmp_path)][-2:] == ["log does not end where it did", "screened"]


@pytest.mark.parametrize("torn", [b"{", b'{"number":7,"at":"2026', b"\x00" * 500])
def test_a_torn_line_is_taken_out_by_the_next_event_and_nothing_is_amiss(
    torn: bytes, log: AuditLog, tmp_path: Path
) -> None:
    with (tmp_path / FILE).open("ab") as file:
        file.write(torn)
    assert findings(tmp_path) == ()
    log.append("screened", who="clinic")
    *_, removed, screened = read_events(tmp_path)
    assert (removed.what, removed.about, screened.what) == ("part of a line removed", {"bytes": len(torn)}, "screened")
    assert findings(tmp_path) == ()


def test_a_power_cut_before_the_head_was_written_is_nothing_amiss(log: AuditLog, tmp_path: Path) -> None:
    before = (tmp_path / HEAD_FILE).read_bytes()
    log.append("screened", who="clinic")
    (tmp_path / HEAD_FILE).write_bytes(before)
    assert findings(tmp_path) == ()
    log.append("screened", who="clinic")
    assert findings(tmp_path) == ()
    assert [event.what for event in read_events(tmp_path)][-2:] == ["screened", "screened"]


@pytest.mark.parametrize("torn", [b"{", b"\x00" * 500])
def test_a_part_of_a_line_does_not_hide_what_was_cut_off_before_it(torn: bytes, log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"".join(lines(tmp_path)[:-2]) + torn)
    log.append("screened", who="clinic")
    (found,) = findings(tmp_path)
    assert "lines had been cut off or replaced before" in found
    assert [event.what for event in read_events(tmp_path)][-2:] == ["part of a line removed", "screened"]


def test_a_log_with_an_end_that_is_no_line_is_left_as_it_is(log: AuditLog, tmp_path: Path) -> None:
    data = (tmp_path / FILE).read_bytes() + b"\x00" * (3 * MAX_LINE_BYTES)
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(OsteoEdgeError, match="this is no audit log"):
        log.append("screened", who="clinic")
    assert (tmp_path / FILE).read_bytes() == data


def test_an_empty_line_at_the_end_is_found_and_the_chain_goes_on(log: AuditLog, tmp_path: Path) -> None:
    with (tmp_path / FILE).open("ab") as file:
        file.write(b"\n")
    log.append("screened", who="clinic")
    empty, cut = findings(tmp_path)
    assert (empty, cut[:40]) == ("line 7: no event (not JSON)", "line 8: lines had been cut off or replac")


def test_an_event_that_could_not_be_noted_is_not_in_the_log_however_often_it_is_tried(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes, what: str) -> Path:
        raise OsteoEdgeError(f"{path}: {what} cannot be written")

    monkeypatch.setattr(audit_log, "write_durably", full)  # the disk takes a line, and no new file
    for _ in range(3):
        with pytest.raises(OsteoEdgeError, match="cannot be written"):
            log.append("screened", who="clinic")
    assert findings(tmp_path) == ()
    assert log.head().number == 6


def test_a_disk_that_cannot_be_read_any_more_is_told_of_what_it_did_not_take(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(path: Path, data: bytes, what: str) -> Path:
        (tmp_path / HEAD_FILE).unlink()
        (tmp_path / HEAD_FILE).mkdir()  # what is read from now on is refused
        raise OsteoEdgeError(f"{path}: {what} cannot be written")

    monkeypatch.setattr(audit_log, "write_durably", break_down)
    with pytest.raises(OsteoEdgeError, match="cannot be written"):
        log.append("screened", who="clinic")


@pytest.mark.usefixtures("log")
def test_two_power_cuts_in_a_row_before_the_head_are_nothing_amiss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(path: Path, data: bytes, what: str) -> Path:
        if json.loads(data)["number"] == len(before) + 1:
            raise KeyboardInterrupt
        return write_durably(path, data, what)

    monkeypatch.setattr(audit_log, "write_durably", cut)
    for _ in range(2):
        before = lines(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            AuditLog(tmp_path).append("screened", who="clinic")
    assert (findings(tmp_path), len(lines(tmp_path))) == ((), 8)


def test_what_is_appended_while_the_log_is_verified_is_nothing_amiss(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, others = audit_log._read_head, [2, 1]

    def late(path: Path) -> Head | None:
        for _ in range(others.pop() if others else 0):
            with monkeypatch.context() as alone:
                alone.setattr(audit_log, "_read_head", read)
                log.append("screened", who="somebody else")
        return read(path)

    monkeypatch.setattr(audit_log, "_read_head", late)
    assert findings(tmp_path) == ()
    assert others == []


def test_an_event_with_any_name_of_a_file_is_read_again_and_one_that_could_not_be_is_refused(
    log: AuditLog, tmp_path: Path
) -> None:
    log.append("exported", who="clinic", to="R\udcf6ntgen\n\u2028.pdf")
    assert [*read_events(tmp_path)][-1].about == {"to": "R\udcf6ntgen\n\u2028.pdf"}
    with pytest.raises(ValueError, match="can be read again"):
        log.append("exported", who="clinic", to="x" * MAX_LINE_BYTES)
    assert findings(tmp_path) == ()


def test_a_head_that_the_system_refuses_is_not_taken_for_one_that_was_removed(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / HEAD_FILE).unlink()
    (tmp_path / HEAD_FILE).mkdir()
    for use in (lambda: log.append("screened", who="clinic"), lambda: verify_log(tmp_path)):
        with pytest.raises(OsteoEdgeError, match=f"{HEAD_FILE}: cannot be read"):
            use()
    assert len(lines(tmp_path)) == 6


def test_a_folder_in_the_log_s_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(OsteoEdgeError, match=f"{FILE}: cannot be used"):
        AuditLog(tmp_path).append("screened", who="clinic")


def test_a_program_killed_at_any_moment_loses_nothing_that_it_was_told_is_written(tmp_path: Path) -> None:
    chosen, told = random.Random(0), 0
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", APPENDING, tmp_path, "a"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chosen.random() * 0.2)
            process.kill()
            told += 1 + len(process.stdout.read().splitlines())
        assert process.wait() == -signal.SIGKILL
        assert findings(tmp_path) == ()
        written = sum(event.what == "screened" for event in read_events(tmp_path))
        assert written >= told
        told = written


def test_two_programs_at_once_make_one_chain(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", APPENDING, str(tmp_path), name] for name in "ab"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    for process in processes:
        assert process.stdout is not None
        for _ in range(50):
            process.stdout.readline()
    for process in processes:
        process.kill()
        process.communicate()
    assert findings(tmp_path) == ()
    assert {event.who for event in read_events(tmp_path)} == {"a", "b"}


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(OsteoEdgeError, match="cannot be written"):
        AuditLog(tmp_path / "file" / "audit").append("screened", who="clinic")


def test_a_log_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match="cannot be read"):
        verify_log(tmp_path)
    (tmp_path / FILE).write_bytes(b"x" * 200_000)
    with pytest.raises(OsteoEdgeError, match="this is no audit log"):
        verify_log(tmp_path)


def test_a_log_whose_last_line_is_nonsense_goes_on_and_says_so(log: AuditLog, tmp_path: Path) -> None:
    with (tmp_path / FILE).open("ab") as file:
        file.write(b"nonsense\n")
    log.append("screened", who="clinic")
    found = findings(tmp_path)
    assert any(line.startswith("line 7: no event") for line in found)
    assert any("had been cut off or replaced" in line for line in found)
    with pytest.raises(OsteoEdgeError, match="line 7 is no event"):
        list(read_events(tmp_path))
