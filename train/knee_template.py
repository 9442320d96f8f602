"""Draw the knee finder's template from phantoms: `python -m osteo_edge.train.knee_template OUT` writes it to OUT.

The package's own is osteo_edge/knee_template.npz, made by this command. No film of a patient goes into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np

from osteo_edge.filters import Pixels
from osteo_edge.knee_template import (
    ASYMMETRY_PX,
    COARSE_SIDE_PX,
    COARSE_WIDTH_PX,
    FINE_HEIGHT_PX,
    FINE_SPAN,
    FINE_SPAN_PX,
    FINE_WIDTH_PX,
    KneeTemplate,
    coarse_features,
    cut,
    fine_features,
    standing_out,
)
from osteo_edge.train.phantom_anatomy import FRONTAL, Anatomy
from osteo_edge.train.phantom_film import expose
from osteo_edge.train.phantom_projection import Density, Pose, attenuation

DRAWN_KNEES = 48
CONDYLES_MM = 92.0
"""What counts as the width of the drawn condyles, which are 86 mm from border to border: epicondyles and soft edges."""


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
    return DrawnKnee(np.asarray(film / np.float32(255)), *pose.joint, width_px, fibula_right=not pose.mirrored)


def make_template(knees: Sequence[DrawnKnee]) -> KneeTemplate:
    """The means over the knees; matching patches are made symmetric, the asymmetry is what that leaves out."""
    coarse = np.mean([_coarse(knee) for knee in knees], axis=0)
    fine = np.mean([_fine(knee) for knee in knees], axis=0)
    oriented = np.mean([_oriented(knee) for knee in knees], axis=0)
    return KneeTemplate(_symmetric(coarse), _symmetric(fine), np.asarray(oriented - oriented[:, ::-1], np.float32))


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
    side = knee.width_px * COARSE_SIDE_PX / COARSE_WIDTH_PX
    return coarse_features(cut(knee.pixels, knee.x_px, knee.y_px, side, COARSE_SIDE_PX))


def _fine(knee: DrawnKnee) -> Pixels:
    field = fine_features(cut(knee.pixels, knee.x_px, knee.y_px, FINE_SPAN * knee.width_px, FINE_SPAN_PX))
    top, left = (FINE_SPAN_PX - FINE_HEIGHT_PX) // 2, (FINE_SPAN_PX - FINE_WIDTH_PX) // 2
    return field[top : top + FINE_HEIGHT_PX, left : left + FINE_WIDTH_PX]


def _oriented(knee: DrawnKnee) -> Pixels:
    patch = standing_out(knee.pixels, knee.x_px, knee.y_px, knee.width_px)
    return patch if knee.fibula_right else patch[:, ::-1]


def _symmetric(patch: Pixels) -> Pixels:
    return np.asarray((patch + patch[:, ::-1]) / 2, np.float32)


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def main(out: Path) -> None:
    """Draw the template and write it to OUT, an .npz file."""
    click.echo(f"Written: {write_template(out)}")


if __name__ == "__main__":
    main()
