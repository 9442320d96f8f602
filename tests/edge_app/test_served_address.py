"""The note of the address that is served: there while it is, gone with the server, however that ends."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from osteo_edge.edge_app.served_address import FOLDER, ServedAddress, noted, served_address

PLAIN = ServedAddress("http://192.168.7.5:8443/")
SECURE = ServedAddress("https://192.168.7.5:8443/", "https://192.168.7.5:8443/ca.crt", "AB:CD")
NOTE = """
import sys
from pathlib import Path
from osteo_edge.edge_app.served_address import ServedAddress, noted
with noted(Path(sys.argv[1]), ServedAddress(sys.argv[2])) as problem:
    print(problem, flush=True)
    sys.stdin.read()
"""


def files(data_folder: Path) -> list[str]:
    return sorted(path.name for path in (data_folder / FOLDER).iterdir())


@pytest.mark.parametrize("served", [PLAIN, SECURE], ids=["http", "https"])
def test_an_address_is_seen_as_long_as_it_is_served(tmp_path: Path, served: ServedAddress) -> None:
    data_folder = tmp_path / "data"
    assert served_address(data_folder) is None
    with noted(data_folder, served) as problem:
        assert problem is None
        assert served_address(data_folder) == served
        assert served_address(data_folder) == served, "looking takes nothing away"
    assert served_address(data_folder) is None
    assert files(data_folder) == []
    assert data_folder.stat().st_mode & 0o077 == 0, "made for its owner alone, as the app makes it"


def test_an_address_is_gone_after_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), noted(tmp_path, PLAIN):
        raise KeyboardInterrupt
    assert files(tmp_path) == []


def test_a_killed_server_leaves_no_address(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NOTE, str(tmp_path), PLAIN.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "None\n"
        assert served_address(tmp_path) == PLAIN
        process.kill()
        process.wait()
    assert len(files(tmp_path)) == 1, "it could not remove its note"
    assert served_address(tmp_path) is None
    assert files(tmp_path) == []


def test_of_two_servers_the_one_that_is_left_is_seen(tmp_path: Path) -> None:
    with noted(tmp_path, PLAIN):
        with noted(tmp_path, SECURE):
            assert served_address(tmp_path) in (PLAIN, SECURE)
        assert served_address(tmp_path) == PLAIN


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 4000,
        b" " * 5000,
        b"\xff",
        json.dumps({**asdict(PLAIN), "schema": 2}).encode(),
        json.dumps({**asdict(PLAIN), "more": 1}).encode(),
        json.dumps({**asdict(PLAIN), "address": "javascript:alert(1)"}).encode(),
        json.dumps({**asdict(PLAIN), "address": "http://a b/"}).encode(),
        json.dumps({**asdict(PLAIN), "address": "http://a/\n"}).encode(),
        json.dumps({**asdict(PLAIN), "address": f"http://{'a' * 400}/"}).encode(),
        json.dumps({**asdict(PLAIN), "authority": SECURE.authority}).encode(),
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    with noted(tmp_path, PLAIN):
        (path,) = (tmp_path / FOLDER).glob("*.json")
        path.write_bytes(content)  # in the same file, which is still locked
        assert served_address(tmp_path) is None
        assert path.exists()


def test_a_note_that_was_being_written_is_not_seen_and_removed_later(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    left = tmp_path / FOLDER / ".1.json.partial"
    left.write_text(json.dumps(asdict(PLAIN)))
    assert served_address(tmp_path) is None
    os.utime(left, times=(time.time() - 7200,) * 2)
    with noted(tmp_path, PLAIN):
        assert not left.exists()


def test_where_no_note_can_be_written_the_reason_is_given(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with noted(in_the_way, PLAIN) as problem:
        assert problem == "File exists"
        assert served_address(in_the_way) is None


def test_a_disk_without_locks_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_lock(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_lock)
    with noted(tmp_path, PLAIN) as problem:
        assert problem == "Operation not supported"
        assert files(tmp_path) == []
