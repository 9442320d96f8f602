import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from osteo_edge.edge_app.android.services import copying
from osteo_edge.edge_app.android.services.copying import copy
from osteo_edge.edge_app.android.services.errors import NOT_COMPLETE, OWN_FILE, DeviceError
from osteo_edge.radiograph import MAX_FILE_BYTES

DATA = os.urandom(3 * copying.CHUNK_BYTES + 17)


@dataclass
class Given:
    """A content as another app gives it."""

    descriptor: int
    name: str | None = "film.dcm"
    size: int = -1
    start: int = 0
    length: int = -1
    failure: str | None = None
    checks: list[int] = field(default_factory=list)

    def check(self) -> None:
        self.checks.append(1)
        if self.failure is not None:
            raise DeviceError(self.failure)


@pytest.fixture(autouse=True)
def app_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Android every app is a user of its own."""
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 10_000)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "source").write_bytes(DATA)
    descriptor = os.open(tmp_path / "source", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@contextmanager
def pipe(*parts: bytes, stays_open: bool = False) -> Iterator[int]:
    """What comes from an app that writes part after part."""
    reader, writer = os.pipe()

    def write() -> None:
        with suppress(BrokenPipeError):  # who reads may have had enough
            for part in parts:
                os.write(writer, part)
        if not stays_open:
            os.close(writer)

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        yield reader
    finally:
        os.close(reader)
        thread.join()
        if stays_open:
            os.close(writer)


def refusal(content: Given, folder: Path, most_bytes: int = MAX_FILE_BYTES) -> str:
    """The line of a copy that fails, and leaves nothing."""
    with pytest.raises(DeviceError) as caught:
        copy(content, folder, most_bytes)
    assert list(folder.glob("*")) == []
    return str(caught.value)


def test_a_copy_has_every_byte(source: int, tmp_path: Path) -> None:
    content = Given(source)
    path = copy(content, tmp_path / "incoming")
    assert path == tmp_path / "incoming" / "film.dcm"
    assert path.read_bytes() == DATA
    assert content.checks == [1]
    assert list(path.parent.iterdir()) == [path]


def test_what_comes_through_a_pipe_is_whole(tmp_path: Path) -> None:
    parts = [DATA[at : at + 60_000] for at in range(0, len(DATA), 60_000)]
    with pipe(*parts) as reader:
        assert copy(Given(reader), tmp_path).read_bytes() == DATA


def test_a_part_of_a_file_is_that_part(source: int, tmp_path: Path) -> None:
    part = copy(Given(source, start=1000, length=copying.CHUNK_BYTES + 5), tmp_path / "incoming")
    assert part.read_bytes() == DATA[1000 : 1000 + copying.CHUNK_BYTES + 5]


def test_names_that_are_taken_are_left_alone(source: int, tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    first = copy(Given(source), folder)
    first.write_bytes(b"first")
    os.lseek(source, 0, os.SEEK_SET)
    assert copy(Given(source), folder).name == "film (2).dcm"
    assert first.read_bytes() == b"first"


def test_our_own_file_is_refused_whoever_gives_it(source: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: os.fstat(source).st_uid)
    assert refusal(Given(source), tmp_path / "incoming") == OWN_FILE


def test_a_failure_of_the_other_app_leaves_nothing(source: int, tmp_path: Path) -> None:
    assert refusal(Given(source, failure="the other side has died"), tmp_path / "in") == "the other side has died"
    with pipe() as reader:
        assert refusal(Given(reader, failure="it died at once"), tmp_path / "in") == "it died at once"


def test_what_is_shorter_than_it_says_is_not_complete(source: int, tmp_path: Path) -> None:
    assert refusal(Given(source, length=len(DATA) + 1), tmp_path / "incoming") == NOT_COMPLETE


def test_what_stalls_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "STALLED_S", 0.05)
    with pipe(b"some", stays_open=True) as reader:
        assert refusal(Given(reader), tmp_path) == NOT_COMPLETE


def test_what_takes_too_long_in_all_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "LONGEST_S", 0.0)
    with pipe(b"some", stays_open=True) as reader:
        assert refusal(Given(reader), tmp_path) == NOT_COMPLETE


def test_a_descriptor_that_cannot_be_read_is_not_complete(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert refusal(Given(descriptor), tmp_path / "incoming") == NOT_COMPLETE
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(("size", "length"), [(2001, -1), (-1, 2001), (-1, -1)])
def test_what_is_too_large_is_refused_whether_it_says_so_or_not(
    size: int, length: int, source: int, tmp_path: Path
) -> None:
    line = refusal(Given(source, "vast.zip", size, length=length), tmp_path / "incoming", 2000)
    assert line == "vast.zip: has more than 0 MiB; choose another file"


def test_a_film_that_is_too_large_has_the_line_of_all_films(source: int, tmp_path: Path) -> None:
    line = refusal(Given(source, size=MAX_FILE_BYTES + 1), tmp_path / "incoming")
    assert line == "film.dcm: not a file of at most 512 MiB; export the radiograph as PNG or DICOM"


def test_exactly_as_much_as_is_allowed_is_taken(source: int, tmp_path: Path) -> None:
    assert copy(Given(source), tmp_path / "incoming", len(DATA)).stat().st_size == len(DATA)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pipe() as reader:
        assert refusal(Given(reader), tmp_path) == "film.dcm: the file is empty; choose another one"


def test_a_full_disk_is_one_line_and_leaves_nothing(source: int, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (copying.CHUNK_BYTES, limits[1]))
    try:
        line = refusal(Given(source), tmp_path / "incoming")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert line == "film.dcm: cannot be copied (File too large); free some space and choose it again"


def test_a_folder_that_cannot_be_made_is_one_line(source: int, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(DeviceError, match=r"film\.dcm: cannot be copied \(Not a directory|File exists"):
        copy(Given(source), tmp_path / "taken")
