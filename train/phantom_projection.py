"""From anatomy to attenuation: how the knee lies on the film, and what soft tissue and bone absorb of each ray."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.train.phantom_anatomy import KNEE_AXIS_MM, Anatomy, Bone, Points

Plane = npt.NDArray[np.float32]

SOFT_TISSUE = 0.16  # attenuation per millimetre, where cortical bone adds 1
TRABECULAR_BONE = 0.16  # attenuation per millimetre of a marrow space full of struts
STRUT_SIGMA_MM = 0.55  # struts about 8 pixels apart at 512: they survive area averaging to 224
OUTLINE_SD_MM = 0.6  # how far each point of an outline is moved, so that no two knees share one
UNEVEN_BONE, UNEVEN_SOFT_TISSUE = 0.12, 0.04  # slow waxing and waning over a film, as standard deviations


@dataclass(frozen=True)
class Density:
    """What bone loss changes.

    `cortex_mm` is that of the shaft. `plates` and `rods`, the vertical and horizontal struts of trabecular bone, are
    about the share of the view that each covers (0 or less: hardly any); `strut` is how much one absorbs and `ground`
    what struts too fine to see add to every ray, both relative to TRABECULAR_BONE.
    """

    cortex_mm: float
    plates: float
    rods: float
    strut: float
    ground: float


@dataclass(frozen=True)
class Pose:
    """How the knee lies on a film of `height` x `width` pixels; angles in degrees, `joint` is (x, y) in pixels."""

    height: int
    width: int
    pixels_per_mm: float
    joint: tuple[float, float]
    angle: float
    flexion: float
    stretch: tuple[float, float]
    mirrored: bool

    def matrix(self) -> npt.NDArray[np.float64]:
        """Return the 2 x 2 matrix from millimetres to pixels."""
        turn = np.deg2rad(self.angle)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        flip = -1.0 if self.mirrored else 1.0
        return self.pixels_per_mm * rotation @ np.diag([flip * self.stretch[0], self.stretch[1]])

    def grid(self) -> tuple[Plane, Plane]:
        """Return x and y in millimetres of every pixel."""
        inverse = np.linalg.inv(self.matrix()).astype(np.float32)
        column = np.arange(self.width, dtype=np.float32) - np.float32(self.joint[0])
        row = (np.arange(self.height, dtype=np.float32) - np.float32(self.joint[1]))[:, None]
        return inverse[0, 0] * column + inverse[0, 1] * row, inverse[1, 0] * column + inverse[1, 1] * row


def attenuation(anatomy: Anatomy, density: Density, pose: Pose, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Return what soft tissue and what bone absorb, as two float32 (height, width) planes in the same units."""
    x, y = pose.grid()
    x = x - _axis(y, pose.flexion)
    trabeculae = _trabeculae(density, pose, x, y, rng)
    bone = np.zeros((pose.height, pose.width), np.float32)
    for part in anatomy.bones:
        _add_bone(bone, part, _outline_pixels(part, pose, rng), density, pose, trabeculae)
    return _soft_tissue(anatomy, x, y, rng), bone


def _axis(y: Plane, flexion: float) -> Plane:
    """Return the x of the leg's axis at height `y`: straight below the joint, bent by `flexion` degrees above it."""
    above = np.minimum(y - np.float32(KNEE_AXIS_MM[1]), 0)
    return np.asarray(np.tan(np.deg2rad(flexion)) * above, np.float32)


def _outline_pixels(part: Bone, pose: Pose, rng: np.random.Generator) -> Points:
    """Return the outline as it lies on the film, in pixels: each point moved a little, bent with the knee, smooth."""
    points = part.outline + rng.normal(0, OUTLINE_SD_MM, part.outline.shape)
    if part.moves_with_femur:
        turn = -np.deg2rad(pose.flexion)
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        points = (points - KNEE_AXIS_MM) @ rotation.T + KNEE_AXIS_MM
    return spline(points) @ pose.matrix().T + pose.joint


def spline(points: Points, steps: int = 10) -> Points:
    """Return a closed Catmull-Rom curve through `points`, `steps` samples a segment."""
    before, after, beyond = np.roll(points, 1, 0), np.roll(points, -1, 0), np.roll(points, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (before, points, after, beyond))
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve.reshape(-1, 2), np.float64)


def _add_bone(film: Plane, part: Bone, outline: Points, density: Density, pose: Pose, trabeculae: Plane) -> None:
    """Add to `film` the cortical and trabecular bone that a ray meets, from the distance to the outline.

    A ray at depth d inside a round body of radius R runs 2 sqrt(d (2R - d)); the same for the marrow space gives the
    cortex by difference, and so the bright border that a hollow bone shows.
    """
    left, top = np.maximum(np.floor(outline.min(0)).astype(int) - 2, 0)
    right, bottom = np.minimum(np.ceil(outline.max(0)).astype(int) + 3, (pose.width, pose.height))
    box = np.s_[top:bottom, left:right]
    depth = distance_to_edge(outline - (left, top), right - left, bottom - top) / np.float32(pose.pixels_per_mm)
    levels, *columns = np.array(part.section, np.float32).T
    rows = (np.arange(top, bottom) - pose.joint[1]) / pose.pixels_per_mm
    cortex, radius, spongy = (np.interp(rows, levels, column).astype(np.float32)[:, None] for column in columns)
    cortex = cortex * np.float32(density.cortex_mm)
    marrow = chord(depth - cortex, radius - cortex)
    film[box] += chord(depth, radius) - marrow + marrow * spongy * trabeculae[box]


def distance_to_edge(outline: Points, width: int, height: int) -> Plane:
    """Return how many pixels each pixel within `outline` lies from it; 0 outside. The film's border is no edge."""
    inside = np.zeros((height, width), np.uint8)
    fraction_bits = 4
    cv2.fillPoly(inside, [np.round(outline * 2**fraction_bits).astype(np.int32)], (1,), cv2.LINE_8, fraction_bits)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5), np.float32)


def chord(depth: Plane, radius: Plane) -> Plane:
    inside = np.clip(depth, 0, radius)
    return np.asarray(2 * np.sqrt(inside * (2 * radius - inside)), np.float32)


def _trabeculae(density: Density, pose: Pose, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """Return the share of each ray that meets trabecular bone: vertical plates crossed by horizontal rods.

    Bone loss thins them and takes the horizontal ones first, as in Singh's grading of the hip (Singh et al., 1970).
    """
    side = pose.height
    across = STRUT_SIGMA_MM * pose.pixels_per_mm
    plates = struts(rng, side, (across, 7 * across), density.plates)
    rods = struts(rng, side, (3 * across, across), density.rods)
    field = np.float32(TRABECULAR_BONE) * (np.float32(density.ground) + np.float32(density.strut) * (plates + rods))
    flare = np.interp(np.abs(y[:, pose.width // 2]), (0, 40, 90), (1.0, 0.9, 0.6)).astype(np.float32)[:, None]
    columns = x / flare * np.float32(pose.pixels_per_mm) + np.float32(side / 2)
    rows = y * np.float32(pose.pixels_per_mm) + np.float32(side / 2)
    bent = cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(bent * uneven(pose.width, pose.height, UNEVEN_BONE, rng), np.float32)


def uneven(width: int, height: int, deviation: float, rng: np.random.Generator) -> Plane:
    """Return a slowly varying (height, width) plane of mean about 1."""
    coarse = 1 + np.float32(deviation) * rng.standard_normal((9, 8), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def struts(rng: np.random.Generator, side: int, sigma: tuple[float, float], share: float) -> Plane:
    """Return struts, 0 to 1: band-passed noise, smooth over `sigma` (x, y) pixels, of which about `share` is bone.

    Two layers, the second a mirror image of the first, lie over each other as near and far struts do on a film.
    """
    noise = rng.standard_normal((side, side), np.float32)
    fine = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma[0], sigmaY=sigma[1]), np.float32)
    wide = (1.3 * sigma[0], 0.1) if sigma[0] < sigma[1] else (0.1, 1.3 * sigma[1])
    fine = fine - np.asarray(cv2.GaussianBlur(fine, (0, 0), wide[0], sigmaY=wide[1]), np.float32)
    fine = fine / np.float32(max(float(fine.std()), 1e-9))
    layer = np.clip(np.float32(0.5) * fine + np.float32(share - 0.5), 0, 1)
    return np.asarray(np.float32(0.6) * layer + np.float32(0.6) * layer[::-1, ::-1], np.float32)


def _soft_tissue(anatomy: Anatomy, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """Return what skin, fat and muscle absorb: two nested elliptic cylinders with slow, random unevenness."""
    rows = y.mean(axis=1)
    bulk, fat = rng.uniform(0.92, 1.12), rng.uniform(0.95, 1.12)
    skin = _cylinder(x, rows, anatomy.skin, bulk * fat)
    muscle = _cylinder(x, rows, anatomy.muscle, bulk)
    waxing = uneven(x.shape[1], x.shape[0], UNEVEN_SOFT_TISSUE, rng)
    depth = np.float32(SOFT_TISSUE * anatomy.depth_mm)
    return np.asarray(depth * (np.float32(0.5) * skin + np.float32(0.5) * muscle) * waxing)


def _cylinder(x: Plane, rows: Plane, borders: tuple[tuple[float, float, float], ...], scale: float) -> Plane:
    levels, *sides = np.array(borders, np.float32).T
    sigma = max(1.0, 10 / abs(float(rows[1] - rows[0])))
    low, high = (
        np.float32(scale) * cv2.GaussianBlur(np.interp(rows, levels, side).astype(np.float32)[:, None], (0, 0), sigma)
        for side in sides
    )
    position = (2 * x - low - high) / (high - low)
    return np.asarray(np.sqrt(np.maximum(1 - position * position, 0)), np.float32)
