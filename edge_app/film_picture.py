"""A film, and the evidence on it, as a window shows them: small enough for a texture, and made beside the window."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from osteo_edge.lettering import Picture
from osteo_edge.overlay import blend
from osteo_edge.preprocessing import Pixels
from osteo_edge.raster import scaling, tones

Grey = npt.NDArray[np.uint8]

MAX_SIDE_PX: Final = 2048
"""Every graphics chip that the app may meet takes a texture of this side."""
VIEW_SIDE_PX: Final = 768
"""Of the level that fills a window without being enlarged: a film shrunk by the graphics chip alone would flicker."""
REPORT_SIDE_PX: Final = 1200


@dataclass(frozen=True, eq=False)
class FilmPicture:
    """A film in one or two sizes, uint8 (height, width), bone bright, the largest first; and the evidence, if any.

    `evidence` is (height, width) in [0, 1], of the film's shape, as in `Screening`.
    """

    levels: tuple[Grey, ...]
    evidence: Pixels | None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the largest level."""
        height, width = self.levels[0].shape
        return height, width

    def level_for(self, side_px: float) -> Grey:
        """The smallest level that need not be enlarged to show the film `side_px` long, else the largest."""
        fitting = [level for level in self.levels if max(level.shape) >= side_px]
        return fitting[-1] if fitting else self.levels[0]


def film_picture(pixels: Pixels, evidence: Pixels | None) -> FilmPicture:
    """The picture of a film's pixels, (height, width) in [0, 1].

    >>> [level.shape for level in film_picture(np.zeros((3000, 1500), np.float32), None).levels]
    [(2048, 1024), (768, 384)]
    """
    large = _shrunk(tones.to_8_bit(pixels), MAX_SIDE_PX)
    levels = (large,) if max(large.shape) <= VIEW_SIDE_PX else (large, _shrunk(large, VIEW_SIDE_PX))
    return FilmPicture(levels, evidence)


def report_pictures(picture: FilmPicture) -> tuple[Picture, Picture | None]:
    """The film, and the film with the evidence laid over it, in blue, green, red, as a report shows them."""
    pixels = np.divide(_shrunk(picture.levels[0], REPORT_SIDE_PX), np.float32(255), dtype=np.float32)
    film = blend(pixels, None, max_side_px=REPORT_SIDE_PX)
    if picture.evidence is None:
        return film, None
    return film, blend(pixels, picture.evidence, max_side_px=REPORT_SIDE_PX)


def _shrunk(grey: Grey, side_px: int) -> Grey:
    height, width = grey.shape
    scale = side_px / max(height, width)
    if scale >= 1:
        return grey
    return scaling.shrink(grey, max(1, round(height * scale)), max(1, round(width * scale)))
