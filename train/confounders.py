"""What tells the label without looking at the bone: image size, file format, brightness, age, sex, weight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Case
from osteo_edge.extras import load_extra
from osteo_edge.metrics import Estimate, estimate
from osteo_edge.ost import ost_index
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.grouped_folds import grouped_divisions

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Texts = npt.NDArray[np.str_]
Folds = list[tuple[Indices, Indices]]

FOLDS = 5
REPLICATES = 500
FLAGGED_LOW = 0.55
"""An AUROC whose 95 % interval lies above this is more than chance."""
FLAGGED_VALUE = 0.65
"""An AUROC of this much is worth a look however wide its interval is."""
ACQUISITION = ("image size", "file", "brightness")


@dataclass(frozen=True)
class Confounder:
    """How well one thing beside the bone tells the labels apart.

    `auroc` is the mean over the labels of the one-against-the-rest AUROC, cross-validated by group, and
    `by_label` its parts; None and empty where `note` says why it was not measured.
    """

    name: str
    auroc: Estimate | None
    by_label: dict[str, float]
    flagged: bool
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        return vars(self) | {"auroc": self.auroc.to_dict() if self.auroc else None}


@dataclass(frozen=True, eq=False)
class _Known:
    """The images that a suspect is known of: the labels among them, each image's label and group by number, the folds.

    `note` says why there is nothing to measure, where there is not.
    """

    names: list[str]
    truth: Indices
    groups: Indices
    folds: Folds
    note: str


def measure_confounders(
    images: Sequence[Fingerprint], cases: Mapping[str, Case], groups: Mapping[str, str]
) -> tuple[Confounder, ...]:
    """Measure every suspect on `images`, which should hold no copies; `cases` and `groups` are by image name.

    Age, sex, weight and OST are left out where no image has them. Every image counts, however many there are: time
    grows in proportion, since the folds are made once for suspects that are known of the same images, and no draw of
    the bootstrap sorts anything. Deterministic. Raises `MissingExtraError` where scikit-learn is not installed.
    """
    if not images:
        return ()
    labels = np.array([image.label for image in images], dtype=np.str_)
    _, grouped = np.unique([groups[image.name] for image in images], return_inverse=True)
    suspects = _acquisition(images) | _covariates([cases[image.name] for image in images])
    shared: dict[bytes, _Known] = {}
    found = []
    for name, columns in suspects.items():
        known = np.logical_not(np.isnan(columns).any(axis=1))
        if known.tobytes() not in shared:
            shared[known.tobytes()] = _select(known, labels, grouped)
        found.append(_measure(name, columns[known], shared[known.tobytes()]))
    return tuple(found)


def _acquisition(images: Sequence[Fingerprint]) -> dict[str, Floats]:
    """Columns by suspect, for what the making of the file decides; sizes as logarithms, where ratios are distances."""
    formats = sorted({(image.format, image.bits) for image in images})
    sizes = [(image.width, image.height, image.width / image.height, image.width * image.height) for image in images]
    files = [
        [np.log(image.file_bytes), *((image.format, image.bits) == known for known in formats)] for image in images
    ]
    brightness = [(image.mean, image.deviation) for image in images]
    columns = (np.log(np.array(sizes, float)), np.array(files, float), np.array(brightness, float))
    return dict(zip(ACQUISITION, columns, strict=True))


def _covariates(cases: Sequence[Case]) -> dict[str, Floats]:
    """One column by suspect, NaN where not known; a suspect that is known nowhere is left out."""
    age = np.array([case.age for case in cases], float)
    weight = np.array([case.weight for case in cases], float)
    sex = np.array([np.nan if case.sex is None else float(case.sex == "female") for case in cases], float)
    columns = {"age": age, "sex": sex, "weight": weight, "OST": ost_index(weight, age)}
    return {name: column[:, None] for name, column in columns.items() if not np.isnan(column).all()}


def _select(known: Bools, labels: Texts, groups: Indices) -> _Known:
    names, truth = np.unique(labels[known], return_inverse=True)
    groups = groups[known]
    independent = [np.unique(groups[truth == number]).size for number in range(len(names))]
    folds: Folds = []
    note = "needs two labels with two independent images each"
    if len(names) > 1 and min(independent) > 1:
        folds = grouped_divisions(truth, groups, min(FOLDS, *independent), seed=0)
        whole = all(np.unique(truth[seen]).size == len(names) for seen, _ in folds)
        note = "" if whole else "too few independent images to hold some out"
    return _Known(names.tolist(), truth, groups, folds, note)


def _measure(name: str, columns: Floats, known: _Known) -> Confounder:
    if known.note:
        return Confounder(name, None, {}, False, known.note)
    if (columns == columns[0]).all():
        return Confounder(name, None, {}, False, "the same in every image")
    scores = _scores(columns, known.truth, known.folds, linear=name not in ACQUISITION)
    aurocs = [auroc_of_draws(known.truth == number, scores[:, number]) for number in range(len(known.names))]
    count = known.truth.size
    value = estimate(
        lambda drawn: float(np.mean([of(drawn) for of in aurocs])), count, groups=known.groups, replicates=REPLICATES
    )
    by_label = {label: of(np.arange(count)) for label, of in zip(known.names, aurocs, strict=True)}
    flagged = value.low > FLAGGED_LOW or value.value >= FLAGGED_VALUE
    return Confounder(name, value, by_label, flagged)


def auroc_of_draws(positive: Bools, score: Floats) -> Callable[[Indices], float]:
    """`metrics.auroc` of drawn cases, for many draws: the scores are sorted once, and each draw is only counted.

    >>> auroc_of_draws(np.array([True, False, True]), np.array([0.9, 0.1, 0.4]))(np.array([0, 1, 1]))
    1.0
    """
    values, place = np.unique(score, return_inverse=True)
    bins = place + values.size * positive

    def of(drawn: Indices) -> float:
        negatives, positives = np.bincount(bins[drawn], minlength=2 * values.size).reshape(2, -1).astype(np.float64)
        pairs = negatives.sum() * positives.sum()
        lower = np.cumsum(negatives) - negatives / 2
        return float((lower * positives).sum() / pairs) if pairs else float("nan")

    return of


def _scores(columns: Floats, truth: Indices, folds: Folds, *, linear: bool) -> Floats:
    """A score for each image and label from a model that has seen neither the image nor another one of its group."""
    scores = np.zeros((len(truth), int(truth.max()) + 1))
    for seen, held_out in folds:
        scores[held_out] = _model(linear=linear).fit(columns[seen], truth[seen]).predict_proba(columns[held_out])
    return scores


def _model(*, linear: bool) -> Any:
    """A logistic regression, for what differs by degree; and a shallow tree with it, for what differs by kind.

    Classes that come in certain sizes (224, 512, 1024 pixels) are no matter of degree. The labels are weighted alike,
    so that a fold's mix of labels does not move the scores.
    """
    names = ("ensemble", "linear_model", "pipeline", "preprocessing", "tree")
    ensemble, linear_model, pipeline, preprocessing, trees = load_extra(
        [f"sklearn.{name}" for name in names], feature="the audit", package="scikit-learn", extra="train"
    )
    regression = linear_model.LogisticRegression(class_weight="balanced", max_iter=1000)
    logistic = pipeline.make_pipeline(preprocessing.StandardScaler(), regression)
    if linear:
        return logistic
    tree = trees.DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, class_weight="balanced", random_state=0)
    return ensemble.VotingClassifier([("logistic", logistic), ("tree", tree)], voting="soft")
