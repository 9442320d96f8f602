"""Metal in a drawn limb: plates with screws, nails, wires and lone screws."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.train.limb_anatomy import BONES, Plate, Points, Solid
from osteo_edge.train.limb_projection import Film, Place, flatten
from osteo_edge.train.limb_shape import centre, ends, outwards, surface, width_at
from osteo_edge.train.phantom_projection import Plane

KINDS = {"plate": 0.55, "pins": 0.25, "screws": 0.2}
"""And how often; pins are a nail where the bone is hollow, wires elsewhere."""

LONGEST_PLATE_MM = 90.0

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Rod:
    """A screw, wire or nail from one point to another, mm in the frame of `bone`."""

    bone: str
    start: Point
    end: Point
    diameter_mm: float
    head_mm: float = 0.0
    """The diameter of a screw's head at `start`."""


@dataclass(frozen=True)
class Strip:
    """A metal plate on a bone: from one point to another, `around` the bone's length, radians (0 is the thumb's side).

    It is narrower between its `holes`.
    """

    bone: str
    start: Point
    end: Point
    around: float
    width_mm: float
    thickness_mm: float
    holes: int


def draw_hardware(bone: str, level: float, rng: np.random.Generator) -> Iterator[Rod | Strip]:
    """Make up metal that would hold a fracture of a bone at a level, mm."""
    part = BONES[bone]
    if isinstance(part, Plate):
        yield from _clavicle_plate(bone, level, rng)
        return
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values()))) if part.long else "screws"
    low, high = ends(bone)
    if kind == "plate":
        yield from _plated(part, bone, level, rng)
    elif kind == "pins" and low + 0.3 * (high - low) < level < low + 0.7 * (high - low):
        yield _nail(part, bone, width_at(bone, level))
    else:
        thin = kind == "pins"
        for _ in range(int(rng.integers(2, 4)) if thin else int(rng.integers(1, 3))):
            yield _crossing(part, bone, level, rng, thin=thin)


def draw_metal(plane: Plane, piece: Rod | Strip, place: Place, film: Film) -> None:
    """Put the shadow of a piece of metal on a plane of 0 and 1."""
    ends = flatten(np.array([piece.start, piece.end], np.float64), place.view) @ place.matrix.T + place.origin
    start, end = ends @ film.matrix.T + film.offset
    scale = film.pixels_per_mm
    if isinstance(piece, Rod):
        _stroke(plane, start, end, np.full(2, piece.diameter_mm / 2 * scale))
        if piece.head_mm:
            _disc(plane, start, piece.head_mm / 2 * scale)
        return
    turned = piece.around - place.view
    flat, edge = abs(np.sin(turned)), abs(np.cos(turned))
    shares = np.linspace(0, 1, 8 * piece.holes + 1)
    waist = 1 - 0.22 * np.cos(2 * np.pi * piece.holes * shares)
    half = piece.width_mm / 2 * flat * np.minimum(waist, 1.05) + piece.thickness_mm / 2 * edge
    _stroke(plane, start, end, half * scale)


def _plated(part: Solid, bone: str, level: float, rng: np.random.Generator) -> Iterator[Rod | Strip]:
    width, (low, high) = width_at(bone, level), ends(bone)
    holes = int(rng.integers(4, 8))
    half = min(rng.uniform(1.6, 2.6) * width, 0.42 * (high - low), LONGEST_PLATE_MM / 2)
    start, end = max(level - half, low + 0.03 * (high - low)), min(level + half, high - 0.03 * (high - low))
    around = float(rng.uniform(0, 2 * np.pi))
    thick = float(np.clip(0.16 * width, 0.9, 3.5))
    first, last = (surface(part, at, around) + 0.4 * thick * outwards(around) for at in (start, end))
    yield Strip(bone, _point(first), _point(last), around, float(np.clip(0.5 * width, 3, 12)), thick, holes)
    for share in (np.arange(holes) + 0.5) / holes:
        if abs(start + share * (end - start) - level) > 0.18 * width or rng.random() < 0.4:
            head = first + share * (last - first)
            tip = head - outwards(around) * width * rng.uniform(0.85, 1.1)
            yield _screw(bone, head, tip, width)


def _nail(part: Solid, bone: str, width: float) -> Rod:
    low, high = ends(bone)
    first, last = (centre(part, low + share * (high - low)) for share in (0.05, 0.9))
    return Rod(bone, _point(first), _point(last), float(np.clip(0.32 * width, 1.8, 8)))


def _crossing(part: Solid, bone: str, level: float, rng: np.random.Generator, *, thin: bool) -> Rod:
    """A wire, if thin, or a lag screw obliquely through the fracture."""
    width = width_at(bone, level)
    half = width * (rng.uniform(0.9, 1.6) if thin else rng.uniform(0.45, 0.7))
    aside = 0.42 * width * outwards(float(rng.uniform(0, 2 * np.pi)))
    first = centre(part, level - half) - aside * rng.uniform(0.4, 1.1)
    last = centre(part, level + half) + aside * rng.uniform(0.4, 1.1)
    if rng.random() < 0.5:
        first, last = last, first
    if thin:
        return Rod(bone, _point(first), _point(last), float(np.clip(0.09 * width, 1.0, 2.0)))
    return _screw(bone, first, last, width)


def _screw(bone: str, head: Points, tip: Points, width: float) -> Rod:
    sizes = np.clip((0.15 * width, 0.27 * width), (1.2, 2.0), (3.3, 6.0))
    return Rod(bone, _point(head), _point(tip), float(sizes[0]), float(sizes[1]))


def _clavicle_plate(bone: str, level: float, rng: np.random.Generator) -> Iterator[Rod | Strip]:
    holes = int(rng.integers(5, 8))
    half = rng.uniform(28, 40)
    x = np.array([level - half, min(level + half, -2)])
    y = np.interp(x, (-165, -120, -70, -30, 4), (-18, -29, -35, -33, -28))
    z = np.interp(x, (-165, -70, 4), (44, 22, 0))
    first, last = (np.array(point) for point in zip(x, y, z, strict=True))
    yield Strip(bone, _point(first), _point(last), 0.0, 7.0, 3.0, holes)
    for share in (np.arange(holes) + 0.5) / holes:
        head = first + share * (last - first)
        yield Rod(bone, _point(head), _point(head + np.array([0, rng.uniform(13, 17), 0])), 2.6, 5.0)


def _point(found: Points) -> Point:
    return float(found[0]), float(found[1]), float(found[2])


def _stroke(plane: Plane, start: Points, end: Points, half: npt.NDArray[np.float64]) -> None:
    """A band from one point to another, `half` its half width at equal steps, with round ends; pixels."""
    along = end - start
    length = float(np.hypot(*along))
    half = np.maximum(half, 0.5)
    if length > 1e-6:
        normal = np.array([-along[1], along[0]]) / length
        line = start + np.linspace(0, 1, half.size)[:, None] * along
        path = np.concatenate((line + half[:, None] * normal, (line - half[:, None] * normal)[::-1]))
        cv2.fillPoly(plane, [np.round(path * 16).astype(np.int32)], (1.0,), cv2.LINE_8, 4)
    for point, radius in ((start, half[0]), (end, half[-1])):
        _disc(plane, point, float(radius))


def _disc(plane: Plane, centre: Points, radius: float) -> None:
    cv2.circle(
        plane, (round(centre[0] * 16), round(centre[1] * 16)), round(radius * 16), (1.0,), cv2.FILLED, cv2.LINE_8, 4
    )
