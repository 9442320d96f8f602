"""Drawn X-rays ("phantoms") of the seven regions of MURA, normal and abnormal, to try training where MURA is not.

What makes a film abnormal is a bone broken through, or metal that mends one; nothing else depends on the label. Held
position, size, exposure, noise, collimation and marker are drawn independently of it, and each film is windowed to a
mean brightness that is drawn independently too. A model trained on phantoms has learnt to read phantoms; its figures
say nothing about patients.
"""

from dataclasses import dataclass

import numpy as np

from osteo_edge.train.limb_anatomy import BONES, CHEST, FLESH
from osteo_edge.train.limb_findings import FINDINGS, Injury, draw_injury
from osteo_edge.train.limb_fractures import break_bone
from osteo_edge.train.limb_hardware import draw_metal
from osteo_edge.train.limb_projection import Film, Place, absorb_bone, absorb_soft, place_frames, throw
from osteo_edge.train.limb_views import VIEWS, draw_digit, hold, lay_film, shown_frames
from osteo_edge.train.mura_folder import BONES as REGIONS
from osteo_edge.train.phantom_film import Pixels, expose
from osteo_edge.train.phantom_projection import (
    SOFT_TISSUE,
    STRUT_SIGMA_MM,
    TRABECULAR_BONE,
    UNEVEN_BONE,
    UNEVEN_SOFT_TISSUE,
    Plane,
    struts,
    uneven,
)

SIZES = range(64, 2049)
FULL_BEAM = (38.0, 55.0)
"""What the densest part absorbs after the beam has been chosen for the region, in the units of `expose`."""
METAL = 14.0
"""What metal absorbs, in the same units."""
WHITE_PERCENTILES = (96.8, 99.8)
"""From where on a film is white: as much of it with metal as without, so that white alone is no sign of metal."""
THIN_MM = 2.0
FULLY_COVERED = 2.2
"""A film on which the limb covers less than 1 / this is darker by as much: the air around it stays black."""
LUNG = 0.75
"""The share of its depth by which the lung lightens the chest."""


@dataclass(frozen=True, eq=False)
class LimbFilm:
    """One drawn film: uint8 (height, width) pixels, bone bright; `finding` is one of `FINDINGS`."""

    pixels: Pixels
    bone: str
    view: str
    side: str
    finding: str

    @property
    def label(self) -> str:
        return "normal" if self.finding == "none" else "abnormal"


def draw_limb(
    bone: str,
    finding: str = "none",
    *,
    view: str = "frontal",
    size: int = 320,
    seed: int,
    patient: int = 0,
    take: int = 0,
) -> LimbFilm:
    """Draw one film of the study number `seed` of a made-up patient: the same arguments give the same pixels.

    `bone` is one of MURA's seven. Another `view` or `take` is another film of the same study, with the same injury seen
    from elsewhere. `size` is the height in pixels, 64 to 2048; the width is 0.55 to 1 of it. Raises ValueError for a
    bone, finding, view or size that there is none of.
    """
    if bone not in REGIONS or finding not in FINDINGS or view not in VIEWS or size not in SIZES:
        raise ValueError(f"no drawn film of {bone!r}, {finding!r}, {view!r} and size {size}")
    person = np.random.default_rng([patient, 1])
    side = str(person.choice(["left", "right"]))
    cortex, breadth = float(person.normal(1, 0.07)), float(person.uniform(0.92, 1.08))
    digit = draw_digit(np.random.default_rng([seed, 2]))
    injury = draw_injury(finding, bone, digit, np.random.default_rng([seed, 3]))
    rng = np.random.default_rng([seed, 4, VIEWS.index(view), take])
    places = place_frames(hold(bone, view, digit, rng))
    film = lay_film(bone, digit, places, size, side, breadth, rng)
    shown = shown_frames(bone, view, digit, rng)
    hard = _bones(injury, places, film, shown, cortex, rng)
    soft = _soft_tissue(places, film, shown, rng)
    return LimbFilm(_exposed(soft, hard, _metal(injury, places, film), side, rng), bone, view, side, finding)


def _exposed(soft: Plane, hard: Plane, metal: Plane, side: str, rng: np.random.Generator) -> Pixels:
    """The film of a limb, whose beam was chosen for how dense its region is."""
    gain = np.float32(rng.uniform(*FULL_BEAM) / float(np.percentile((hard + soft)[::4, ::4], 99.5)))
    covered = float(np.mean(soft[::4, ::4] > THIN_MM * SOFT_TISSUE))
    white = float(rng.uniform(*WHITE_PERCENTILES))
    dense = gain * hard + np.float32(METAL) * metal
    return expose(gain * soft, dense, side, rng, brightness=min(1.0, FULLY_COVERED * covered), white=white)


def _bones(
    injury: Injury, places: dict[str, Place], film: Film, shown: frozenset[str], cortex: float, rng: np.random.Generator
) -> Plane:
    trabeculae = _trabeculae(film, rng)
    plane = np.zeros((film.height, film.width), np.float32)
    fractures = {fracture.bone: fracture for fracture in injury.fractures}
    for name, part in BONES.items():
        shadow = throw(part, places[part.frame], film, rng)
        fracture = fractures.get(name)
        box = shadow.box(film, 2 if fracture is None else round(8 * film.pixels_per_mm))
        if box is None or part.frame not in shown:
            continue
        own = absorb_bone(shadow, film, box, cortex, trabeculae)
        plane[box] += own if fracture is None else break_bone(own, box, shadow, film, fracture)
    return np.asarray(plane * uneven(film.width, film.height, 0.4 * UNEVEN_BONE, rng), np.float32)


def _trabeculae(film: Film, rng: np.random.Generator) -> Plane:
    """What spongy bone absorbs for each mm of it."""
    across = max(STRUT_SIGMA_MM * film.pixels_per_mm, 0.6)
    field = struts(rng, film.height, (across, 5 * across), 0.45) + struts(rng, film.height, (2.5 * across, across), 0.3)
    grain = np.float32(0.55) + np.float32(0.45) * field[:, : film.width]
    return np.asarray(np.float32(TRABECULAR_BONE) * grain, np.float32)


def _soft_tissue(places: dict[str, Place], film: Film, shown: frozenset[str], rng: np.random.Generator) -> Plane:
    plane = np.zeros((film.height, film.width), np.float32)
    fat = rng.uniform(1.5, 6)
    for part in FLESH:
        shadow = throw(part, places[part.frame], film, rng)
        box = shadow.box(film)
        if box is not None and part.frame in shown:
            np.maximum(plane[box], absorb_soft(shadow, film, box, fat), out=plane[box])
    shadow = throw(CHEST, places[CHEST.frame], film, rng)
    box = shadow.box(film)
    if box is not None and CHEST.frame in shown:
        plane[box] -= np.float32(LUNG) * np.minimum(absorb_soft(shadow, film, box, fat), plane[box])
    waxing = uneven(film.width, film.height, UNEVEN_SOFT_TISSUE, rng)
    return np.asarray(np.float32(SOFT_TISSUE) * plane * waxing, np.float32)


def _metal(injury: Injury, places: dict[str, Place], film: Film) -> Plane:
    plane = np.zeros((film.height, film.width), np.float32)
    for piece in injury.metal:
        draw_metal(plane, piece, places[BONES[piece.bone].frame], film)
    return plane
