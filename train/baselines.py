"""What the label can be told by without looking at the bone: the frequency, the film, the file, the patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Case
from osteo_edge.ost import ost_index
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, Folds
from osteo_edge.train.logistic import Columns, Floats, Indices, fit_coefficients, standardize
from osteo_edge.train.recipe import Answers

MAJORITY = "majority class"
BRIGHTNESS = "mean brightness"
FILE = "image size and format"
AGE = "age"
OST = "OST"
SHORTCUTS = (BRIGHTNESS, FILE)
"""What a model must not need: an AUROC well above 0.5 here is a reason not to believe the models'."""
COVARIATES = ("age", "sex", "weight")


@dataclass(frozen=True, eq=False)
class Baseline:
    """A logistic regression on `values`, (cases, columns), NaN where not known; no column for the frequencies alone."""

    name: str
    title: str
    values: Floats


def image_baselines(images: Sequence[Fingerprint]) -> tuple[Baseline, ...]:
    """The baselines that every data set has; `images` in the order of the folds."""
    brightness = np.array([[image.mean] for image in images])
    return (
        Baseline(MAJORITY, "the frequencies of the labels", np.zeros((len(images), 0))),
        Baseline(BRIGHTNESS, "logistic regression on the mean of the pixels", brightness),
        Baseline(FILE, "logistic regression on width, height, aspect, bytes and format", _file_columns(images)),
    )


def patient_baselines(cases: Sequence[Case]) -> tuple[Baseline, ...]:
    """Age, OST, and all that is known together, as far as the data set knows them; the last is for fusing too."""
    known = _covariates(cases)
    alone = [Baseline(AGE, "logistic regression on age", known["age"])] if "age" in known else []
    if {"age", "weight"} <= known.keys():
        index = ost_index(known["weight"], known["age"])
        alone.append(Baseline(OST, "the OST index, 0.2 x (weight - age) (Koh et al. 2001)", index))
    if not known.keys() - {"age"}:
        return tuple(alone)
    names = listed(tuple(known))
    return (*alone, Baseline(names, f"logistic regression on {names}", np.hstack(list(known.values()))))


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> listed(["age", "sex", "weight"])
    'age, sex and weight'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


class Fitter:
    """Fits a baseline for every fold, and never twice on the same images: without folds 2 and 3 serves both of them.

    `classes` are the class number of each case, below `size`.
    """

    def __init__(self, baseline: Baseline, classes: Indices, size: int, folds: Folds) -> None:
        self._values = baseline.values
        self._classes, self._size, self._folds = classes, size, folds
        self._known: dict[bytes, tuple[Columns, Floats]] = {}

    def answer(self, repeat: int, fold: int) -> Answers:
        """Answer for one fold, as a recipe would; median, mean and scale are those of the rows fitted on.

        The test images are answered by a fit on train and validation together. `held_out`, and so validation, are
        answered by fits without the image's own fold of the repeat, whose groups it shares with no other.
        """
        train, validation, test = (self._folds.numbers(repeat, fold, part) for part in (TRAIN, VALIDATION, TEST))
        rest = np.concatenate([train, validation])
        held_out = np.zeros((rest.size, self._size))
        inner = inner_folds(self._folds, repeat, fold, rest)
        for number in np.unique(inner):
            out = inner == number
            held_out[out] = self._logits(rest[~out], rest[out])
        return Answers(held_out[train.size :], self._logits(rest, test), held_out)

    def _logits(self, fitted: Indices, answered: Indices) -> Floats:
        fitted = np.sort(fitted)
        key = fitted.tobytes()
        if key not in self._known:
            columns = standardize(self._values[fitted])
            design = columns.apply(self._values[fitted])
            self._known[key] = columns, fit_coefficients(design, self._classes[fitted], self._size)
        columns, coefficients = self._known[key]
        return columns.apply(self._values[answered]) @ coefficients


def inner_folds(folds: Folds, repeat: int, fold: int, rest: Indices) -> Indices:
    """A number for each of the images that are not tested, so that groups lie in one: the folds that do test them.

    With two folds these are all one, and the fold's own train and validation part serve.
    """
    chosen = folds.tested_in[repeat] if folds.count > 2 else folds.parts[repeat, fold]
    return np.asarray(chosen[rest], np.intp)


def _file_columns(images: Sequence[Fingerprint]) -> Floats:
    """Sizes as logarithms, where ratios are distances, and a column for each format."""
    formats = sorted({(image.format, image.bits) for image in images})
    rows = [
        [
            *np.log([image.width, image.height, image.width / image.height, image.file_bytes]),
            *((image.format, image.bits) == known for known in formats),
        ]
        for image in images
    ]
    return np.array(rows, np.float64)


def _covariates(cases: Sequence[Case]) -> Mapping[str, Floats]:
    """One column by name, (cases, 1); those that are known of nobody are left out."""
    columns: dict[str, list[float | None]] = {
        "age": [case.age for case in cases],
        "sex": [None if case.sex is None else float(case.sex == "female") for case in cases],
        "weight": [case.weight for case in cases],
    }
    found: dict[str, npt.NDArray[np.float64]] = {name: np.array(columns[name], np.float64) for name in COVARIATES}
    return {name: column[:, None] for name, column in found.items() if not np.isnan(column).all()}
