"""How a drawn limb is held before the film, and the shadow that each part of it throws."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.train.limb_anatomy import JOINTS, Plate, Points, Solid
from osteo_edge.train.phantom_projection import Plane, chord, distance_to_edge, spline

Matrix = npt.NDArray[np.float64]
Box = tuple[slice, slice]

OUTLINE_SD = 0.018
"""How far each point of an outline is moved, as a share of the part's width, so that no two limbs share one."""
SMOOTH_STEPS = 5
LEAST_FORESHORTENED = 0.25
LONG_CORTEX = ((0.0, 0.06, 0.16, 0.32, 0.7, 0.86, 0.95, 1.0), (0.22, 0.22, 0.45, 1.0, 1.0, 0.45, 0.22, 0.22))
LONG_SPONGY = ((0.0, 0.12, 0.3, 0.7, 0.88, 1.0), (1.0, 0.9, 0.15, 0.15, 0.9, 1.0))


@dataclass(frozen=True)
class Stance:
    """How a limb is held: `view_deg` is 0 from the front and 90 from the thumb's side; joints by frame, degrees.

    `spread_deg` adds to the joint's own towards the thumb's side, `flexion_deg` bends to the front.
    """

    view_deg: float
    spread_deg: Mapping[str, float] = field(default_factory=dict)
    flexion_deg: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a frame lies in the plane of the film, mm: `matrix` takes its (x seen, y) there, `origin` is its joint."""

    view: float
    """The angle from which the frame is seen, radians."""
    matrix: Matrix
    origin: npt.NDArray[np.float64]

    def seen(self, points: npt.ArrayLike) -> Points:
        """Points (n, 3) of the frame as they lie in the plane of the film, (n, 2) mm."""
        return flatten(np.asarray(points, np.float64), self.view) @ self.matrix.T + self.origin


@dataclass(frozen=True, eq=False)
class Film:
    """A film of `height` x `width` pixels; a point at p mm lies at `matrix` p + `offset`."""

    height: int
    width: int
    matrix: Matrix
    offset: npt.NDArray[np.float64]

    @property
    def pixels_per_mm(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))


@dataclass(frozen=True, eq=False)
class Shadow:
    """The outline of a part on the film, pixels, and what is needed to find one's way in it.

    `matrix` and `origin` take (x seen, y) mm of the part's frame to pixels; `depths` are (levels, 2): y mm and half
    the depth along the beam.
    """

    part: Solid | Plate
    outline: Points
    matrix: Matrix
    origin: npt.NDArray[np.float64]
    depths: Points
    view: float

    def box(self, film: Film, margin_px: int = 2) -> Box | None:
        """The part of the film that the outline covers; None where it misses the film."""
        left, top = np.maximum(np.floor(self.outline.min(0)).astype(int) - margin_px, 0)
        right, bottom = np.minimum(np.ceil(self.outline.max(0)).astype(int) + margin_px + 1, (film.width, film.height))
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None

    def local(self, box: Box) -> tuple[Plane, Plane]:
        """(x seen, y) in mm of the frame, of every pixel of the box."""
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        column = np.arange(box[1].start, box[1].stop, dtype=np.float32) - np.float32(self.origin[0])
        row = (np.arange(box[0].start, box[0].stop, dtype=np.float32) - np.float32(self.origin[1]))[:, None]
        return inverse[0, 0] * column + inverse[0, 1] * row, inverse[1, 0] * column + inverse[1, 1] * row


def flatten(points: Points, view: float) -> Points:
    """(n, 3) points of a frame as seen from `view` radians: (x seen, y), (n, 2)."""
    return np.column_stack((points[:, 0] * np.cos(view) + points[:, 2] * np.sin(view), points[:, 1]))


def rotation(angle: float) -> Matrix:
    """The 2 x 2 matrix that turns what points down (y) towards x by `angle` radians."""
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def place_frames(stance: Stance) -> dict[str, Place]:
    """Where each frame of the limb comes to lie when it is held so."""
    places: dict[str, Place] = {}
    angles: dict[str | None, tuple[float, float, float, float]] = {None: (stance.view_deg, 0.0, 0.0, 0.0)}
    for name, joint in JOINTS.items():
        view, turn, spread, flexion = angles[joint.parent]
        turn += joint.turn
        spread += joint.spread + stance.spread_deg.get(name, 0.0)
        flexion += stance.flexion_deg.get(name, 0.0)
        angles[name] = view, turn, spread, flexion
        origin = np.zeros(2) if joint.parent is None else places[joint.parent].seen([joint.at])[0]
        seen = np.deg2rad(view)
        bend = np.deg2rad([spread, flexion])
        in_plane = bend[0] * np.cos(seen) + bend[1] * np.sin(seen)
        hidden = np.sin(bend[1]) * np.cos(seen) - np.sin(bend[0]) * np.sin(seen)
        length = np.sqrt(max(1 - hidden**2, LEAST_FORESHORTENED**2))
        places[name] = Place(float(np.deg2rad(view + turn)), rotation(float(in_plane)) @ np.diag([1, length]), origin)
    return places


def throw(part: Solid | Plate, place: Place, film: Film, rng: np.random.Generator) -> Shadow:
    """The shadow of one part; its outline differs a little from film to film."""
    if isinstance(part, Solid):
        outline, depths = _solid_outline(part, place.view)
    else:
        outline = flatten(part.path, place.view)
        depths = np.array([[0.0, part.half_depth_mm]])
    widths = np.ptp(outline, axis=0)
    outline = outline + rng.normal(0, OUTLINE_SD * min(widths), outline.shape)
    matrix = film.matrix @ place.matrix
    origin = film.matrix @ place.origin + film.offset
    return Shadow(part, spline(outline, SMOOTH_STEPS) @ matrix.T + origin, matrix, origin, depths, place.view)


def absorb_bone(shadow: Shadow, film: Film, box: Box, cortex: float, trabeculae: Plane) -> Plane:
    """What a bone absorbs of each ray in `box`, in mm of cortical bone; `cortex` scales its thickness.

    A ray at depth d inside a round body of radius R runs 2 sqrt(d (2R - d)); the same for the marrow space gives the
    cortex by difference, and so the bright border that a hollow bone shows.
    """
    depth = _depth_mm(shadow, film, box)
    thickness, spongy, radius = _profile(shadow, box, cortex)
    thickness = np.minimum(thickness, np.float32(0.9) * radius)
    marrow = chord(depth - thickness, radius - thickness)
    return np.asarray(chord(depth, radius) - marrow + marrow * spongy * trabeculae[box], np.float32)


def absorb_soft(shadow: Shadow, film: Film, box: Box, fat_mm: float) -> Plane:
    """Millimetres of soft tissue on each ray in `box`, of which the outer `fat_mm` absorb half."""
    depth = _depth_mm(shadow, film, box)
    radius = _at_levels(shadow, box, *shadow.depths.T)
    inner = chord(np.maximum(depth - np.float32(fat_mm), 0), np.maximum(radius - np.float32(fat_mm), np.float32(0.1)))
    return np.asarray(np.float32(0.5) * (chord(depth, radius) + inner), np.float32)


def _solid_outline(part: Solid, view: float) -> tuple[Points, Points]:
    level, x0, x1, z0, z1 = part.rows.T
    middle = (x0 + x1) / 2 * np.cos(view) + (z0 + z1) / 2 * np.sin(view)
    half = np.hypot((x1 - x0) / 2 * np.cos(view), (z1 - z0) / 2 * np.sin(view))
    deep = np.hypot((x1 - x0) / 2 * np.sin(view), (z1 - z0) / 2 * np.cos(view))
    left, right = np.column_stack((middle - half, level)), np.column_stack((middle + half, level))
    return np.concatenate((right, left[::-1])), np.column_stack((level, deep))


def _depth_mm(shadow: Shadow, film: Film, box: Box) -> Plane:
    rows, columns = box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    depth = distance_to_edge(shadow.outline - (columns.start, rows.start), width, height)
    return np.asarray(depth / np.float32(film.pixels_per_mm), np.float32)


def _profile(shadow: Shadow, box: Box, cortex: float) -> tuple[Plane, Plane, Plane]:
    """Cortex mm, share of spongy bone and half depth mm along the bone, for each pixel of the box."""
    part = shadow.part
    if isinstance(part, Plate):
        one = np.ones((1, 1), np.float32)
        return one * np.float32(part.cortex_mm * cortex), one, one * np.float32(part.half_depth_mm)
    start, length = part.rows[0, 0], part.length_mm
    levels = start + length * np.linspace(0, 1, 41)
    share = np.linspace(0, 1, 41)
    walls = np.interp(share, *LONG_CORTEX) if part.long else np.full(41, 1.0)
    spongy = np.interp(share, *LONG_SPONGY) if part.long else np.full(41, 1.0)
    y = shadow.local(box)[1]
    return (
        _look_up(y, levels, part.cortex_mm * cortex * walls),
        _look_up(y, levels, spongy),
        _look_up(y, *shadow.depths.T),
    )


def _at_levels(shadow: Shadow, box: Box, levels: Points, values: Points) -> Plane:
    return _look_up(shadow.local(box)[1], levels, values)


def _look_up(y: Plane, levels: Points, values: Points, steps: int = 256) -> Plane:
    """`values` at each y by a table of equal steps, which is quicker than to interpolate each pixel."""
    low, high = float(levels[0]), float(levels[-1])
    if high <= low:
        return np.full((1, 1), values[0], np.float32)
    table = np.interp(np.linspace(low, high, steps), levels, values).astype(np.float32)
    place = np.clip((y - np.float32(low)) * np.float32((steps - 1) / (high - low)), 0, steps - 1)
    return np.asarray(table[place.astype(np.intp)], np.float32)


def move(plane: Plane, matrix: Matrix, shift: npt.NDArray[np.float64]) -> Plane:
    """The plane with each point p of it moved to `matrix` p + `shift`, pixels; 0 comes in from outside."""
    return np.asarray(cv2.warpAffine(plane, np.column_stack((matrix, shift)), plane.shape[::-1]), np.float32)
