"""A logistic regression on features, fitted fast enough for hundreds of folds, as the weights of a network's head."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.errors import DatasetError
from osteo_edge.metrics import auroc
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.features import frozen_features
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, set_head

Features = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.intp]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverses of the L2 penalty, as scikit-learn's C."""
STANDARDIZED_STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""The same for standardized features, whose mean square is 1 in all."""
INNER_FOLDS = 4
SMALLEST_DEVIATION = 1e-6
SMALLEST_SHARE = 1e-10
"""Of the greatest eigenvalue: what is less is rounding."""
SOLVER = {"maxiter": 1000, "gtol": 1e-6, "ftol": 1e-9}
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Logits are features @ kernel + bias; kernel is (features, labels), bias (labels,)."""

    kernel: Floats
    bias: Floats

    def logits(self, features: npt.NDArray[np.floating]) -> Floats:
        """(n, features) to (n, labels)."""
        return np.asarray(features @ self.kernel + self.bias, np.float64)


@dataclass(frozen=True, eq=False)
class Chosen:
    """A head on all images, the strength it was fitted with, and each image's logits by a head that did not see it."""

    head: LinearHead
    strength: float
    held_out: Floats


class Span:
    """The space that the training images span, where there are no more dimensions than images.

    An L2-penalized fit is the same there (it does not see a rotation, and what lies outside the span gets no weight),
    and with 1280 features and a hundred images it is ten times faster. With `standardize` each feature is first
    brought to mean 0 and deviation 1 over the training images, and all together to a mean square of 1.
    """

    def __init__(self, train: Features, *, standardize: bool = False) -> None:
        self.strengths = STANDARDIZED_STRENGTHS if standardize else STRENGTHS
        self._mean = train.mean(axis=0, dtype=np.float64) if standardize else np.zeros(train.shape[1])
        deviation = train.std(axis=0, dtype=np.float64) if standardize else np.ones(train.shape[1])
        self._scale = 1.0 / (deviation + SMALLEST_DEVIATION) / np.sqrt(train.shape[1]) if standardize else deviation
        self._axes = _axes((train - self._mean) * self._scale)

    def turn(self, features: Features) -> Floats:
        """Features (n, features) to their places in the span, (n, dimensions)."""
        return np.asarray(((features - self._mean) * self._scale) @ self._axes.T, np.float64)

    def undo(self, head: LinearHead) -> LinearHead:
        """The head that answers the same on features as they were."""
        kernel = self._scale[:, np.newaxis] * (self._axes.T @ head.kernel)
        return LinearHead(kernel, head.bias - self._mean @ kernel)


def one_thread() -> Any:
    """A block in which linear algebra wakes no threads: the problems here are too small to be worth it."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def fit_head(
    network: Network, spec: InputSpec, train: Labelled, *, seed: int, on_progress: Advance, standardize: bool = False
) -> Chosen:
    """Put a logistic regression on features of the frozen backbone, pooled, into the network's head."""
    features = frozen_features(
        network, train, spec, on_progress=lambda done, total: on_progress(done, total, stage="features")
    )
    with one_thread():
        span = Span(features, standardize=standardize)
        turned, strengths = span.turn(features), span.strengths
        chosen = choose_linear(turned, train.classes, train.groups, len(train.labels), seed=seed, strengths=strengths)
        head = span.undo(chosen.head)
    set_head(network, head.kernel.astype(np.float32), head.bias.astype(np.float32))
    return chosen


def fit_linear(
    features: npt.NDArray[np.floating],
    classes: Classes,
    n_labels: int,
    strength: float,
    *,
    start: LinearHead | None = None,
) -> LinearHead:
    """A multinomial logistic regression with an L2 penalty on the kernel, in which each class counts alike.

    The same function as scikit-learn's with `class_weight="balanced"`, minimized by SciPy without what makes each step
    of a problem this small ten times as long; `start` is where to begin. Raises `DatasetError` for a missing class.
    """
    from scipy.optimize import minimize

    counts = np.bincount(classes, minlength=n_labels)
    if counts.min() == 0:
        raise DatasetError(f"only {np.count_nonzero(counts)} of {n_labels} labels are among the images to fit on")
    given = np.eye(n_labels)[classes]
    weights = (1.0 / (n_labels * counts))[classes][:, np.newaxis]  # sum to 1
    penalty = 1.0 / (strength * classes.size)
    scale = 1.0 / np.sqrt(weights.T @ np.square(features) / 4 + penalty).T  # what about each column curves by
    design, penalties = features * scale.T, penalty * scale**2

    def loss(flat: Floats) -> tuple[float, Floats]:
        kernel, bias = np.split(flat.reshape(-1, n_labels), [-1])
        logits = design @ kernel + bias
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=1, keepdims=True)
        slope = weights * (shares / sums - given)
        shrink = penalties * kernel
        value = (weights * (np.log(sums) - (logits * given).sum(axis=1, keepdims=True))).sum()
        gradient = np.vstack([design.T @ slope + shrink, slope.sum(axis=0)])
        return float(value + (shrink * kernel).sum() / 2), gradient.ravel()

    none = LinearHead(np.zeros((design.shape[1], n_labels)), np.zeros(n_labels))
    first = none if start is None else start
    begin = np.vstack([first.kernel / scale, first.bias]).ravel()
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=SOLVER)
    kernel, bias = np.split(found.x.reshape(-1, n_labels), [-1])
    return LinearHead(kernel * scale, bias[0])


def choose_linear(
    features: npt.NDArray[np.floating],
    classes: Classes,
    groups: npt.NDArray[np.str_],
    n_labels: int,
    *,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Chosen:
    """Fit with the strength that ranks best in a grouped inner cross-validation, by `mean_auroc`."""
    inner = _inner_folds(classes, groups, n_labels, seed)
    held_out = _held_out(features, classes, n_labels, strengths, inner)
    areas = {strength: mean_auroc(logits, classes) for strength, logits in held_out.items()}
    best = max(areas, key=lambda strength: areas[strength])
    log.debug("head: inner AUROC %s, strength %s", areas, best)
    return Chosen(fit_linear(features, classes, n_labels, best), best, held_out[best])


def mean_auroc(logits: Floats, classes: Classes) -> float:
    """The mean over the classes of the AUROC of each against the rest: it sees neither temperature nor threshold."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return float(np.mean([auroc(classes == label, shares[:, label]) for label in range(logits.shape[1])]))


def _inner_folds(
    classes: Classes, groups: npt.NDArray[np.str_], n_labels: int, seed: int
) -> list[tuple[Classes, Classes]]:
    """Pairs of numbers to fit on and numbers to answer for."""
    from sklearn.model_selection import StratifiedGroupKFold

    counts = [np.unique(groups[classes == label]).size for label in range(n_labels)]
    if min(counts) < 2:
        raise DatasetError(f"a label with {min(counts)} group of images is too few to choose on; add images of it")
    folds = StratifiedGroupKFold(min(INNER_FOLDS, *counts), shuffle=True, random_state=seed)
    return [(fit, rest) for fit, rest in folds.split(classes, classes, groups)]


def _held_out(
    features: npt.NDArray[np.floating],
    classes: Classes,
    n_labels: int,
    strengths: Sequence[float],
    inner: list[tuple[Classes, Classes]],
) -> dict[float, Floats]:
    """Each image's logits, by strength; a fit begins where that with the next stronger penalty ended."""
    logits = {strength: np.zeros((classes.size, n_labels)) for strength in strengths}
    for fit, rest in inner:
        head = None
        for strength in sorted(strengths):
            head = fit_linear(features[fit], classes[fit], n_labels, strength, start=head)
            logits[strength][rest] = head.logits(features[rest])
    return logits


def _axes(rows: Floats) -> Floats:
    """Orthonormal rows that span the given ones, by way of their products, which are few; rounding is left out."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values > values.max() * SMALLEST_SHARE
    return np.asarray((vectors[:, kept].T @ rows) / np.sqrt(values[kept])[:, np.newaxis], np.float64)
