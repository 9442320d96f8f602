"""The drawn knee in millimetres: bones as hollow bodies, skin and muscle as nested cylinders, in two projections.

The origin lies in the joint space, y runs towards the foot, x is lateral in the frontal view and anterior in the
lateral view. Sizes are those of an average adult knee, rounded; nothing is traced from a film.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

KNEE_AXIS_MM = (0.0, -20.0)  # where the femur turns when the knee bends


@dataclass(frozen=True, eq=False)
class Bone:
    """A bone as a hollow body of elliptic section.

    `outline` is a closed path, (points, 2). Each row of `section` is: y mm, cortex as a share of the shaft's, half
    depth along the beam mm, trabecular bone as a share of the epiphysis's.
    """

    outline: Points
    section: tuple[tuple[float, float, float, float], ...]
    moves_with_femur: bool = False


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One projection of the knee; `skin` and `muscle` rows are: y mm, x of one border mm, x of the other mm."""

    bones: tuple[Bone, ...]
    skin: tuple[tuple[float, float, float], ...]
    muscle: tuple[tuple[float, float, float], ...]
    depth_mm: float


def _path(points: str) -> Points:
    """Read "x,y x,y ..." as in an SVG path."""
    return np.array([[float(value) for value in point.split(",")] for point in points.split()])


FRONTAL = Anatomy(
    bones=(
        Bone(  # femur
            _path(
                "21,-175 19,-110 21,-88 26,-68 35,-49 42,-35 40,-19 39,-7 33,-2 22,-1 13,-4 6,-9 0,-10.5 -6,-8 "
                "-13,-3 -22,0.5 -33,-1 -40,-7 -42,-19 -44,-35 -38,-48 -26,-68 -17,-88 -12,-110 -10,-175"
            ),
            ((-170, 1, 16, 0.1), (-100, 0.95, 16, 0.15), (-75, 0.6, 18, 0.6), (-50, 0.3, 24, 1), (0, 0.33, 25, 1)),
            moves_with_femur=True,
        ),
        Bone(  # tibia
            _path(
                "41,13 39,7.5 28,8 17,7 10,4.5 6,0 2,1 -3,-1.5 -8,3.5 -16,7.5 -28,8.5 -39,7 -42,13 -40,23 -32,40 "
                "-23,60 -17,88 -15,120 -15,180 14,180 14,120 17,88 23,60 33,40 40,23"
            ),
            ((0, 0.45, 24, 1), (12, 0.35, 24, 1), (30, 0.32, 22, 1), (60, 0.6, 18, 0.6), (90, 0.95, 16, 0.15)),
        ),
        Bone(  # fibula
            _path("35,19 40,14 46,19 47,29 42,44 38,62 36,100 35,180 24,180 25,100 27,62 30,44 31,30"),
            ((15, 0.25, 9, 0.9), (40, 0.4, 8, 0.6), (80, 0.6, 6, 0.1)),
        ),
        Bone(  # patella
            _path("1,-66 13,-63 22,-52 23,-40 15,-27 2,-21 -11,-27 -19,-40 -18,-52 -10,-63"),
            ((-60, 0.16, 6, 0.35), (-20, 0.16, 6, 0.35)),
            moves_with_femur=True,
        ),
    ),
    skin=((-170, -86, 80), (-80, -72, 66), (-30, -61, 58), (10, -57, 56), (50, -58, 60), (90, -62, 66), (170, -55, 58)),
    muscle=(
        (-170, -70, 68),
        (-80, -50, 52),
        (-30, -47, 47),
        (15, -45, 46),
        (50, -46, 53),
        (90, -51, 58),
        (170, -44, 50),
    ),
    depth_mm=115,
)

LATERAL = Anatomy(
    bones=(
        Bone(  # far condyle
            _path("12,-30 8,-12 -6,-6 -22,-9 -36,-20 -43,-33 -40,-44 -28,-50 -8,-46"),
            ((-50, 0.14, 7, 0.2), (0, 0.14, 7, 0.2)),
            moves_with_femur=True,
        ),
        Bone(  # femur
            _path(
                "15,-175 16,-105 18,-74 24,-54 31,-38 31,-24 23,-10 9,-3 -8,-2 -23,-6 -35,-16 -40,-29 -37,-41 "
                "-27,-49 -19,-60 -15,-80 -13,-110 -13,-175"
            ),
            ((-170, 1, 15, 0.1), (-100, 0.95, 15, 0.15), (-75, 0.6, 18, 0.6), (-50, 0.3, 26, 1), (0, 0.35, 28, 1)),
            moves_with_femur=True,
        ),
        Bone(  # tibia
            _path(
                "25,9 28,15 25,26 27,38 23,52 18,82 15,120 14,180 -14,180 -14,120 -16,82 -19,52 -27,32 -32,17 "
                "-31,9 -17,7 -5,6 0,2 6,5.5 14,7"
            ),
            ((0, 0.45, 26, 1), (12, 0.35, 26, 1), (30, 0.32, 22, 1), (60, 0.6, 18, 0.6), (90, 0.95, 15, 0.15)),
        ),
        Bone(  # fibula
            _path("-21,19 -15,27 -16,42 -19,70 -20,110 -20,180 -31,180 -31,110 -30,70 -31,45 -33,30 -28,20"),
            ((15, 0.25, 9, 0.9), (40, 0.4, 8, 0.6), (80, 0.6, 6, 0.1)),
        ),
        Bone(  # patella
            _path("38,-53 46,-57 53,-49 54,-34 49,-21 43,-16 39,-27 37,-40"),
            ((-55, 0.35, 14, 0.8), (-15, 0.35, 14, 0.8)),
            moves_with_femur=True,
        ),
    ),
    skin=((-170, -78, 62), (-80, -66, 58), (-35, -60, 64), (0, -58, 54), (50, -62, 44), (90, -68, 40), (170, -60, 34)),
    muscle=(
        (-170, -66, 50),
        (-80, -55, 44),
        (-35, -48, 36),
        (0, -46, 36),
        (50, -54, 32),
        (90, -60, 30),
        (170, -50, 26),
    ),
    depth_mm=110,
)
