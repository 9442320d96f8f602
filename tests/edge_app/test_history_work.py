"""What the history screen has done beside the window."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.backup import IN_CLEAR, SEALED, Backup
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.paged import PAGE_ROWS
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.history_work import (
    WRITING_BACKUP,
    WRITING_TABLE,
    backup_words,
    make_backup,
    read_pages,
    restored_words,
    search,
    write_table,
)
from osteo_edge.edge_app.jobs import JobCancelledError, Progress, Task
from tests.edge_app.history.made import make_record

COUNT = 2 * PAGE_ROWS + 7


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(Folders(tmp_path / "clinic"))
    opened.history().add_all(make_record(b"%d" % (n % 3), code=f"K-{n:03d}") for n in range(COUNT))
    yield opened
    opened.close()


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def task(told: list[Progress]) -> Task:
    def tell(task: Task) -> None:
        progress = task.take_progress()
        assert progress is not None
        told.append(progress)

    return Task(tell)


def test_a_search_counts_and_reads_the_first_page(clinic: Clinic) -> None:
    found = search(clinic, Query())
    assert (found.count, len(found.first), found.damaged, found.may_restore) == (COUNT, PAGE_ROWS, None, False)
    assert search(clinic, Query(code="K-00")).count == 10


def test_pages_follow_the_first_one(clinic: Clinic, task: Task) -> None:
    pages = read_pages(clinic.history(), Query(), (0, 2), task)
    assert {page: len(entries) for page, entries in pages.items()} == {0: PAGE_ROWS, 2: 7}
    assert pages[0] == search(clinic, Query()).first
    task.cancel()
    with pytest.raises(JobCancelledError):
        read_pages(clinic.history(), Query(), (0,), task)


def test_the_table_has_what_was_found(clinic: Clinic, task: Task, told: list[Progress], tmp_path: Path) -> None:
    path = write_table(clinic, Query(code="K-00"), tmp_path / "stick", task)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert {row["patient_code"] for row in csv.DictReader(file)} == {f"K-00{n}" for n in range(10)}
    assert {progress.message for progress in told} == {WRITING_TABLE}


def test_a_table_that_is_stopped_is_not_there(clinic: Clinic, tmp_path: Path) -> None:
    def stop(task: Task) -> None:
        task.cancel()

    with pytest.raises(JobCancelledError):
        write_table(clinic, Query(), tmp_path / "stick", Task(stop))
    assert not (tmp_path / "stick").exists()


def test_the_backup_tells_how_far_it_is(clinic: Clinic, task: Task, told: list[Progress], tmp_path: Path) -> None:
    backup = make_backup(clinic, tmp_path / "stick", task)
    assert backup.path.parent == tmp_path / "stick"
    assert backup.images == 3
    assert told[0] == Progress(None, WRITING_BACKUP)
    assert told[-1] == Progress(1.0, WRITING_BACKUP)


def test_pictures_that_are_damaged_or_missing_are_told() -> None:
    sound = Backup(Path("/media/stick/b.zip"), 3, 100, (), ())
    assert backup_words(sound, str) == ("The backup was written: /media/stick/b.zip", IN_CLEAR)
    assert backup_words(replace(sound, is_encrypted=True), str)[1] == SEALED
    *_, told = backup_words(Backup(sound.path, 3, 100, ("images/a",), ("images/b",)), str)
    assert told.startswith("2 of its pictures are damaged")
    *_, told = backup_words(Backup(sound.path, 3, 100, ("images/a",), ()), str)
    assert told.startswith("1 of its pictures is damaged")


def test_where_the_damaged_history_is_now_is_told() -> None:
    assert len(restored_words(None, str)) == 1
    assert "/data/history.replaced" in restored_words(Path("/data/history.replaced"), str)[1]
