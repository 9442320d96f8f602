"""A drawn bone broken in two: where it breaks, and how the pieces then lie."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.train.limb_anatomy import Plate
from osteo_edge.train.limb_projection import Box, Film, Shadow, flatten, move, rotation
from osteo_edge.train.limb_shape import ends, lies_across, section, width_at
from osteo_edge.train.phantom_projection import Plane

HAIRLINE_SHARE = 0.15
OBLIQUE_SHARE = 0.45


@dataclass(frozen=True)
class Fracture:
    """A bone in two: the cut, mm in the bone's frame, and how the looser piece has moved.

    `level` lies along the bone, `slope` is the rise of the cut towards the thumb's side and towards the front, `waves`
    are (amplitude mm, wavelength mm, phase) of its jagged edge. `shift_mm` is (x, y, z), `bend_deg` to the side and to
    the front, about the cut. The piece beyond the cut moves if `outer`, else that before it.
    """

    bone: str
    level: float
    slope: tuple[float, float]
    waves: tuple[tuple[float, float, float], ...]
    gap_mm: float
    shift_mm: tuple[float, float, float]
    bend_deg: tuple[float, float]
    outer: bool


def draw_fracture(bone: str, level: float, rng: np.random.Generator, *, fixed: bool) -> Fracture:
    """Make up a fracture of a bone at a level, mm; one that was fixed has hardly moved."""
    width = width_at(bone, level)
    low, high = ends(bone)
    outer = high - level < level - low
    reach = min(high - level, level - low)
    hairline = fixed or rng.random() < HAIRLINE_SHARE
    away, aside = rng.uniform(0, 2 * np.pi), width * (rng.uniform(0, 0.06) if hairline else rng.uniform(0.12, 0.55))
    most = np.rad2deg(np.arctan2(0.5 * width, max(reach, 1.0)))
    bend = rng.uniform(-1, 1, 2) * (0.1 if hairline else 1.0) * most
    oblique = rng.uniform(-1, 1, 2) * (0.9 if rng.random() < OBLIQUE_SHARE else 0.3)
    along = 0.0 if hairline else width * rng.uniform(-0.15, 0.1)
    waves = tuple(
        (float(width * height * rng.uniform(0.3, 1)), float(width * wave), float(rng.uniform(0, 2 * np.pi)))
        for height, wave in (
            (0.08, rng.uniform(1.0, 1.9)),
            (0.035, rng.uniform(0.4, 0.8)),
            (0.02, rng.uniform(0.18, 0.3)),
        )
    )
    return Fracture(
        bone=bone,
        level=level,
        slope=(float(oblique[0]), float(oblique[1])),
        waves=waves,
        gap_mm=float(max(0.9, width * rng.uniform(0.06, 0.14))),
        shift_mm=(float(aside * np.cos(away)), float(along), float(aside * np.sin(away))),
        bend_deg=(float(bend[0]), float(bend[1])),
        outer=bool(outer),
    )


def break_bone(plane: Plane, box: Box, shadow: Shadow, film: Film, fracture: Fracture) -> Plane:
    """The plane of an unbroken bone as two pieces; the one that has moved may lie over the other."""
    x, y = shadow.local(box)
    along, across = (x, y) if lies_across(fracture.bone) else (y, x)
    view = shadow.view
    slope = fracture.slope[0] * np.cos(view) + fracture.slope[1] * np.sin(view)
    middle, half_depth = _section(shadow, fracture)
    hidden = abs(fracture.slope[1] * np.cos(view) - fracture.slope[0] * np.sin(view)) * half_depth
    cut = fracture.level + np.float32(slope) * (across - np.float32(middle))
    for amplitude, wavelength, phase in fracture.waves:
        cut = cut + np.float32(amplitude) * np.sin(across * np.float32(2 * np.pi / wavelength) + np.float32(phase))
    soft = np.float32(0.35 / film.pixels_per_mm + 0.5 * hidden)
    inner = np.clip(np.float32(0.5) + (cut - np.float32(fracture.gap_mm / 2) - along) / (2 * soft), 0, 1)
    outer = np.clip(np.float32(0.5) + (along - cut - np.float32(fracture.gap_mm / 2)) / (2 * soft), 0, 1)
    loose, firm = (outer, inner) if fracture.outer else (inner, outer)
    matrix, shift = _movement(shadow, box, fracture, middle)
    return np.asarray(plane * firm + move(np.asarray(plane * loose, np.float32), matrix, shift), np.float32)


def _section(shadow: Shadow, fracture: Fracture) -> tuple[float, float]:
    """The bone's middle across its length, and half its depth, where it is broken, mm as seen."""
    part, view = shadow.part, shadow.view
    if isinstance(part, Plate):
        nearest = part.path[np.argsort(np.abs(part.path[:, 0] - fracture.level))[:4]]
        return float(nearest[:, 1].mean()), part.half_depth_mm
    x, z, across, deep = section(part, fracture.level)
    return float(x * np.cos(view) + z * np.sin(view)), float(np.hypot(across * np.sin(view), deep * np.cos(view)))


def _movement(
    shadow: Shadow, box: Box, fracture: Fracture, middle: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How the loose piece moves, as a matrix and a shift in pixels of the box."""
    view = shadow.view
    bend = np.deg2rad(fracture.bend_deg[0] * np.cos(view) + fracture.bend_deg[1] * np.sin(view))
    shift = flatten(np.array([fracture.shift_mm]), view)[0]
    pivot = np.array([middle, fracture.level])
    if lies_across(fracture.bone):
        pivot = pivot[::-1]
    turn = rotation(float(bend))
    matrix = shadow.matrix @ turn @ np.linalg.inv(shadow.matrix)
    corner = np.array([box[1].start, box[0].start])
    fixed = shadow.matrix @ pivot + shadow.origin - corner
    return matrix, fixed - matrix @ fixed + shadow.matrix @ shift
