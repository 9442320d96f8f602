import errno
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.edge_app.browsing.errors import PlaceGoneError
from osteo_edge.edge_app.browsing.listing import look_into
from osteo_edge.edge_app.browsing.thumbnails import ENTRY_BYTES, NO_MEMORY, Thumbnails, shrunk
from osteo_edge.errors import MissingExtraError
from osteo_edge.radiograph import Radiograph, decode, read_radiograph

Draw = Callable[..., Path]


class Decoded(list[Path]):
    """The films that were decoded, in their order; reads one more."""

    def __call__(self, path: Path) -> Radiograph:
        self.append(path)
        return read_radiograph(path)


@pytest.fixture
def decoded() -> Decoded:
    return Decoded()


def test_a_film_becomes_small_and_stays_itself(draw_film: Draw) -> None:
    path = draw_film(height=400, width=300)
    thumbnail = Thumbnails(side_px=100).of(path)
    assert thumbnail.problem is None
    assert thumbnail.picture is not None
    assert (thumbnail.picture.shape, str(thumbnail.picture.dtype)) == ((100, 75), "uint8")
    mean = float(read_radiograph(path).pixels.mean())
    assert float(thumbnail.picture.mean()) / 255 == pytest.approx(mean, abs=0.01)


def test_a_dicom_film_is_one_by_its_content_and_small_too(tmp_path: Path) -> None:
    samples = pytest.importorskip("pydicom.data")
    path = tmp_path / "IM0001"
    shutil.copy(samples.get_testdata_file("CT_small.dcm"), path)
    assert look_into(path) == "film"
    picture = Thumbnails(side_px=64).of(path).picture
    assert picture is not None
    assert (picture.shape, picture.max() > picture.min()) == ((64, 64), True)


def test_a_small_film_is_not_made_larger() -> None:
    pixels = np.array([[0.0, 0.5], [2.0, -1.0]], np.float32)
    assert shrunk(pixels, 100).tolist() == [[0, 128], [255, 0]]
    assert shrunk(np.zeros((1000, 2), np.float32), 100).shape == (100, 1)


def test_a_film_is_decoded_once_until_it_changes(draw_film: Draw, decoded: Decoded) -> None:
    path, thumbnails = draw_film(), Thumbnails(decoded)
    assert thumbnails.peek(path) is None
    first = thumbnails.of(path)
    assert thumbnails.of(path) is first is thumbnails.peek(path)
    os.utime(path, (1, 1))
    assert thumbnails.peek(path) is first
    assert thumbnails.of(path) is not first
    draw_film(width=200)
    os.utime(path, (1, 1))
    picture = thumbnails.of(path).picture
    assert picture is not None
    assert picture.shape == (160, 80)
    assert decoded == [path] * 3


def test_a_film_in_memory_is_decoded_once_by_its_key(draw_film: Draw) -> None:
    decoded = list[Path]()

    def decode_noted(data: bytes, path: Path) -> Radiograph:
        decoded.append(path)
        return decode(data, path)

    thumbnails, data = Thumbnails(decode=decode_noted), draw_film(height=400, width=300).read_bytes()
    first = thumbnails.of_picture("a" * 64, data, ".png")
    assert first.picture is not None
    assert first.picture.shape == (160, 120)
    assert thumbnails.of_picture("a" * 64, data, ".png") is first
    broken = thumbnails.of_picture("b" * 64, data[:2000], ".png")
    assert broken.problem == "the PNG data are damaged or incomplete; copy or export the file again"
    assert [path.name for path in decoded] == ["a" * 64 + ".png", "b" * 64 + ".png"]


def test_those_not_looked_at_for_longest_go_when_there_is_no_room(draw_film: Draw, decoded: Decoded) -> None:
    paths = [draw_film(f"{number}.png") for number in range(5)]
    each = ENTRY_BYTES + 160 * 120
    thumbnails = Thumbnails(decoded, max_bytes=3 * each)
    for at in (0, 1, 2, 0, 3, 0, 4):
        thumbnails.of(paths[at])
    assert thumbnails.size_bytes == 3 * each
    assert [thumbnails.peek(path) is not None for path in paths] == [True, False, False, True, True]
    assert decoded == paths
    thumbnails.forget(paths[0].parent / "elsewhere")
    assert thumbnails.size_bytes == 3 * each
    thumbnails.forget(paths[0].parent)
    assert (thumbnails.size_bytes, thumbnails.peek(paths[0])) == (0, None)


def test_one_that_has_no_room_at_all_is_made_and_not_kept(film: Path) -> None:
    thumbnails = Thumbnails(max_bytes=100)
    assert thumbnails.of(film).picture is not None
    assert (thumbnails.size_bytes, thumbnails.peek(film)) == (0, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty; copy or export it again"),
        (b"\xff\xd8\xff", "the JPEG data are damaged or incomplete; copy or export the file again"),
        (b"\0\0\0\x18ftypheic", "HEIC files are not supported; export the radiograph as PNG or DICOM"),
    ],
)
def test_a_broken_file_has_the_reason_without_its_path_and_is_read_once(
    data: bytes, reason: str, tmp_path: Path, decoded: Decoded
) -> None:
    path, thumbnails = tmp_path / "knee.jpg", Thumbnails(decoded)
    path.write_bytes(data)
    for _ in range(3):
        thumbnail = thumbnails.of(path)
        assert (thumbnail.picture, thumbnail.problem) == (None, reason)
    assert decoded == [path]


@pytest.mark.parametrize("error", [MemoryError(), MissingExtraError("reading DICOM", "pydicom", "dicom")], ids=repr)
def test_what_is_not_the_files_fault_is_tried_again(error: Exception, film: Path) -> None:
    problems = [error]

    def read(path: Path) -> Radiograph:
        for problem in problems:
            raise problem
        return read_radiograph(path)

    thumbnails = Thumbnails(read)
    assert thumbnails.of(film).problem == (str(error) or NO_MEMORY)
    problems.clear()
    assert thumbnails.of(film).picture is not None


def test_a_file_that_may_be_read_in_the_end_is_not_taken_for_broken(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    thumbnails = Thumbnails()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert thumbnails.of(film).problem == "may not be read; ask its owner for permission"
    assert thumbnails.of(film).picture is not None


def test_a_film_that_is_deleted_has_a_reason_and_is_not_kept(film: Path) -> None:
    thumbnails = Thumbnails()
    film.unlink()
    problem = thumbnails.of(film).problem
    assert problem is not None
    assert problem.startswith("cannot be read")
    assert thumbnails.peek(film) is None


def test_a_stick_that_is_pulled_out_while_reading_gives_one_line(
    draw_film: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pulled_out(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    path, thumbnails = draw_film("STICK/knee.png"), Thumbnails()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", pulled_out)
        with pytest.raises(
            PlaceGoneError, match=r"^STICK: is not there any more; plug the stick in again, or choose another place$"
        ):
            thumbnails.of(path)
    assert thumbnails.of(path).picture is not None
    shutil.rmtree(path.parent)
    with pytest.raises(PlaceGoneError):
        thumbnails.of(path)
    assert thumbnails.peek(path) is not None


def test_many_threads_decode_each_film_once_and_one_at_a_time(draw_film: Draw) -> None:
    paths = [draw_film(f"{number}.png", height=64, width=48) for number in range(8)]
    at_work, decoded = threading.Semaphore(1), list[Path]()

    def read(path: Path) -> Radiograph:
        assert at_work.acquire(blocking=False)
        decoded.append(path)
        radiograph = read_radiograph(path)
        at_work.release()
        return radiograph

    thumbnails = Thumbnails(read)
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(thumbnails.of, paths * 6))
    assert sorted(decoded) == sorted(paths)
    assert all(thumbnail.picture is not None for thumbnail in made)
