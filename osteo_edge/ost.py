"""The osteoporosis self-assessment tool: what age and weight alone tell."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", float, npt.NDArray[np.float64])


def ost_index(weight_kg: Number, age_years: Number) -> Number:
    """The index of Koh et al. 2001 (Osteoporosis International 12:699), low in those at risk, of numbers or arrays.

    Without its truncation to whole numbers, which only costs whoever compares it with a model.

    >>> round(ost_index(60.0, 70.0), 6)
    -2.0
    """
    return 0.2 * (weight_kg - age_years)
