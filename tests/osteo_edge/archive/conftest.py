"""A small archive: drawn films in folders, a damaged one, and what is none."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.archive.film import Options
from osteo_edge.archive.plan import Plan
from osteo_edge.archive.planning import Wish, make_plan
from osteo_edge.archive.sources import open_source
from osteo_edge.bundle import Bundle
from osteo_edge.runtime import open_interpreter

BRIGHTNESS = {
    "a/dark.png": 0.2,
    "a/bright.png": 0.8,
    "b/c/dark.png": 0.25,
    "b/c/bright.png": 0.75,
    "bright.png": 0.7,
}


@pytest.fixture
def archive(draw_film: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder of five drawn films, a blank one, one that is cut short, a note and a hidden file."""
    for name, brightness in BRIGHTNESS.items():
        draw_film(f"archive/{name}", brightness=brightness)
    folder = tmp_path / "archive"
    draw_film("archive/b/blank.png", brightness=0.01)
    (folder / "b" / "cut.png").write_bytes((folder / "bright.png").read_bytes()[:200])
    (folder / "a" / "note.txt").write_text("not a film\n")
    (folder / ".hidden.png").write_bytes(b"")
    return folder


@pytest.fixture
def wish(archive: Path, bundle: Bundle) -> Callable[..., Wish]:
    """To screen that archive, or another source, in shards of three films."""

    def make(source: Path = archive, *, limit: int | None = None, shard_size: int = 3, **options: Any) -> Wish:
        runtime = open_interpreter(bundle, threads=1).name
        return Wish(open_source(source), bundle, runtime, Options(**options), limit, shard_size)

    return make


@pytest.fixture
def planned(wish: Callable[..., Wish], tmp_path: Path) -> Callable[..., Plan]:
    """The plan of that, in a new folder of results."""

    def make(out: str = "results", source: Path | None = None, **kwargs: Any) -> Plan:
        folder = tmp_path / out
        folder.mkdir()
        wanted = wish(**kwargs) if source is None else wish(source, **kwargs)
        return make_plan(wanted, folder, on_found=lambda films: None)

    return make


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than that of `tmp_path`."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with no room left, with one file that can be removed to make some."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a disk cannot be mounted here")
    try:
        folder = disk / "results"
        folder.mkdir()
        (disk / "filling").write_bytes(bytes(60 * 1024))
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
