"""Drawn knee X-rays ("phantoms") of known bone density, to try a training run where no patient data is at hand.

In the pixels, the T-score moves the cortex and the trabecular bone and nothing else: pose, size, soft tissue, exposure
and noise are drawn independently of it, and each film is windowed to a mean brightness that is drawn independently too.
A model trained on phantoms has learnt to read phantoms; its figures say nothing about patients.
"""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from osteo_edge.errors import DatasetError
from osteo_edge.new_folder import new_folder, require_new
from osteo_edge.train.phantom_anatomy import FRONTAL, LATERAL
from osteo_edge.train.phantom_film import Pixels, expose
from osteo_edge.train.phantom_projection import Density, Pose, attenuation

LABELS = ("normal", "osteopenia", "osteoporosis")
VIEWS = ("frontal", "lateral")
SIZES = range(64, 2049)
COLUMNS = ("path", "label", "patient", "age", "sex", "weight", "t_score", "view", "label_source")
LABEL_SOURCE = "phantom"
"""Marks every bundle trained on these as a demonstration that must not be used on patients."""

# Each stays 0.1 clear of the WHO limits, so that rounding never moves a phantom to another class.
T_SCORES = {"normal": (-0.9, 1.5), "osteopenia": (-2.4, -1.1), "osteoporosis": (-4.5, -2.6)}

# DXA measures the hip or spine; the knee follows it loosely. This is the standard deviation, in T-score units,
# between the two here, and what keeps a perfect reader of phantoms below an AUROC of 1.
KNEE_T_SCORE_SD = 0.2

SECOND_VIEW_SHARE = 0.25
PATIENTS_PER_SEED = 1_000_000


@dataclass(frozen=True, eq=False)
class Phantom:
    """One drawn film: uint8 (height, width) pixels, bone bright, with the label and covariates of its made-up patient.

    `side` is "left" or "right", `age` in years, `sex` "female" or "male", `weight_kg` in kilograms.
    """

    pixels: Pixels
    label: str
    t_score: float
    view: str
    side: str
    patient: str
    age: int
    sex: str
    weight_kg: float


def label_of(t_score: float) -> str:
    """Name the class of a DXA T-score by the WHO limits: -1.0 is osteopenia, -2.5 osteoporosis (WHO TRS 843, 1994).

    >>> [label_of(t) for t in (-0.9, -1.0, -2.4, -2.5)]
    ['normal', 'osteopenia', 'osteopenia', 'osteoporosis']
    """
    if math.isnan(t_score):
        raise ValueError("a T-score that is not a number has no label")
    if t_score > -1.0:
        return "normal"
    return "osteoporosis" if t_score <= -2.5 else "osteopenia"


def draw_phantom(t_score: float, *, size: int = 512, seed: int, view: str = "frontal") -> Phantom:
    """Draw the knee of the made-up patient number `seed`: the same arguments give the same pixels.

    `size` is the height in pixels, 64 to 2048; the width varies between 0.82 and 1 of it. The same `seed` and
    `t_score` with another `view` is the same patient's other projection. Raises ValueError for a size or view that
    there is none of.
    """
    if size not in SIZES or view not in VIEWS:
        raise ValueError(f"no phantom of size {size} and view {view!r}")
    label = label_of(t_score)
    patient = np.random.default_rng([seed, 0])
    side = str(patient.choice(["left", "right"]))
    age, sex, weight_kg = _covariates(t_score, patient)
    density = _density(t_score + patient.normal(0, KNEE_T_SCORE_SD), patient)
    film = np.random.default_rng([seed, 1 + VIEWS.index(view)])
    pose = _pose(size, view, side, film)
    soft, bone = attenuation(FRONTAL if view == "frontal" else LATERAL, density, pose, film)
    pixels = expose(soft, bone, side, film)
    return Phantom(pixels, label, t_score, view, side, f"P{seed:07d}", age, sex, weight_kg)


def write_phantoms(
    out: Path,
    *,
    per_class: int = 100,
    size: int = 512,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw `per_class` films of each label into OUT/<label>/ and return OUT/phantoms.csv, which lists them.

    About a quarter of the patients have both views, so a split must keep patients together. Two seeds share no patient.
    `on_progress` is called with (films done, films in all). OUT appears only when it is complete; what a killed run
    leaves is a hidden folder beside it, ending in ".partial". Raises DatasetError if OUT exists and is not an empty
    folder, if an argument is out of range, or if OUT cannot be written.
    """
    _check(out, per_class, size, seed)
    with new_folder(out, "the phantoms", error=DatasetError) as folder:
        _write_films(folder, _plan(per_class, seed), size, on_progress)
    return out / "phantoms.csv"


def _check(out: Path, per_class: int, size: int, seed: int) -> None:
    if not 1 <= per_class <= PATIENTS_PER_SEED // len(LABELS):
        raise DatasetError(f"{out}: {per_class} phantoms a class; ask for 1 to {PATIENTS_PER_SEED // len(LABELS)}")
    if size not in SIZES:
        raise DatasetError(f"{out}: phantoms of {size} pixels; choose a size from {SIZES[0]} to {SIZES[-1]}")
    if seed < 0:
        raise DatasetError(f"{out}: seed {seed}; choose 0 or more")
    require_new(out, error=DatasetError)


def _plan(per_class: int, seed: int) -> list[tuple[float, int, str]]:
    """Return the (T-score, patient number, view) of every film, class by class; numbers are in no order of density."""
    rng = np.random.default_rng([seed, 1])
    numbers = iter(seed * PATIENTS_PER_SEED + rng.permutation(per_class * len(LABELS)))
    films: list[tuple[float, int, str]] = []
    for label in LABELS:
        of_class: list[tuple[float, int, str]] = []
        while len(of_class) < per_class:
            t_score, number = round(float(rng.uniform(*T_SCORES[label])), 2), int(next(numbers))
            views = VIEWS if rng.random() < SECOND_VIEW_SHARE else (str(rng.choice(VIEWS)),)
            of_class += [(t_score, number, view) for view in views]
        films += of_class[:per_class]
    return films


def _write_films(
    folder: Path,
    films: list[tuple[float, int, str]],
    size: int,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    for label in LABELS:
        (folder / label).mkdir()
    with (folder / "phantoms.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for done, (t_score, number, view) in enumerate(films, start=1):
            phantom = draw_phantom(t_score, size=size, seed=number, view=view)
            path = f"{phantom.label}/{phantom.patient}_{view}.png"
            (folder / path).write_bytes(cv2.imencode(".png", phantom.pixels)[1].tobytes())
            patient = (phantom.patient, phantom.age, phantom.sex, phantom.weight_kg)
            table.writerow((path, phantom.label, *patient, t_score, view, LABEL_SOURCE))
            if on_progress is not None:
                on_progress(done, len(films))


def _covariates(t_score: float, rng: np.random.Generator) -> tuple[int, str, float]:
    """Return an age in years, a sex and a weight in kg that follow the T-score loosely.

    Loosely as in screened women, so that a model can be compared with age and with the Osteoporosis Self-assessment
    Tool, 0.2 (weight - age) (Koh et al., 2001): on equal classes each reaches an AUROC of about 0.7.
    """
    age = round(float(np.clip(rng.normal(60 - 2.5 * t_score, 10), 40, 95)))
    sex = "female" if rng.random() < np.clip(0.65 - 0.03 * t_score, 0, 1) else "male"
    weight_kg = round(float(np.clip(rng.normal(72 + 2 * t_score + 8 * (sex == "male"), 12), 40, 140)), 1)
    return age, sex, weight_kg


def _density(t_score: float, rng: np.random.Generator) -> Density:
    """Return the bone of a T-score; `dense` is 0 at -4 and 1 at 1, and patients differ by a few per cent."""
    dense = float(np.clip((t_score + 4) / 5, -0.15, 1.15))
    return Density(
        cortex_mm=(1.4 + 5.6 * dense) * rng.normal(1, 0.04),
        plates=0.3 + 0.3 * dense,
        rods=-0.25 + 0.9 * dense,
        strut=(0.3 + 1.0 * dense) * rng.normal(1, 0.04),
        ground=0.2 + 0.45 * dense,
    )


def _pose(size: int, view: str, side: str, rng: np.random.Generator) -> Pose:
    width = round(size * rng.uniform(0.82, 1.0))
    flexion = rng.normal(0, 2) if view == "frontal" else rng.uniform(2, 30)
    mirrored = (side == "right") if view == "frontal" else rng.random() < 0.5
    return Pose(
        height=size,
        width=width,
        pixels_per_mm=size / rng.uniform(195, 235),
        joint=(width * rng.uniform(0.45, 0.55), size * rng.uniform(0.46, 0.56)),
        angle=rng.uniform(-7, 7),
        flexion=flexion,
        stretch=(rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.05)),
        mirrored=bool(mirrored),
    )
