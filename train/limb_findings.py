"""What makes a drawn limb abnormal: bones broken through, and metal that holds them together."""

from dataclasses import dataclass

import numpy as np

from osteo_edge.train.limb_anatomy import DIGITS, SEGMENTS
from osteo_edge.train.limb_fractures import Fracture, draw_fracture
from osteo_edge.train.limb_hardware import Rod, Strip, draw_hardware
from osteo_edge.train.limb_shape import length

FINDINGS = ("none", "fracture", "hardware")
BOTH_BONES_SHARE = 0.4
FIXED_FRACTURE_SHARE = 0.6
"""How many of the repaired limbs still show the fracture."""

Site = tuple[str, float, float]
"""A bone, and the stretch along it in which it breaks: y mm of its frame, or x for the clavicle."""
SITES: dict[str, tuple[Site, ...]] = {
    "elbow": (("humerus", 238, 272), ("radius", 10, 22), ("ulna", -12, 2)),
    "forearm": (("radius", 70, 205), ("ulna", 70, 205)),
    "humerus": (("humerus", 60, 225),),
    "shoulder": (("humerus", 22, 50), ("clavicle", -105, -35)),
    "wrist": (("radius", 222, 240), ("radius", 225, 243), ("scaphoid", 6, 13), ("ulna", 226, 240)),
}


@dataclass(frozen=True)
class Injury:
    """Everything that a study shows; nothing at all in a normal one."""

    finding: str
    fractures: tuple[Fracture, ...] = ()
    metal: tuple[Rod | Strip, ...] = ()


def draw_injury(finding: str, region: str, digit: str, rng: np.random.Generator) -> Injury:
    """Make up an injury of the region; `digit` is that of a film of a finger."""
    if finding == "none":
        return Injury(finding)
    sites = _sites(region, digit)
    site = sites[int(rng.integers(len(sites)))]
    chosen = [site]
    if region == "forearm" and rng.random() < BOTH_BONES_SHARE:
        chosen = list(sites)
    levels = [(bone, float(rng.uniform(low, high))) for bone, low, high in chosen]
    fixed = finding == "hardware"
    fractures = tuple(draw_fracture(bone, level, rng, fixed=fixed) for bone, level in levels)
    if not fixed:
        return Injury(finding, fractures)
    kept = fractures if rng.random() < FIXED_FRACTURE_SHARE else ()
    return Injury(finding, kept, tuple(piece for bone, level in levels for piece in draw_hardware(bone, level, rng)))


def _sites(region: str, digit: str) -> tuple[Site, ...]:
    if region in SITES:
        return SITES[region]
    digits, wanted = (DIGITS, ("metacarpal", "proximal")) if region == "hand" else ((digit,), SEGMENTS[digit][1:])
    bones = [f"{each} {segment}" for each in digits for segment in SEGMENTS[each] if segment in wanted]
    return tuple((bone, 0.14 * length(bone), 0.86 * length(bone)) for bone in bones)
