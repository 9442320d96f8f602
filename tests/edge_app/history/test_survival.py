"""What was reported as saved is there after a kill, and beside another program."""

import pickle
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import stored_images
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History, Record
from tests.edge_app.history.made import connection_of

KILLS = 12
FILM_BYTES = 40_000
WRITER = """
import os, pickle, sys
from dataclasses import replace
from pathlib import Path
from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import History, Record

template, times = pickle.load(sys.stdin.buffer)
with History(Path(sys.argv[1])) as history:
    for _ in range(times):
        film = Picture(os.urandom(int(sys.argv[2])), ".jpg")
        entry = replace(template, id=new_id(), image_sha256=film.sha256)
        history.add(Record(entry, film))
        print(entry.id, flush=True)
"""


def start_writer(folder: Path, template: Entry, times: int) -> subprocess.Popen[bytes]:
    """A program that saves so many screenings and says the id of each when it is saved."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(FILM_BYTES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdin is not None
    writer.stdin.write(pickle.dumps((template, times)))
    writer.stdin.close()
    writer.stdin = None
    return writer


def reported(output: bytes) -> list[str]:
    """The ids that were written out whole."""
    return [line.decode() for line in output.split(b"\n")[:-1]]


def test_a_kill_at_any_moment_loses_nothing_that_was_reported(tmp_path: Path, entry: Callable[..., Entry]) -> None:
    chance, saved = random.Random(0), list[str]()
    for _ in range(KILLS):
        writer = start_writer(tmp_path, entry(), times=100_000)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.08))
        writer.send_signal(signal.SIGKILL)
        saved += reported(first + writer.communicate()[0])
    assert len(saved) > KILLS
    with History(tmp_path) as history:
        assert history.damage is None
        found = {entry.id: entry for entry in history.entries()}
        assert set(saved) <= set(found)
        assert len(found) <= len(saved) + KILLS  # at most the one that was saved and not yet reported
        for one in found.values():
            assert len(history.image(one.image_sha256).data) == FILM_BYTES
        history.sweep()
        assert len(list(stored_images(tmp_path))) == len(found)
    connection = sqlite3.connect(tmp_path / DATABASE)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_two_programs_write_and_read_at_once(tmp_path: Path, entry: Callable[..., Entry]) -> None:
    writers = [start_writer(tmp_path, entry(), times=40) for _ in range(2)]
    counts = list[int]()
    with History(tmp_path) as history:
        while any(writer.poll() is None for writer in writers):
            counts.append(history.count())
            time.sleep(0.01)
        saved = [id for writer in writers for id in reported(writer.communicate()[0])]
        assert [writer.returncode for writer in writers] == [0, 0]
        assert {one.id for one in history.entries()} == set(saved)
    assert len(saved) == 80
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


def test_many_programs_may_begin_a_history_at_once(tmp_path: Path, entry: Callable[..., Entry]) -> None:
    writers = [start_writer(tmp_path, entry(), times=1) for _ in range(5)]
    outputs = [writer.communicate(timeout=60)[0] for writer in writers]
    with History(tmp_path) as history:
        assert history.count() == sum(len(reported(output)) for output in outputs) == 5


def test_a_program_that_keeps_the_history_busy_is_named(tmp_path: Path, record: Callable[..., Record]) -> None:
    with History(tmp_path) as history:
        connection_of(history).execute("PRAGMA busy_timeout = 20")
        other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match=r"not saved .*locked.*; another program is busy"):
            history.add(record())
        other.execute("ROLLBACK")
        other.close()
        assert history.add(record())
