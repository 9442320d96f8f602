import ctypes
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.loaded_part import HEADER, loaded_part

SOURCE = "static int hidden(int x) { return 3 * x; }\nint shown(int x) { return hidden(x) + 1; }\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("library")
    (folder / "shown.c").write_text(SOURCE)
    words = ("gcc", "-g3", "-shared", "-fPIC", "-o", folder / "shown.so", folder / "shown.c")
    subprocess.run(words, check=True)
    return (folder / "shown.so").read_bytes()


def test_a_library_without_the_rest_works_as_before_and_is_smaller(library: bytes, tmp_path: Path) -> None:
    part = loaded_part(library)
    assert len(part) < len(library)
    assert b".debug_info" in library
    assert b".debug_info" not in part
    (tmp_path / "part.so").write_bytes(part)
    assert ctypes.CDLL(str(tmp_path / "part.so")).shown(2) == 7


def test_what_was_taken_once_stays(library: bytes) -> None:
    part = loaded_part(library)
    assert loaded_part(part) == part


@pytest.mark.parametrize("length", [0, 5, 40, HEADER.size, HEADER.size + 30])
def test_what_is_cut_off_stays_as_it_is(library: bytes, length: int) -> None:
    assert loaded_part(library[:length]) == library[:length]


def test_what_is_no_library_stays_as_it_is(library: bytes) -> None:
    for data in (
        b"import numpy\n",
        library[:4] + b"\x01" + library[5:],
        library[:16] + struct.pack("<H", 1) + library[18:],
    ):
        assert loaded_part(data) == data


def test_a_segment_beyond_the_end_leaves_all_of_it(library: bytes) -> None:
    segments_at = HEADER.unpack_from(library)[5]
    far = library[: segments_at + 32] + struct.pack("<Q", 2**62) + library[segments_at + 40 :]
    assert loaded_part(far) == far
