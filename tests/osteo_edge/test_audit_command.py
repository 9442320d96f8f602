import json
from pathlib import Path

import pytest

from osteo_edge.audit_log import FILE, AuditLog
from osteo_edge.cli import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    log = AuditLog(tmp_path)
    log.append("model chosen", who="technician", model="a" * 64)
    log.append("screened", who="clinic", image="b" * 64, outcome="refer", forced=False, note=None)
    return tmp_path


def call(*words: object) -> int:
    return run(["audit-log", *(str(word) for word in words)])


def test_a_whole_log_is_told_with_its_head(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify", "--folder", folder) == 0
    head = AuditLog(folder).head()
    assert capsys.readouterr().out == (
        f"{folder / FILE}: 2 lines, none changed, removed or moved\nhead: 2:{head.sha256}\n"
    )
    assert call("verify", "--folder", folder, "--noted", f"2:{head.sha256}") == 0
    assert call("verify", "--folder", folder, "--noted", f"1:{head.sha256}") == 1


def test_a_changed_one_ends_with_1_and_says_where(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(data.replace(b"technician", b"somebody !"))
    assert call("verify", "--folder", folder) == 1
    assert "line 2: the line before it is not the one that stood there" in capsys.readouterr().out
    assert call("verify", "--folder", folder, "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1


def test_events_are_shown_shortened_and_whole_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("show", "--folder", folder) == 0
    shown = capsys.readouterr().out
    assert "screened" in shown
    assert "image bbbbbbbbbbbb, outcome refer, forced no" in shown
    assert call("show", "--folder", folder, "--last", 1, "--json") == 0
    (event,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (event["number"], event["about"]["image"]) == (2, "b" * 64)


def test_what_a_terminal_would_obey_is_not_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    AuditLog(folder).append("screened", who="clinic\x1b[2J")
    assert call("show", "--folder", folder, "--last", 1) == 0
    shown = capsys.readouterr().out
    assert ("\x1b" in shown, "clinic\\x1b[2J" in shown, "The last of 3 events" in shown) == (False, True, True)


@pytest.mark.parametrize("noted", ["2", "2:abc", "two:" + "a" * 64])
def test_a_head_that_is_none_is_wrong_usage(noted: str, folder: Path) -> None:
    assert call("verify", "--folder", folder, "--noted", noted) == 2


def test_without_a_log_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify", "--folder", tmp_path / "none") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_app_s_own_log_is_taken_where_no_folder_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    AuditLog(tmp_path / "data" / "osteo-edge" / "audit").append("started", who="clinic")
    assert call("verify") == 0
    assert "1 lines" in capsys.readouterr().out
