"""Repeated, stratified, grouped folds: the same ones for every recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.split import PARTS
from osteo_edge.train.audit import Audit
from osteo_edge.train.grouped_folds import grouped_folds

Indices = npt.NDArray[np.intp]

TRAIN, VALIDATION, TEST = range(len(PARTS))
VALIDATION_SHARE = 0.25


@dataclass(frozen=True)
class FoldImage:
    """One usable image; images of one `group`, copies and visits of a patient, share a part of every fold."""

    name: str
    label: str
    group: str
    sha256: str


@dataclass(frozen=True, eq=False)
class Folds:
    """Which part each image has in each fold: `parts` are (repeats, folds, images), numbers in `split.PARTS`.

    The images are in the order of their content, so that the same files give the same folds wherever they lie.
    """

    images: tuple[FoldImage, ...]
    parts: npt.NDArray[np.int8]
    seed: int

    @property
    def repeats(self) -> int:
        return int(self.parts.shape[0])

    @property
    def count(self) -> int:
        """How many folds a repeat has."""
        return int(self.parts.shape[1])

    @cached_property
    def tested_in(self) -> Indices:
        """The fold in which each image is tested, (repeats, images)."""
        return np.asarray((self.parts == TEST).argmax(axis=1), np.intp)

    def numbers(self, repeat: int, fold: int, part: int) -> Indices:
        """The numbers of the images of one part, ascending."""
        return np.flatnonzero(self.parts[repeat, fold] == part)


def make_folds(
    audit: Audit, dataset: Dataset, labels: Sequence[str], *, folds: int = 5, repeats: int = 1, seed: int = 0
) -> Folds:
    """Divide the usable images of `labels` into `folds` folds, `repeats` times, a quarter of the rest for validation.

    Exact copies, conflicts, blank and unreadable files stay out. The test parts are scikit-learn's shuffled
    `StratifiedGroupKFold`. Raises `DatasetError` where a label is too rare to be in every train and validation part.
    """
    images = _usable(audit, labels)
    classes, groups = _numbered([image.label for image in images], labels), group_numbers(images)
    _check_enough(dataset, labels, classes, groups, folds)
    parts = np.stack([_repeat(classes, groups, folds, seed + repeat) for repeat in range(repeats)])
    for number, label in enumerate(labels):
        for part in (TRAIN, VALIDATION):
            if not (parts[:, :, classes == number] == part).any(axis=2).all():
                raise DatasetError(
                    f"{dataset.root}: {label} is missing from the {PARTS[part]} part of a fold, because its patients "
                    "or copies are joined; use fewer --folds or add images of other patients"
                )
    return Folds(images, parts, seed)


def group_numbers(images: Sequence[FoldImage]) -> Indices:
    """Groups numbered as they come, so that what they are called does not matter."""
    names = [image.group for image in images]
    return _numbered(names, list(dict.fromkeys(names)))


def _usable(audit: Audit, labels: Sequence[str]) -> tuple[FoldImage, ...]:
    """In the order of content; groups keep the audit's names."""
    excluded = audit.exclusions
    images = [
        FoldImage(image.name, image.label, audit.groups[image.name], image.sha256)
        for image in audit.images
        if image.name not in excluded and image.label in labels
    ]
    return tuple(sorted(images, key=lambda image: (image.sha256, image.name)))


def _numbered(values: Sequence[str], order: Sequence[str]) -> Indices:
    places = {value: number for number, value in enumerate(order)}
    return np.array([places[value] for value in values], np.intp)


def _check_enough(dataset: Dataset, labels: Sequence[str], classes: Indices, groups: Indices, folds: int) -> None:
    for number, label in enumerate(labels):
        independent = np.unique(groups[classes == number]).size
        if independent < max(folds, 3):
            raise DatasetError(
                f"{dataset.root}: {label} has {independent} independent usable images and {folds} folds need at least "
                f"{max(folds, 3)}; add images, use fewer --folds or leave the label out with --labels"
            )


def _repeat(classes: Indices, groups: Indices, folds: int, seed: int) -> npt.NDArray[np.int8]:
    """The parts of one repeat, (folds, images)."""
    rng = np.random.default_rng(seed)
    parts = np.full((folds, classes.size), TRAIN, np.int8)
    tested_in = grouped_folds(classes, groups, folds, seed)
    for fold, own in enumerate(parts):
        rest = np.flatnonzero(tested_in != fold)
        own[tested_in == fold] = TEST
        own[rest[_validation(classes[rest], groups[rest], rng)]] = VALIDATION
    return parts


def _validation(classes: Indices, groups: Indices, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which images to validate on: about a quarter of the groups of every label, at least one, whole groups only.

    A group counts as one of its rarest label, so that a rare label is not left to chance.
    """
    by_rarity = np.argsort(np.argsort(np.bincount(classes, minlength=int(classes.max()) + 1), kind="stable"))
    names, group_of = np.unique(groups, return_inverse=True)
    rarest = np.full(names.size, by_rarity.size)
    np.minimum.at(rarest, group_of, by_rarity[classes])
    chosen = np.zeros(names.size, bool)
    for rank in np.unique(rarest):
        members = rng.permutation(np.flatnonzero(rarest == rank))
        chosen[members[: max(1, round(members.size * VALIDATION_SHARE))]] = True
    return chosen[group_of]
