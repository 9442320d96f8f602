"""Draw the knee finder's template from phantoms: `python -m osteo_edge.train.knee_template OUT` writes it to OUT.

The package's own is osteo_edge/knee_template.npz, made by this command. No film of a patient goes into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from osteo_edge.filters import Pixels
from osteo_edge.knee_template import (
    COARSE_WIDTH_PX,
    FINE_HEIGHT_PX,
    FINE_SPAN,
    FINE_SPAN_PX,
    FINE_WIDTH_PX,
    KneeTemplate,
    coarse_patch,
    cut,
    fine_features,
)
from osteo_edge.train.phantom_anatomy import FRONTAL, Anatomy
from osteo_edge.train.phantom_film import expose
from osteo_edge.train.phantom_projection import Density, Pose, attenuation

DRAWN_KNEES = 48
CONDYLES_MM = 92.0
"""What counts as the width of the drawn condyles, which are 86 mm from border to border.

Chosen so that the widths found on real films are those of condyles marked by hand.
"""
FIBULA_BELOW, FIBULA_ASIDE = (0.05, 0.9), (0.25, 0.65)
"""Where the fibula lies, below the joint line and to one side of its middle, in condyle widths."""


@dataclass(frozen=True, eq=False)
class DrawnKnee:
    """A drawn film, (height, width) in [0, 1], with the true place of its joint, in pixels; compare `Knee`."""

    pixels: Pixels
    x_px: float
    y_px: float
    width_px: float
    fibula_right: bool


def draw_knee(seed: int, *, height: int = 512, anatomy: Anatomy = FRONTAL) -> DrawnKnee:
    """Draw the knee number `seed`: density, pose and exposure vary as those of a phantom (`draw_phantom`) do."""
    rng = np.random.default_rng([seed, DRAWN_KNEES])
    pose = _pose(height, rng)
    soft, bone = attenuation(anatomy, _density(rng.uniform(0.2, 1.0)), pose, rng)
    film = expose(soft, bone, "right" if pose.mirrored else "left", rng)
    width_px = CONDYLES_MM * pose.pixels_per_mm * pose.stretch[0]
    x_px, y_px = (place + 0.5 for place in pose.joint)  # which is where the middle of a pixel is, counted from 0
    return DrawnKnee(np.asarray(film / np.float32(255)), x_px, y_px, width_px, fibula_right=not pose.mirrored)


def make_template(knees: Sequence[DrawnKnee]) -> KneeTemplate:
    """The means over the knees, all turned to have the fibula on the right.

    The patches for matching are made symmetric, so that a left and a right knee look alike.
    """
    coarse, fine = np.mean([_coarse(knee) for knee in knees], axis=0), np.mean([_fine(knee) for knee in knees], axis=0)
    asymmetry = np.where(_fibula_region(coarse.shape), coarse - coarse[:, ::-1], 0)
    return KneeTemplate(_symmetric(coarse), _symmetric(fine), np.asarray(asymmetry, np.float32))


def write_template(path: Path) -> Path:
    """Draw the knees and write the template; float16 holds it to a thousandth in half the space."""
    template = make_template([draw_knee(seed) for seed in range(DRAWN_KNEES)])
    np.savez_compressed(path, **{name: patch.astype(np.float16) for name, patch in vars(template).items()})
    return path


def _pose(height: int, rng: np.random.Generator) -> Pose:
    width = round(height * rng.uniform(0.82, 1.0))
    return Pose(
        height=height,
        width=width,
        pixels_per_mm=height / rng.uniform(195, 235),
        joint=(width * rng.uniform(0.45, 0.55), height * rng.uniform(0.46, 0.56)),
        angle=rng.uniform(-7, 7),
        flexion=rng.normal(0, 2),
        stretch=(rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.05)),
        mirrored=bool(rng.random() < 0.5),
    )


def _density(dense: float) -> Density:
    return Density(
        cortex_mm=1.4 + 5.6 * dense,
        plates=0.3 + 0.3 * dense,
        rods=-0.25 + 0.9 * dense,
        strut=0.3 + dense,
        ground=0.2 + 0.45 * dense,
    )


def _coarse(knee: DrawnKnee) -> Pixels:
    patch = coarse_patch(knee.pixels, knee.x_px, knee.y_px, knee.width_px)
    return patch if knee.fibula_right else patch[:, ::-1]


def _fine(knee: DrawnKnee) -> Pixels:
    field = fine_features(cut(knee.pixels, knee.x_px, knee.y_px, FINE_SPAN * knee.width_px, FINE_SPAN_PX))
    top, left = (FINE_SPAN_PX - FINE_HEIGHT_PX) // 2, (FINE_SPAN_PX - FINE_WIDTH_PX) // 2
    return field[top : top + FINE_HEIGHT_PX, left : left + FINE_WIDTH_PX]


def _fibula_region(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Where in the coarse patch the fibula can lie, on either side."""
    down, across = ((np.arange(side) + 0.5 - side / 2) / COARSE_WIDTH_PX for side in shape)
    below = (down > FIBULA_BELOW[0]) & (down < FIBULA_BELOW[1])
    aside = (np.abs(across) > FIBULA_ASIDE[0]) & (np.abs(across) < FIBULA_ASIDE[1])
    return np.asarray(below[:, np.newaxis] & aside)


def _symmetric(patch: Pixels) -> Pixels:
    return np.asarray((patch + patch[:, ::-1]) / 2, np.float32)


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def main(out: Path) -> None:
    """Draw the template and write it to OUT, an .npz file."""
    click.echo(f"Written: {write_template(out)}")


if __name__ == "__main__":
    main()
