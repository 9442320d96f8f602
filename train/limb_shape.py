"""Where a drawn bone's middle, surface and ends lie: what breaks and mends it is placed by."""

import numpy as np

from osteo_edge.train.limb_anatomy import BONES, Plate, Points, Solid

Section = tuple[float, float, float, float]


def width_at(bone: str, level: float) -> float:
    """About how wide a bone is at a level, mm: the scale of what happens there."""
    part = BONES[bone]
    if isinstance(part, Plate):
        return 2 * part.half_depth_mm
    rows = part.rows
    return float(np.interp(level, rows[:, 0], np.minimum(rows[:, 2] - rows[:, 1], rows[:, 4] - rows[:, 3])))


def length(bone: str) -> float:
    """How long a bone is, mm; for a flat one, how broad."""
    part = BONES[bone]
    return part.length_mm if isinstance(part, Solid) else float(np.ptp(part.path[:, 0]))


def ends(bone: str) -> tuple[float, float]:
    """The first and last level of a bone, mm of its frame."""
    part = BONES[bone]
    along = part.rows[:, 0] if isinstance(part, Solid) else part.path[:, 0]
    return float(along.min()), float(along.max())


def lies_across(bone: str) -> bool:
    """Whether a bone's length runs along x, not y."""
    return bone == "clavicle"


def section(part: Solid, level: float) -> Section:
    """The middle of a bone at a level, in x and z, and its half sizes there, mm."""
    level_of, x0, x1, z0, z1 = part.rows.T
    values = ((x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2, (z1 - z0) / 2)
    x, z, across, deep = (float(np.interp(level, level_of, value)) for value in values)
    return x, z, across, deep


def centre(part: Solid, level: float) -> Points:
    """The point in the middle of a bone at a level, (3,)."""
    x, z, _, _ = section(part, level)
    return np.array([x, level, z])


def surface(part: Solid, level: float, around: float) -> Points:
    """The point of a bone's surface at a level, `around` its length, radians (0 is the thumb's side); (3,)."""
    _, _, across, deep = section(part, level)
    reach = np.hypot(across * np.cos(around), deep * np.sin(around))
    return np.asarray(centre(part, level) + reach * outwards(around), np.float64)


def outwards(around: float) -> Points:
    """The unit vector that points away from a bone's length, (3,)."""
    return np.array([np.cos(around), 0.0, np.sin(around)])
