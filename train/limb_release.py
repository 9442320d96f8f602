"""Drawn films of seven bones as a release of MURA: its folders, its CSV files, and a table of what is drawn."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from osteo_edge.errors import DatasetError
from osteo_edge.new_folder import new_folder, require_new
from osteo_edge.train.limb_phantoms import SIZES, draw_limb
from osteo_edge.train.limb_sheet import contact_sheet
from osteo_edge.train.limb_views import VIEWS
from osteo_edge.train.mura import PHANTOM_SOURCE, PHANTOM_TABLE
from osteo_edge.train.mura_folder import BONES, LABELS, PUBLISHED_PARTS, RELEASE, MuraStudy, bone_folder
from osteo_edge.train.mura_lists import IMAGE_LIST, STUDY_LIST
from osteo_edge.train.phantom_film import Pixels

COLUMNS = ("path", "label", "bone", "patient", "study", "published_part", "view", "finding", "label_source")
SHEET = "contact_sheet.png"
MOST_PER_CLASS = 7000
STUDIES_PER_SEED = 1_000_000
PATIENTS_PER_SEED = 100_000
TEST_SHARE = 0.2
HARDWARE_SHARE = 0.4
"""Of the abnormal studies; the others show a fracture."""
FILMS = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.1}
"""Films of a study, and how often."""
STUDIES = {1: 0.7, 2: 0.25, 3: 0.05}
"""Studies of a patient, and how often."""

Take = tuple[str, int]
"""A view, and which one of that view."""


@dataclass(frozen=True)
class DrawnStudy:
    """What to draw: a study of a made-up patient, known by `seed`, and its films."""

    part: str
    bone: str
    finding: str
    seed: int
    takes: tuple[Take, ...]
    patient: int = 0
    number: int = 0

    @property
    def mura(self) -> MuraStudy:
        """The study as it stands in the release."""
        patient, label = f"patient{self.patient:05d}", LABELS["negative" if self.finding == "none" else "positive"]
        mark = next(mark for mark, name in LABELS.items() if name == label)
        folder = f"{self.part}/{bone_folder(self.bone)}/{patient}/study{self.number}_{mark}"
        images = tuple(f"{folder}/image{number}.png" for number in range(1, len(self.takes) + 1))
        return MuraStudy(self.part, self.bone, patient, self.number, label, folder, images, hidden=0)


def plan_studies(per_class: int, seed: int) -> tuple[DrawnStudy, ...]:
    """`per_class` studies of each bone and label, a fifth of each in valid/, at least one, with their patients.

    A patient has one to three studies, of any bones and labels, all in one part. How many films and which views a study
    has, its patient's number and its place in the list are drawn without regard to the label.
    """
    rng = np.random.default_rng([seed, 7])
    tested = max(1, round(TEST_SHARE * per_class))
    wanted = [
        ("valid" if number < tested else "train", bone, label)
        for bone in BONES
        for label in LABELS.values()
        for number in range(per_class)
    ]
    seeds = seed * STUDIES_PER_SEED + rng.permutation(len(wanted))
    studies = [
        DrawnStudy(part, bone, _finding(label, rng), int(own), _takes(rng))
        for (part, bone, label), own in zip(wanted, seeds, strict=True)
    ]
    mixed = [studies[place] for place in rng.permutation(len(studies))]
    numbers = iter(seed * PATIENTS_PER_SEED + 1 + rng.permutation(len(mixed)))
    return tuple(
        study
        for part in PUBLISHED_PARTS
        for study in _with_patients([study for study in mixed if study.part == part], numbers, rng)
    )


def write_limbs(
    out: Path,
    *,
    per_class: int = 20,
    size: int = 320,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Draw the films of `plan_studies` into OUT as a release of MURA, and return OUT/phantoms.csv, which lists them.

    `contact_sheet.png` beside it shows what is drawn. Two seeds share no patient. `on_progress` is called with (films
    done, films in all). OUT appears only when it is complete. Raises DatasetError if OUT exists and is not an empty
    folder, if an argument is out of range, or if OUT cannot be written.
    """
    _check(out, per_class, size, seed)
    studies = plan_studies(per_class, seed)
    films = sum(len(study.takes) for study in studies)
    with new_folder(out, "the phantoms", error=DatasetError) as folder:
        done = 0
        for study in studies:
            for path, (view, take) in zip(study.mura.images, study.takes, strict=True):
                film = draw_limb(
                    study.bone, study.finding, view=view, size=size, seed=study.seed, patient=study.patient, take=take
                )
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                _write_png(folder / path, film.pixels)
                done += 1
                on_progress(done, films)
        _write_lists(folder, studies)
        _write_rows(folder / PHANTOM_TABLE, [COLUMNS, *_table(studies)])
        _write_png(folder / SHEET, contact_sheet(seed))
    return out / PHANTOM_TABLE


def _check(out: Path, per_class: int, size: int, seed: int) -> None:
    if not 2 <= per_class <= MOST_PER_CLASS:
        raise DatasetError(f"{out}: {per_class} studies of each bone and label; ask for 2 to {MOST_PER_CLASS}")
    if size not in SIZES:
        raise DatasetError(f"{out}: phantoms of {size} pixels; choose a size from {SIZES[0]} to {SIZES[-1]}")
    if seed < 0:
        raise DatasetError(f"{out}: seed {seed}; choose 0 or more")
    require_new(out, error=DatasetError)


def _finding(label: str, rng: np.random.Generator) -> str:
    mended = rng.random() < HARDWARE_SHARE
    return "none" if label == LABELS["negative"] else "hardware" if mended else "fracture"


def _takes(rng: np.random.Generator) -> tuple[Take, ...]:
    """The films of a study: different views first, then a second film of one of them."""
    views = [(str(view), 0) for view in rng.permutation(VIEWS)]
    again = (str(rng.choice(VIEWS)), 1)
    return tuple([*views, again][: int(rng.choice(list(FILMS), p=list(FILMS.values())))])


def _with_patients(
    studies: Sequence[DrawnStudy], numbers: Iterator[int], rng: np.random.Generator
) -> Iterator[DrawnStudy]:
    """Deal the studies of one part to patients, and number each patient's studies of a bone from 1."""
    waiting = list(studies)
    while waiting:
        patient, count = int(next(numbers)), int(rng.choice(list(STUDIES), p=list(STUDIES.values())))
        own, waiting = waiting[:count], waiting[count:]
        of_bone = Counter[str]()
        for study in own:
            of_bone[study.bone] += 1
            yield replace(study, patient=patient, number=of_bone[study.bone])


def _write_lists(folder: Path, studies: Sequence[DrawnStudy]) -> None:
    for part in PUBLISHED_PARTS:
        own = sorted((study.mura for study in studies if study.part == part), key=lambda study: study.folder)
        images = [(f"{RELEASE}/{image}",) for study in own for image in study.images]
        marks = [(f"{RELEASE}/{study.folder}/", int(study.label == LABELS["positive"])) for study in own]
        _write_rows(folder / IMAGE_LIST.format(part=part), images)
        _write_rows(folder / STUDY_LIST.format(part=part), marks)


def _table(studies: Sequence[DrawnStudy]) -> Iterator[tuple[object, ...]]:
    for study in sorted(studies, key=lambda study: study.mura.folder):
        mura = study.mura
        about = (mura.label, mura.bone, mura.patient, mura.name, PUBLISHED_PARTS[study.part])
        for image, (view, _) in zip(mura.images, study.takes, strict=True):
            yield (image, *about, view, study.finding, PHANTOM_SOURCE)


def _write_png(path: Path, pixels: Pixels) -> None:
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def _write_rows(path: Path, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
