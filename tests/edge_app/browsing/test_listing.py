import errno
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from osteo_edge.edge_app.browsing.errors import FolderError, PlaceGoneError
from osteo_edge.edge_app.browsing.listing import Item, is_image, list_folder, look_into, not_films
from osteo_edge.edge_app.browsing.names import natural_key, shown

DICOM = bytes(128) + b"DICM"
MANY = 5000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "STICK" / "films").mkdir(parents=True)
    return tmp_path / "STICK" / "films"


def put(folder: Path, **files: bytes) -> None:
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)


def names(items: tuple[Item, ...]) -> list[str]:
    return [item.name for item in items]


def test_files_and_folders_are_in_natural_order(folder: Path) -> None:
    wanted = ["1.dcm", "2 b.dcm", "10.dcm", "Émile.png", "film.PNG", "Knee 2.png", "knee 10.png"]
    for name in random.Random(0).sample(wanted, len(wanted)):
        (folder / name).write_bytes(b"")
    for name in ("week 10", "Week 9"):
        (folder / name).mkdir()
    listing = list_folder(folder)
    assert (names(listing.files), names(listing.folders)) == (wanted, ["Week 9", "week 10"])
    assert listing.files[0].path == folder / "1.dcm"


def test_what_is_no_ones_business_is_left_out(folder: Path) -> None:
    for name in (".hidden.png", "knee.png.part", "knee.tmp", "~knee.png", "DICOMDIR"):
        (folder / name).write_bytes(DICOM)
    (folder / ".Trash-1000").mkdir()
    os.mkfifo(folder / "pipe.png")
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    listing = list_folder(folder)
    assert (listing.files, listing.folders) == ((), ())


def test_names_that_are_no_text_can_be_shown_and_opened(folder: Path) -> None:
    path = folder / os.fsdecode(b"knee\xff\n.png")
    path.write_bytes(DICOM)
    (item,) = list_folder(folder).files
    assert item == Item(path, "knee\ufffd\ufffd.png")
    assert look_into(item.path) == "film"


@pytest.mark.parametrize(
    ("name", "data", "look"),
    [
        ("knee", DICOM, "film"),
        ("IM0001", b"\xff\xd8\xff\xe0", "film"),
        ("knee.txt", b"\x89PNG\r\n\x1a\n", "film"),
        ("old.dcm", b"\x08\0\x05\0CS\n\0ISO_IR 100", "film"),
        ("cut.png", b"", "film"),
        ("phone.HEIC", b"\0\0\0\x18ftypheic", "film"),
        ("page.jpg", b"<html>", "film"),
        ("letter.pdf", b"%PDF-1.7", "other"),
        ("video.mp4", b"\0\0\0\x18ftypmp42", "other"),
        ("films.zip", b"PK\3\4", "other"),
        ("notes.txt", b"", "other"),
        ("setup.exe", b"MZ\x90\0", "other"),
        ("IM0002", b"\x08\0\x05\0CS", "other"),
    ],
)
def test_the_content_tells_what_is_a_film_and_the_name_what_should_be_one(
    name: str, data: bytes, look: str, folder: Path
) -> None:
    (folder / name).write_bytes(data)
    assert look_into(folder / name) == look
    assert is_image(data, folder / name) == (look == "film")


def test_what_is_no_film_is_found_one_by_one(folder: Path) -> None:
    put(folder, knee_dcm=DICOM, letter_pdf=b"%PDF", IM1=DICOM, notes_txt=b"notes")
    listing = list_folder(folder)
    assert names(tuple(not_films(listing.files))) == ["letter.pdf", "notes.txt"]

    class EnoughError(Exception):
        pass

    def enough() -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        list(not_films(listing.files, enough))


def test_a_file_that_has_gone_or_may_not_be_read_is_none_of_both(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look_into(folder / "gone.png") == "unknown"
    put(folder, knee_png=DICOM)
    monkeypatch.setattr(Path, "open", failing(PermissionError(errno.EACCES, "Permission denied")))
    assert look_into(folder / "knee.png") == "unknown"


def failing(error: OSError) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_a_stick_that_is_pulled_out_gives_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, a_dcm=DICOM, b_dcm=DICOM)
    listing = list_folder(folder)
    looks = not_films(listing.files)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", failing(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(
            PlaceGoneError, match=r"^films: is not there any more; plug the stick in again, or choose another place$"
        ):
            next(looks)
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", failing(OSError(errno.ENODEV, "No such device")))
        with pytest.raises(PlaceGoneError):
            list_folder(folder)
    shutil.rmtree(folder)
    for look in (lambda: list_folder(folder), lambda: next(not_films(listing.files))):
        with pytest.raises(PlaceGoneError):
            look()


@pytest.mark.parametrize(("code", "is_gone"), [(errno.EIO, True), (errno.EACCES, False)])
def test_an_entry_that_cannot_be_looked_at_is_left_out_unless_its_stick_has_gone(
    code: int, is_gone: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        name = "knee.dcm"
        is_dir = staticmethod(failing(OSError(code, os.strerror(code))))

    @contextmanager
    def scandir(_: Path) -> Iterator[list[Entry]]:
        yield [Entry()]

    monkeypatch.setattr(os, "scandir", scandir)
    if is_gone:
        with pytest.raises(PlaceGoneError):
            list_folder(folder)
    else:
        assert list_folder(folder).files == ()


def test_a_folder_that_may_not_be_read_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "scandir", failing(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(FolderError, match=r"films: cannot be shown \(Permission denied\); choose another folder$"):
        list_folder(folder)


@pytest.mark.timed
def test_thousands_of_files_are_listed_at_once_and_none_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MANY):
        (folder / f"Knee {number} left.dcm").touch()
    monkeypatch.setattr(Path, "open", failing(OSError("opened")))
    monkeypatch.setattr(Path, "stat", failing(OSError("looked at")))
    took = []
    for _ in range(5):
        started = time.perf_counter()
        listing = list_folder(folder)
        took.append(time.perf_counter() - started)
    assert len(listing.files) == MANY
    assert names(listing.files)[9:11] == ["Knee 9 left.dcm", "Knee 10 left.dcm"]
    assert min(took) < 0.2


def test_natural_order_is_an_order_of_all_names() -> None:
    chance = random.Random(1)
    pool = ["", "1", "01", "10", "a", "A", "á", " ", "-", "²", "٣", "ß", "\udcff", "10" * 100]
    words = ["".join(chance.choices(pool, k=chance.randrange(5))) for _ in range(500)]
    by_key = sorted(words, key=lambda word: (natural_key(word), word))
    chance.shuffle(words)
    assert sorted(words, key=lambda word: (natural_key(word), word)) == by_key
    assert all(shown(word).isprintable() for word in words)
