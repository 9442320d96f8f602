"""The colour tables of DICOM's PALETTE COLOR, one of which may be written so that it swells (PS3.3 C.7.9.2)."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.pixels import apply_color_lut

Samples = npt.NDArray[Any]

DISCRETE, LINEAR = 0, 1
"""Kinds of segments. The third repeats others, which may repeat others again; no X-ray machine writes that."""
MAX_ENTRIES: Final = 1 << 16
COLOURS: Final = ("Red", "Green", "Blue")


def looked_up(samples: Samples, dataset: Any) -> Samples:
    """Red, green and blue (rows, columns, 3) of stored values (rows, columns); what lies outside takes the last entry.

    Raises ValueError for tables that would swell, and nearly anything that pydicom makes of damaged ones.
    """
    if "RedPaletteColorLookupTableData" not in dataset:
        bits = int(dataset.RedPaletteColorLookupTableDescriptor[2])
        words = np.dtype("u1" if bits == 8 else "<u2" if dataset.original_encoding[1] else ">u2")
        for colour in COLOURS:
            _check(np.frombuffer(dataset[f"Segmented{colour}PaletteColorLookupTableData"].value, words).tolist())
    return np.asarray(apply_color_lut(samples, dataset)[..., :3])


def _check(words: list[int]) -> None:
    at = entries = 0
    while at < len(words):
        kind, length = words[at], words[at + 1]
        if kind not in (DISCRETE, LINEAR):
            raise ValueError("a segment that repeats others")
        entries += length
        at += 2 + (length if kind == DISCRETE else 1)
    if entries > MAX_ENTRIES:
        raise ValueError("more entries than a table has")
