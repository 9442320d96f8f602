"""The borders of a JPEG file's blocks of 8 x 8 pixels (ITU-T T.81), which strong compression leaves in the picture."""

import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Pixels
from osteo_edge.raster import tones

BLOCK_PX = 8
SEEN_PX = 1024
"""The side of the square, in the middle of the picture and unscaled, that is looked at: scaling loses the grid."""
EVERY = 4
"""Of its rows, and of its columns, every fourth one is read."""
LARGEST_STEP = 8
"""Of 255 grey levels. Larger steps are edges of what is shown, and count as this."""
LEAST_STEP = 0.05
"""Of 255 grey levels. Where the picture is all but even, steps within a block count as this."""

Grey = npt.NDArray[np.uint8]


def block_contrast(pixels: Pixels) -> float:
    """The mean step between neighbours at every eighth place over that at the others, in the direction with less.

    `pixels` are (height, width) in [0, 1], in the size that was stored. About 1 where there are no blocks. It does not
    matter where the first one begins: the picture may have been cropped or turned.
    """
    top, left = (max(0, (side - SEEN_PX) // 2) for side in pixels.shape)
    middle = pixels[top : top + SEEN_PX, left : left + SEEN_PX]
    return min(_contrast_across(_grey(middle[::EVERY])), _contrast_across(_grey(middle[:, ::EVERY].T)))


def _grey(rows: Pixels) -> Grey:
    return tones.to_8_bit(np.ascontiguousarray(rows))


def _contrast_across(rows: Grey) -> float:
    places = (rows.shape[1] - 1) // BLOCK_PX * BLOCK_PX
    if not places:
        return 1.0
    here, beside = rows[:, :places], rows[:, 1 : places + 1]
    steps = np.minimum(np.maximum(here, beside) - np.minimum(here, beside), LARGEST_STEP)
    *within, border = np.sort(steps.mean(axis=0, dtype=np.float32).reshape(-1, BLOCK_PX).mean(axis=0))
    return float(border / max(float(within[len(within) // 2]), LEAST_STEP))
