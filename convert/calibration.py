"""The images that a conversion is calibrated on: training images, always."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case, read_dataset
from osteo_edge.errors import DatasetError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.preprocessing import Pixels, to_plane
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.samples import CALIBRATION, read_samples
from osteo_edge.split import Split, read_split, select

MIN_CALIBRATION = 16
"""Below that the ranges are those of a few films; a few dozen are usual (Nagel et al. 2021, arXiv 2106.08295)."""
USUAL_IMAGES = 256


@dataclass(frozen=True, eq=False)
class Calibration:
    """Prepared training images, (n, height, width) in [0, 1], and where they come from, in words."""

    planes: Pixels
    source: str


def carried(bundle: Bundle) -> Calibration:
    """The training images that a Keras bundle carries; `BundleError` if it holds none."""
    return Calibration(read_samples(bundle, CALIBRATION), "training images that the bundle carries")


def read_calibration(
    bundle: Bundle,
    data: Path,
    split_file: Path,
    number: int = USUAL_IMAGES,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """At most `number` training images of a data set, evenly over its labels.

    Images that cannot be read are left out, as in training. `DatasetError` for another split than the bundle was
    trained with, and for an image that is not the one that the split means.
    """
    if sha256_file(split_file) != bundle.manifest.data.split_sha256:
        raise DatasetError(
            f"{split_file}: not the split that {bundle.path} was trained with, so its training images may be among "
            f"those it is measured on; use {bundle.path / 'split.csv'}"
        )
    split = read_split(split_file)
    dataset = read_dataset(data, labels=bundle.manifest.labels)
    cases = spread_cases(select(dataset, split, "train"), number)
    spec = bundle.manifest.input
    planes = np.empty((len(cases), spec.height, spec.width), np.float32)
    found = 0
    for done, case in enumerate(cases, start=1):
        radiograph = _read(case, split)
        if radiograph is not None:
            planes[found] = to_plane(radiograph.pixels, spec)
            found += 1
        on_progress(done, len(cases))
    return Calibration(planes[:found], f"training images of {dataset.name}")


def spread_cases(cases: tuple[Case, ...], number: int) -> tuple[Case, ...]:
    """At most `number` cases, evenly over all when sorted by label."""
    ordered = sorted(cases, key=lambda case: case.label)
    places = np.unique(np.linspace(0, len(ordered) - 1, min(number, len(ordered))).round().astype(int))
    return tuple(ordered[place] for place in places)


def require_enough(calibration: Calibration, precision: str) -> None:
    """Raise `OsteoEdgeError` for fewer than `MIN_CALIBRATION` images."""
    found = len(calibration.planes)
    if found < MIN_CALIBRATION:
        raise OsteoEdgeError(
            f"{found} {calibration.source} are too few to calibrate {precision} on ({MIN_CALIBRATION} at least); "
            "give more with --calibration DATA --split SPLIT, or take --precision dynamic or float16"
        )


def _read(case: Case, split: Split) -> Radiograph | None:
    try:
        radiograph = read_radiograph(case.path)
    except RadiographError:
        return None
    known = {row.name: row.sha256 for row in split.rows}
    if radiograph.sha256 != known[case.name]:
        raise DatasetError(f"{case.path}: not the training image that the split file means (its SHA-256 differs)")
    return radiograph
