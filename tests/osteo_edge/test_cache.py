import threading
from pathlib import Path

import pytest

from osteo_edge.cache import cache_folder, made_once
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "osteo-edge"


def write(folder: Path) -> None:
    (folder / "file").write_text("whole", "utf-8")


def test_the_cache_lies_where_the_user_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/osteo-edge")
    monkeypatch.setenv("HOME", "/home/someone")
    for nowhere in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", nowhere)
        assert cache_folder() == Path("/home/someone/.cache/osteo-edge")


def test_a_folder_is_made_once(cache: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        write(folder)

    assert made_once("root", make) == made_once("root", make) == cache / "root"
    assert len(made) == 1
    assert (cache / "root" / "file").read_text("utf-8") == "whole"


def test_a_failure_leaves_nothing_that_looks_whole(cache: Path) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise OsteoEdgeError("no network")

    with pytest.raises(OsteoEdgeError, match="no network"):
        made_once("root", fail)
    assert [path.name for path in cache.iterdir()] == ["root.lock"]


def test_what_a_killed_process_left_is_thrown_away(cache: Path) -> None:
    left = cache / "root.partial"
    left.mkdir(parents=True)
    (left / "half").touch()
    assert [path.name for path in made_once("root", write).iterdir()] == ["file"]


def test_two_at_once_make_it_once(cache: Path) -> None:
    made, begun = [], threading.Event()

    def make(folder: Path) -> None:
        made.append(folder)
        begun.wait(0.2)
        write(folder)

    threads = [threading.Thread(target=made_once, args=("root", make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(OsteoEdgeError, match=r"cannot be written .* set XDG_CACHE_HOME"):
        made_once("root", write)
