from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.history.images import picture_of
from osteo_edge.edge_app.history.saving import record_of
from osteo_edge.edge_app.light_box.drawn import Scene, draw_photo
from osteo_edge.edge_app.light_box.hints import WORDS
from osteo_edge.edge_app.light_box.photo import PHOTO_OF_FILM, of_photo, read_photo, write_film
from osteo_edge.errors import OsteoEdgeError, RadiographError
from osteo_edge.radiograph import Pixels
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import screen


def test_a_screening_of_a_photo_says_so_as_far_as_the_history(
    drawn_film: Pixels, bundle: Bundle, answering: Callable[..., Interpreter], tmp_path: Path
) -> None:
    drawn = draw_photo(drawn_film, Scene())
    path = write_film(tmp_path / "film.jpg", drawn.photo, drawn.corners)
    radiograph, screening = screen(path, bundle, answering([0.0, 1.0, 2.0]))
    screening = of_photo(screening, ("glare",))
    assert screening.outcome != "rejected"
    assert screening.notes[0] == PHOTO_OF_FILM
    assert screening.to_dict()["warnings"][0] == PHOTO_OF_FILM
    kept = record_of(screening, radiograph, bundle.manifest, picture_of(path)).entry
    assert kept.warnings[0] == PHOTO_OF_FILM
    assert WORDS["glare"] in kept.reasons


def test_a_coloured_picture_is_still_refused(
    bundle: Bundle, answering: Callable[..., Interpreter], tmp_path: Path
) -> None:
    photo = np.full((600, 600, 3), (40, 120, 200), np.uint8)
    photo[:, 300:] = (200, 80, 30)
    corners = np.array([[20.0, 20], [580, 20], [580, 580], [20, 580]])
    _, screening = screen(write_film(tmp_path / "cat.jpg", photo, corners), bundle, answering([0.0, 1.0, 2.0]))
    assert (screening.outcome, screening.reasons) == ("rejected", ("a colour picture, not a radiograph",))


def test_a_photo_is_read_as_colours(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), np.full((40, 50), 7, np.uint8))
    assert read_photo(path).shape == (40, 50, 3)


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_what_is_no_photo_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RadiographError, match="take it again"):
        read_photo(path)


def test_a_photo_of_which_the_end_is_missing_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    data = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (80, 90, 3)).astype(np.uint8))[1].tobytes()
    path.write_bytes(data)
    assert read_photo(path).shape == (80, 90, 3)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RadiographError, match="take it again"):
        read_photo(path)


def test_a_photo_that_claims_to_be_huge_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    data = bytearray(cv2.imencode(".png", np.zeros((40, 40), np.uint8))[1].tobytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    path.write_bytes(data)
    with pytest.raises(RadiographError, match="take it again"):
        read_photo(path)


def test_a_film_that_cannot_be_written_is_one_line(drawn_film: Pixels, tmp_path: Path) -> None:
    drawn = draw_photo(drawn_film, Scene())
    (tmp_path / "file").touch()
    with pytest.raises(OsteoEdgeError, match="cannot be written"):
        write_film(tmp_path / "file" / "film.jpg", drawn.photo, drawn.corners)
