"""DICOM files, with and without preamble, of every compression that is read here."""

from collections.abc import Iterator
from pathlib import Path

from osteo_edge.radiograph import Radiograph, decode
from tests.fuzz.drawn import dicom_files
from tests.fuzz.targets.images import require_pixels

PATH = Path("film.dcm")


def read(data: bytes) -> Radiograph:
    radiograph = decode(data, PATH)
    require_pixels(radiograph)
    return radiograph


def seeds() -> Iterator[bytes]:
    yield from dicom_files()
