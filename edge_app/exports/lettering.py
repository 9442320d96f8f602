"""Whether a name may stand on a film itself, which is to be told before the film leaves the app."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from osteo_edge.burned_in import shows_lettering
from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer import Answer
    from osteo_edge.edge_app.clinic import Clinic

LETTERING: Final = "Text stands on the film itself. It may be a name: look at the film before you share it."
"""A message."""


def has_lettering(clinic: Clinic, answer: Answer) -> bool:
    """Whether a line of print is found on the film of an answer, or its DICOM file says that there is text on it.

    Not every text is found (`osteo_edge.burned_in`).
    """
    if answer.picture is None:
        return False
    pixels = np.divide(answer.picture.levels[0], np.float32(255), dtype=np.float32)
    return shows_lettering(pixels) or _says_so(clinic, answer)


def _says_so(clinic: Clinic, answer: Answer) -> bool:
    with suppress(OsteoEdgeError):  # whoever opens the film hears of it
        film = clinic.history().image(answer.entry.image_sha256) if answer.record is None else answer.record.image
        if film.suffix == ".dcm":
            from osteo_edge.deidentify import says_burned_in

            return says_burned_in(film.data, Path("film.dcm"))
    return False
