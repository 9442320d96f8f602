"""From a photo to a screening, which tells wherever it goes that it was made from a photo."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from osteo_edge.edge_app.light_box.crop import crop
from osteo_edge.edge_app.light_box.edges import Corners
from osteo_edge.edge_app.light_box.hints import WORDS, HintId
from osteo_edge.errors import RadiographError
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import MAX_PIXELS
from osteo_edge.screening import Screening
from osteo_edge.writing import write_whole

PHOTO_OF_FILM: Final = (
    "Photo of a film, not the X-ray file: the model was trained on files, and its numbers do not hold for photos."
)
"""For the screens to translate."""

JPEG_QUALITY: Final = 95


def read_photo(path: Path) -> Picture:
    """Read a photo, turned as its camera noted; `RadiographError` for what is no picture of an acceptable size."""
    try:
        data = np.fromfile(path, np.uint8)
        photo = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error) as error:
        raise RadiographError(f"{path}: the photo cannot be read; take it again") from error
    if photo is None or not 0 < photo.shape[0] * photo.shape[1] <= MAX_PIXELS:
        raise RadiographError(f"{path}: the photo cannot be read; take it again")
    return np.asarray(photo, np.uint8)


def write_film(path: Path, photo: Picture, corners: Corners) -> Path:
    """Write the film at `corners` of a photo as a JPEG file, which is then screened like any other.

    Raises `RadiographError` for corners that are none of a film, `OsteoEdgeError` if the file cannot be written.
    """
    encoded = cv2.imencode(".jpg", crop(photo, corners), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return write_whole(path, encoded.tobytes(), "the film of the photo")


def of_photo(screening: Screening, raised: Sequence[HintId] = ()) -> Screening:
    """The screening of a file that `write_film` wrote, with the warning that it is one, and the hints as reasons.

    Both go on to the history and to what leaves it: `record_of` keeps them with the entry.
    """
    return replace(
        screening,
        warnings=(PHOTO_OF_FILM, *screening.warnings),
        reasons=(*screening.reasons, *(WORDS[name] for name in raised)),
    )
