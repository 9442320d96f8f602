"""The drawn upper limb in millimetres: one skeleton, of which each of MURA's seven regions is a section.

A right arm, straight, palm to the front: x runs to the thumb's side, y towards the fingers, z to the front. Each bone
has a frame of its own, hung into that of the bone above it at the joint. Sizes are those of an average adult, rounded;
nothing is traced from a film.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

DIGITS = ("thumb", "index", "middle", "ring", "little")


@dataclass(frozen=True)
class Joint:
    """Where a frame hangs in its parent's, mm; `turn` is how it is turned about its own length, degrees."""

    parent: str | None
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: float = 0.0
    spread: float = 0.0
    """At rest towards the thumb's side, degrees."""


@dataclass(frozen=True, eq=False)
class Solid:
    """A body along the y axis of its `frame`, of elliptic section.

    `rows` are (levels, 5): y, its two borders in x, its two borders in z, mm. A `long` bone has a thick cortex and a
    hollow in the middle and spongy ends; another has a thin cortex and is spongy throughout. Soft tissue has none.
    """

    frame: str
    rows: Points
    cortex_mm: float = 0.0
    long: bool = True

    @property
    def length_mm(self) -> float:
        return float(self.rows[-1, 0] - self.rows[0, 0])


@dataclass(frozen=True, eq=False)
class Plate:
    """A flat bone: a closed path in space, (points, 3) mm, and half its thickness."""

    frame: str
    path: Points
    half_depth_mm: float
    cortex_mm: float = 1.0


def _rows(text: str, shift: float = 0.0) -> Points:
    """Read "y x x z z, y x x z z, ..."; `shift` is added to y."""
    found = np.array([[float(value) for value in row.split()] for row in text.split(",")])
    found[:, 0] += shift
    return found


def _path(text: str) -> Points:
    return np.array([[float(value) for value in point.split()] for point in text.split(",")])


def _pebble(x: float, y: float, wide: float, high: float, deep: float, z: float = 0.0) -> Points:
    """A rounded short bone around (x, y, z), with its half sizes."""
    up = np.array([-1, -0.92, -0.7, -0.35, 0, 0.35, 0.7, 0.92, 1])
    across = (1 - np.abs(up) ** 2.6) ** (1 / 2.6)
    across[[0, -1]] = 0.18
    half = np.outer(across, (wide, deep))
    return np.column_stack((y + high * up, x - half[:, 0], x + half[:, 0], z - half[:, 1], z + half[:, 1]))


def _ray_bone(length: float, base: float, waist: float, head: float, tuft: bool = False) -> Points:
    """A metacarpal or phalanx: full widths of base, waist and head, mm; flat from front to back."""
    shares = np.array([0, 0.03, 0.1, 0.22, 0.5, 0.76, 0.88, 0.96, 1.0])
    widths = np.array([0.72 * base, 0.96 * base, base, 0.6 * base + 0.4 * waist, waist, 0.6 * waist + 0.4 * head,
                       head, 0.86 * head, 0.5 * head])  # fmt: skip
    if tuft:
        widths[5:] = 0.9 * waist, head, 0.9 * head, 0.45 * head
    deep = 0.42 * widths * np.where(shares < 0.8, 1, 0.95)
    bow = -0.03 * length * (1 - (2 * shares - 1) ** 2)  # concave to the palm
    return np.column_stack((length * shares, -widths / 2, widths / 2, bow - deep, bow + deep))


def _digit_lengths() -> dict[str, tuple[float, ...]]:
    return {
        "thumb": (45, 31, 22),
        "index": (67, 40, 23, 17),
        "middle": (64, 44, 27, 18),
        "ring": (57, 41, 26, 18),
        "little": (53, 33, 18, 16),
    }


LENGTHS_MM = _digit_lengths()
"""Metacarpal and phalanges of each digit."""
SEGMENTS = {digit: ("metacarpal", "proximal", *(() if digit == "thumb" else ("middle",)), "distal") for digit in DIGITS}
JOINT_GAP_MM = 1.6

_BASES = {"thumb": (27, 31, 8), "index": (15, 33, 0), "middle": (3, 34, 0), "ring": (-8, 33, 0), "little": (-17, 31, 0)}
_SPREADS = {"thumb": 38.0, "index": 9.0, "middle": 0.0, "ring": -7.0, "little": -15.0}
_BENT_BACK = {"thumb": -9.0}  # at each joint beyond the hand
_WIDTHS = {"thumb": 1.15, "index": 1.05, "middle": 1.08, "ring": 0.98, "little": 0.88}


def _joints() -> dict[str, Joint]:
    found = {
        "trunk": Joint(None),
        "arm": Joint("trunk", (-2, 20, 0)),
        "forearm": Joint("arm", (0, 295, 2)),
        "hand": Joint("forearm", (9, 251, 0)),
    }
    for digit in DIGITS:
        parent, at = "hand", tuple(float(value) for value in _BASES[digit])
        turn = -60.0 if digit == "thumb" else 0.0
        for segment, length in zip(SEGMENTS[digit], LENGTHS_MM[digit], strict=True):
            name = f"{digit} {segment}"
            spread = _SPREADS[digit] if parent == "hand" else _BENT_BACK.get(digit, 0.0)
            found[name] = Joint(parent, (at[0], at[1], at[2]), turn, spread)
            parent, at, turn = name, (0.0, length + JOINT_GAP_MM, 0.0), 0.0
    return found


JOINTS = _joints()
"""Every frame by name, each after its parent."""


def _digit_bones() -> dict[str, Solid]:
    found = {}
    for digit in DIGITS:
        wide = _WIDTHS[digit]
        sizes = {
            "metacarpal": (15, 8.2, 14),
            "proximal": (14.5, 8.4, 11),
            "middle": (12.5, 7.4, 9.5),
            "distal": (10.5, 5, 7),
        }
        for segment, length in zip(SEGMENTS[digit], LENGTHS_MM[digit], strict=True):
            base, waist, head = (wide * size for size in sizes[segment])
            rows = _ray_bone(length, base, waist, head, tuft=segment == "distal")
            cortex = {"metacarpal": 2.1, "proximal": 1.8, "middle": 1.5, "distal": 1.1}[segment]
            found[f"{digit} {segment}"] = Solid(f"{digit} {segment}", rows, cortex)
    return found


BONES: dict[str, Solid | Plate] = {
    "scapula": Plate(
        "trunk",
        _path(
            "-38 2 -4, -35 12 -5, -35 26 -6, -40 39 -8, -52 50 -12, -62 86 -22, -84 136 -30, -93 146 -32, "
            "-102 138 -33, "
            "-108 90 -36, -110 36 -38, -106 2 -35, -98 -8 -33, -78 -2 -25, -56 2 -12"
        ),
        3.2,
        1.3,
    ),
    "acromion": Plate(
        "trunk",
        _path(
            "-110 36 -42, -84 10 -42, -56 -8 -40, -22 -24 -34, 4 -28 -20, 21 -22 -5, 25 -13 2, 12 -13 -8, -16 -14 -28, "
            "-54 4 -38, -82 22 -42"
        ),
        4.5,
        1.4,
    ),
    "coracoid": Plate(
        "trunk", _path("-60 2 -5, -52 -9 6, -40 -9 18, -30 -2 26, -27 7 28, -34 10 25, -44 4 14, -54 10 0"), 5.0, 1.3
    ),
    "clavicle": Plate(
        "trunk",
        _path(
            "-168 -12 44, -160 -22 44, -125 -30 38, -75 -36 22, -30 -34 6, 0 -31 0, 7 -26 0, 1 -20 0, -30 -22 6, "
            "-75 -25 22, -122 -17 38, -156 -2 44, -166 -3 44"
        ),
        5.5,
        2.0,
    ),
    **{
        f"rib {number}": Plate(
            "trunk",
            _path(
                f"-215 {y} -70, -165 {y - 8} -80, -120 {y + 6} -70, -92 {y + 34} -35, -84 {y + 62} 5, -90 {y + 64} 8, "
                f"-99 {y + 40} -35, -126 {y + 15} -70, -165 {y + 1} -80, -215 {y + 9} -70"
            ),
            3.5,
            0.9,
        )
        for number, y in enumerate(range(-4, 150, 29), start=2)
    },
    "humerus": Solid(
        "arm",
        _rows(
            "-5 -22 -6 -7 7, 0 -31 3 -15 14, 6 -36 12 -20 19, 13 -39.5 20 -23 22, 22 -40 25 -24 23, "
            "32 -37 26.5 -23 21, "
            "42 -28 25 -20 18, 53 -18.5 21 -15 15, 75 -13 14.5 -12.5 13, 110 -11.5 12.5 -12 12.5, "
            "160 -11 11.5 -11.5 11.5, "
            "215 -11 11 -10.5 11, 248 -14 13 -9.5 9.5, 268 -20 17 -8.5 8.5, 284 -29 23 -8 9, 293 -33 26 -8 11, "
            "301 -28 25 -8 14, 308 -22 23 -8 15, 313 -19 21 -5 13, 316 -12 17 -2 9",
            shift=-20,
        ),
        4.4,
    ),
    "radius": Solid(
        "forearm",
        _rows(
            "1 5 19 -7 7, 2.5 2 23 -10.5 10.5, 6 1 24 -11 11, 10 2 23 -10.5 10.5, 15 5.5 20 -7.5 7.5, "
            "22 5 19.5 -7 7.5, "
            "30 3 19.5 -7 9, 42 6 20.5 -6.5 7.5, 70 11 24 -6 6.5, 110 14 27 -6 6.5, 160 13 27 -6 6.5, 200 9 26 -6.5 7, "
            "222 5 29 -8 8.5, 234 1 32 -10 10, 241 -1 34 -10.5 10.5, 246 0 35 -10 9, 250 14 35.5 -8 6, 255 25 35 -6 4, "
            "257 28 33 -3 2"
        ),
        3.3,
    ),
    "ulna": Solid(
        "forearm",
        _rows(
            "-24 -9 2 -20 -10, -21 -13 7 -23 -6, -14 -15 9 -24 -5, -5 -16 9 -24 -7, 2 -16 8 -24 -4, 7 -17 5 -23 8, "
            "11 -17 2 -21 12, 17 -16 1 -19 7, 30 -14 -1 -16 1, 55 -13 -1 -13 0, 100 -14 -3 -9 3, 160 -15 -5 -7 4, "
            "205 -14.5 -5.5 -6 4, 228 -15 -4 -6 5, 237 -17 -3 -7 6, 242 -17 -4 -6.5 5.5, 245 -17 -11 -5 1, "
            "250 -17 -13 -4 -1"
        ),
        3.1,
    ),
    "scaphoid": Solid("hand", _pebble(10, 9, 6.8, 11.5, 6), 1.1, long=False),
    "lunate": Solid("hand", _pebble(-5, 6, 7.6, 8, 7), 1.1, long=False),
    "triquetrum": Solid("hand", _pebble(-18, 10, 7, 7.5, 6), 1.1, long=False),
    "pisiform": Solid("hand", _pebble(-20, 14, 5.5, 6, 4, z=10), 1.0, long=False),
    "trapezium": Solid("hand", _pebble(23, 23, 8, 7.5, 6.5, z=4), 1.1, long=False),
    "trapezoid": Solid("hand", _pebble(13, 25, 6, 7, 6), 1.1, long=False),
    "capitate": Solid("hand", _pebble(1, 21, 7, 11.5, 7), 1.1, long=False),
    "hamate": Solid("hand", _pebble(-12, 23, 7.5, 9.5, 7), 1.1, long=False),
    **_digit_bones(),
}

CHEST = Solid(
    "trunk",
    _rows("5 -150 -110 -60 60, 20 -215 -104 -70 70, 60 -230 -92 -80 80, 150 -230 -84 -80 80, 260 -230 -80 -80 80"),
)
"""The lung: air within the trunk."""


def _soft_tissue() -> tuple[Solid, ...]:
    found = [
        Solid("trunk", _rows(
            "-90 -230 -120 -50 50, -60 -230 -105 -55 55, -42 -230 -40 -55 55, -30 -230 20 -55 55, -10 -230 44 -55 55, "
            "20 -230 40 -60 60, 50 -230 -10 -65 65, 80 -230 -50 -70 70, 140 -230 -66 -75 75, 290 -230 -70 -75 75"
        )),
        Solid("arm", _rows(
            "-62 -30 25 -25 25, -50 -50 44 -40 40, -20 -52 54 -46 46, 30 -46 56 -44 46, 90 -42 48 -42 44, "
            "150 -40 43 -42 46, "
            "220 -39 40 -40 40, 270 -41 40 -36 33, 300 -40 39 -36 32, 330 -36 36 -30 30"
        )),
        Solid("forearm", _rows(
            "-36 -22 24 -26 20, -12 -36 38 -35 31, 8 -41 43 -38 35, 35 -43 49 -36 38, 80 -39 50 -32 38, "
            "130 -33 46 -27 32, 180 -27 40 -22 25, "
            "225 -24 39 -19 19, 252 -22 40 -17 18, 270 -22 38 -15 17"
        )),
        Solid("hand", _rows(
            "-16 -28 27 -15 17, 5 -32 30 -16 19, 25 -37 36 -16 22, 50 -41 40 -15 20, 75 -42 37 -13 16, "
            "95 -43 32 -12 13, "
            "108 -38 26 -10 11, 114 -30 20 -8 9"
        )),
    ]  # fmt: skip
    for digit in DIGITS:
        for segment, length in zip(SEGMENTS[digit], LENGTHS_MM[digit], strict=True):
            if segment == "metacarpal" and digit != "thumb":
                continue
            half = {"metacarpal": 14.0, "proximal": 9.6, "middle": 8.6, "distal": 7.6}[segment] * _WIDTHS[digit]
            levels = np.array([-9, -2, length / 2, length + 2, length + (5.5 if segment == "distal" else 8)])
            across = half * np.array([0.6, 1.0, 0.97, 0.95, 0.35 if segment == "distal" else 0.55])
            found.append(Solid(f"{digit} {segment}", np.column_stack((levels, -across, across, -0.8 * across, across))))
    return tuple(found)


FLESH = _soft_tissue()
"""Skin, fat and muscle of every frame that has them."""
