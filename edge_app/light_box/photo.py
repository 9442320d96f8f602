"""From a photo to a screening, which tells wherever it goes that it was made from a photo."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from osteo_edge.edge_app.light_box.crop import crop
from osteo_edge.edge_app.light_box.edges import Corners
from osteo_edge.edge_app.light_box.hints import WORDS, HintId
from osteo_edge.errors import RadiographError
from osteo_edge.image_header import Header, read_header
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import MAX_FILE_BYTES, check_size, sniff_format
from osteo_edge.raster import codec
from osteo_edge.raster.damage import DamagedImageError, UnsupportedImageError
from osteo_edge.screening import Screening
from osteo_edge.writing import write_whole

PHOTO_OF_FILM: Final = (
    "Photo of a film, not the X-ray file: the model was trained on files, and its numbers do not hold for photos."
)
"""For the screens to translate."""

JPEG_QUALITY: Final = 95
LARGEST_PX: Final = (4096, 3072)
"""What a camera is asked for, and what a photo from a file is kept to: a crop has 2048 on its longer side at most."""


def read_photo(path: Path) -> Picture:
    """Read a photo, turned as its camera noted, a half, a quarter or an eighth as large if it has over `LARGEST_PX`.

    Raises `RadiographError` for what is no whole picture, or none of a size and a format that are read here.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES)  # of a longer one the end is missing then
        header = read_header(data, path, sniff_format(data, path))
        check_size(header.height, header.width, path)
        return codec.decode_photo(data, _shrunk_by(header))
    except (OSError, RadiographError, DamagedImageError, UnsupportedImageError) as error:
        raise RadiographError(f"{path}: the photo cannot be read; take it again") from error


def _shrunk_by(header: Header) -> Literal[1, 2, 4, 8]:
    largest = LARGEST_PX[0] * LARGEST_PX[1]
    shares: tuple[Literal[1, 2, 4], ...] = (1, 2, 4)
    return next((share for share in shares if header.height * header.width <= largest * share**2), 8)


def write_film(path: Path, photo: Picture, corners: Corners) -> Path:
    """Write the film at `corners` of a photo as a JPEG file, which is then screened like any other.

    Raises `RadiographError` for corners that are none of a film, `OsteoEdgeError` if the file cannot be written.
    """
    return write_whole(path, codec.encode_jpeg(crop(photo, corners), JPEG_QUALITY), "the film of the photo")


def of_photo(screening: Screening, raised: Sequence[HintId] = ()) -> Screening:
    """The screening of a file that `write_film` wrote, with the warning that it is one, and the hints as reasons.

    Both go on to the history and to what leaves it: `record_of` keeps them with the entry.
    """
    return replace(
        screening,
        warnings=(PHOTO_OF_FILM, *screening.warnings),
        reasons=(*screening.reasons, *(WORDS[name] for name in raised)),
    )
