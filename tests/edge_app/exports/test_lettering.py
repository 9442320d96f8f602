"""Before a film is shared it is told that a name may stand on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from osteo_edge.edge_app.answer import open_saved, screen_film
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.exports.lettering import has_lettering
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import codec, tones
from tests.osteo_edge.test_burned_in import NAME, lettered


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    opened = Clinic(Folders(tmp_path / "clinic"))
    yield opened
    opened.close()


def told(clinic: Clinic, film: Path) -> tuple[bool, bool]:
    """What is told of the answer to a film, before it is saved and when it is opened again."""
    answer = screen_film(clinic, film, Patient(), check=lambda: None)
    assert answer.record is not None
    saved = clinic.save(answer.record)
    return has_lettering(clinic, answer), has_lettering(clinic, open_saved(clinic, saved.id, check=lambda: None))


def test_print_on_the_film_is_told(clinic: Clinic, draw_film: Callable[..., Path]) -> None:
    film = draw_film(height=1000, width=800)
    assert told(clinic, film) == (False, False)
    pixels = lettered(read_radiograph(film).pixels, NAME, size=24)
    film.write_bytes(codec.encode_png(tones.to_8_bit(pixels)))
    assert told(clinic, film) == (True, True)


@pytest.mark.parametrize(("says", "is_told"), [("YES", True), ("NO", False)])
def test_what_the_dicom_file_says_is_told(clinic: Clinic, tmp_path: Path, says: str, is_told: bool) -> None:
    pytest.importorskip("pydicom")
    from tests.osteo_edge.dicom_ramp import RAMP
    from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of

    film = tmp_path / "film.dcm"
    film.write_bytes(dicom_bytes(dicom_of(RAMP, BurnedInAnnotation=says)))
    assert told(clinic, film) == (is_told, is_told)
