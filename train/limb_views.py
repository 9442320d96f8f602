"""The radiographer's part: which section of the limb is on a film, how it is held, and where the film lies."""

from collections.abc import Mapping

import numpy as np

from osteo_edge.train.limb_anatomy import BONES, DIGITS, FLESH, SEGMENTS, Solid
from osteo_edge.train.limb_projection import Film, Place, Stance, rotation

VIEWS = ("frontal", "oblique", "lateral")

Anchor = tuple[str, float, float]
"""A frame, and x and y mm in it."""
ANCHORS: dict[str, tuple[Anchor, ...]] = {
    "shoulder": (("trunk", -112, -42), ("trunk", 30, -30), ("arm", 0, 105)),
    "humerus": (("trunk", -30, -38), ("arm", 0, 325), ("arm", 30, 20)),
    "elbow": (("arm", 0, 205), ("forearm", 5, 85)),
    "forearm": (("arm", 0, 262), ("hand", 0, 30)),
    "wrist": (("forearm", 10, 196), ("hand", 0, 74)),
    "hand": (
        ("forearm", 10, 228),
        ("index distal", 0, 26),
        ("middle distal", 0, 27),
        ("little distal", -4, 24),
        ("thumb distal", 8, 24),
    ),
}
"""What has to be on the film."""
MARGINS_MM = {"shoulder": 6, "humerus": 38, "elbow": 38, "forearm": 34, "wrist": 34, "hand": 12, "finger": 14}
"""Beside the anchors; above and below them two fifths of it."""
VIEW_DEG = {"frontal": (0, 5), "oblique": (45, 7), "lateral": (90, 6)}
"""Mean and standard deviation."""
SHOULDER_VIEW_DEG = {"frontal": (0, 6), "oblique": (35, 6), "lateral": (62, 6)}  # the last is the scapular Y
THUMB_VIEW_DEG = {"frontal": (42, 5), "oblique": (8, 6), "lateral": (-30, 6)}  # it is turned against the fingers
WIDTHS = (0.55, 1.0)
"""Of a film, in heights."""
ONE_DIGIT_SHARE = 0.4
"""How many oblique films of a finger show it alone."""


def hold(region: str, view: str, digit: str, rng: np.random.Generator) -> Stance:
    """How the limb is held for a view of a region; `digit` is that of a film of a finger."""
    mean, deviation = _view_deg(region, digit)[view]
    side = view == "lateral"
    spread = {"arm": rng.uniform(5, 22), "hand": rng.normal(0, 5)}
    flexion = {"forearm": _elbow(region, view, rng), "hand": rng.normal(2, 7)}
    for name in DIGITS:
        spread[f"{name} metacarpal"] = rng.normal(0, 1.5)
        spread[f"{name} proximal"] = rng.normal(0, 3)
        curl = rng.uniform(2, 14)
        if side and region == "hand" and name != "thumb":  # fanned out, so that they do not hide each other
            curl = 6 + 15 * (4 - DIGITS.index(name)) + rng.normal(0, 3)
        for segment, share in zip(SEGMENTS[name][1:], (1.0, 0.8, 0.4), strict=False):
            flexion[f"{name} {segment}"] = curl * share
    if region == "finger" and digit != "thumb":
        flexion |= {f"{digit} {segment}": rng.uniform(0, 9) for segment in SEGMENTS[digit][1:]}
    return Stance(rng.normal(mean, deviation), spread, flexion)


def shown_frames(region: str, view: str, digit: str, rng: np.random.Generator) -> frozenset[str]:
    """The frames whose parts are on the film.

    The trunk is where it cannot be held away; on a film of a finger from the side, the other fingers are.
    """
    everything = frozenset(part.frame for part in (*BONES.values(), *FLESH))
    if region != "shoulder" and (region, view) != ("humerus", "frontal"):
        everything -= {"trunk"}
    alone = view == "lateral" or (view == "oblique" and rng.random() < ONE_DIGIT_SHARE)
    if region != "finger" or not alone:
        return everything
    others = {f"{name} {segment}" for name in DIGITS if name != digit for segment in SEGMENTS[name][1:]}
    return everything - others


def _view_deg(region: str, digit: str) -> Mapping[str, tuple[float, float]]:
    if region == "shoulder":
        return SHOULDER_VIEW_DEG
    return THUMB_VIEW_DEG if (region, digit) == ("finger", "thumb") else VIEW_DEG


def lay_film(
    region: str, digit: str, places: Mapping[str, Place], size: int, side: str, breadth: float, rng: np.random.Generator
) -> Film:
    """The film under a limb that is held: `size` pixels high, everything that belongs on it on it.

    `breadth` is how much broader the patient's limb is than the drawn one, for its length.
    """
    points = np.concatenate([places[frame].seen([(x, y, 0)]) for frame, x, y in _anchors(region, digit)])
    turn = rotation(np.deg2rad(rng.normal(0, 5))) @ np.diag([breadth, 1.0])
    points = points @ turn.T
    margin = MARGINS_MM[region] * rng.uniform(0.9, 1.3, 2) * (1, 0.4)
    low, high = points.min(0) - margin, points.max(0) + margin
    wide, tall = (high - low) * rng.uniform(1.0, 1.08)
    share = float(np.clip(wide / tall, *WIDTHS))
    pixels_per_mm = size / max(tall, wide / share)
    width = round(size * share)
    middle = (low + high) / 2 + rng.uniform(-0.02, 0.02, 2) * (wide, tall)
    flip = np.diag([-1.0 if side == "left" else 1.0, 1.0])
    matrix = pixels_per_mm * flip @ turn
    return Film(size, width, matrix, np.array([width / 2, size / 2]) - pixels_per_mm * flip @ middle)


def _elbow(region: str, view: str, rng: np.random.Generator) -> float:
    """The bend of the elbow, degrees: a right angle from the side, as it should be, where the elbow matters."""
    if region == "elbow" and view != "frontal":
        return float(rng.normal(88, 7) if view == "lateral" else rng.uniform(5, 30))
    return float(rng.uniform(0, 12))


def _anchors(region: str, digit: str) -> tuple[Anchor, ...]:
    if region != "finger":
        return ANCHORS[region]
    hand, tip = BONES[f"{digit} metacarpal"], BONES[f"{digit} distal"]
    assert isinstance(hand, Solid)
    assert isinstance(tip, Solid)
    return (hand.frame, 0, 0.72 * hand.length_mm), (tip.frame, 0, tip.length_mm + 6)


def draw_digit(rng: np.random.Generator) -> str:
    """The digit that a study of fingers is of."""
    return str(rng.choice(DIGITS, p=[0.24, 0.22, 0.2, 0.16, 0.18]))
