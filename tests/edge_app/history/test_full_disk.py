"""On a full disk a screening is saved whole or not at all, and the user is told in one line."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import stored_images
from osteo_edge.edge_app.history.opening import DATABASE
from osteo_edge.edge_app.history.store import History, Record
from tests.edge_app.full_disk import files_limited_to

DISK_BYTES = 2 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes, where this machine lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def files_of(folder: Path) -> list[Path]:
    return [path for path in (folder / "images").rglob("*") if path.is_file()]


def assert_is_one_line(caught: pytest.ExceptionInfo[HistoryError]) -> None:
    assert "not saved" in str(caught.value)
    assert "space" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_film_that_does_not_fit_leaves_nothing(history: History, record: Callable[..., Record]) -> None:
    kept = record()
    history.add(kept)
    with pytest.raises(HistoryError) as caught, files_limited_to(100_000):
        history.add(record(film=bytes(200_000)))
    assert_is_one_line(caught)
    assert history.search().entries == (kept.entry,)
    assert files_of(history._folder) == list(stored_images(history._folder))
    assert len(files_of(history._folder)) == 1


def test_an_entry_that_does_not_fit_takes_its_film_with_it(history: History, record: Callable[..., Record]) -> None:
    kept, late = record(), record(b"a film of another day", overlay=b"its overlay")
    history.add(kept)
    log = history._folder / f"{DATABASE}-wal"
    with pytest.raises(HistoryError) as caught, files_limited_to(log.stat().st_size):
        history.add(late)
    assert_is_one_line(caught)
    assert len(files_of(history._folder)) == 1
    assert history.add(late)
    assert history.count() == 2


def test_a_film_that_was_there_before_stays_when_an_entry_does_not_fit(
    history: History, record: Callable[..., Record]
) -> None:
    kept = record()
    history.add(kept)
    log = history._folder / f"{DATABASE}-wal"
    with pytest.raises(HistoryError), files_limited_to(log.stat().st_size):
        history.add(record())
    assert history.image(kept.image.sha256) == kept.image


@pytest.mark.parametrize("film_bytes", [20_000, 0], ids=["films fill it", "entries fill it"])
def test_a_disk_fills_up_without_loss(small_disk: Path, record: Callable[..., Record], film_bytes: int) -> None:
    ballast, saved = small_disk / "ballast", set[str]()
    ballast.write_bytes(bytes(DISK_BYTES // 4))
    more = (record(os.urandom(film_bytes)) for _ in range(1000))

    def save_them_all() -> None:
        for one in more:
            history.add(one)
            saved.add(one.entry.id)

    with History(small_disk / "history") as history:
        with pytest.raises(HistoryError) as caught:
            save_them_all()
        assert_is_one_line(caught)
        assert {entry.id for entry in history.entries()} == saved
        assert len(files_of(small_disk / "history")) == (len(saved) if film_bytes else 1)
    with History(small_disk / "history") as history:
        assert (history.damage, history.count()) == (None, len(saved))
        ballast.unlink()
        assert history.add(record())
