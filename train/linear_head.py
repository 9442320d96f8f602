"""A logistic regression on features, fitted fast enough for hundreds of folds, as the weights of a network's head."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

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
        _, _, self._axes = np.linalg.svd((train - self._mean) * self._scale, full_matrices=False)

    def turn(self, features: Features) -> Floats:
        """Features (n, features) to their places in the span, (n, dimensions)."""
        return np.asarray(((features - self._mean) * self._scale) @ self._axes.T, np.float64)

    def undo(self, head: LinearHead) -> LinearHead:
        """The head that answers the same on features as they were."""
        kernel = self._scale[:, np.newaxis] * (self._axes.T @ head.kernel)
        return LinearHead(kernel, head.bias - self._mean @ kernel)


def fit_head(
    network: Network, spec: InputSpec, train: Labelled, *, seed: int, on_progress: Advance, standardize: bool = False
) -> Chosen:
    """Put a logistic regression on features of the frozen backbone, pooled, into the network's head."""
    features = frozen_features(
        network, train, spec, on_progress=lambda done, total: on_progress(done, total, stage="features")
    )
    span = Span(features, standardize=standardize)
    chosen = choose_linear(
        span.turn(features), train.classes, train.groups, len(train.labels), seed=seed, strengths=span.strengths
    )
    head = span.undo(chosen.head)
    set_head(network, head.kernel.astype(np.float32), head.bias.astype(np.float32))
    return chosen


def fit_linear(features: npt.NDArray[np.floating], classes: Classes, n_labels: int, strength: float) -> LinearHead:
    """A multinomial logistic regression in which each class counts alike. Raises `DatasetError` for a missing class."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if np.unique(classes).size < n_labels:
        raise DatasetError(f"only {np.unique(classes).size} of {n_labels} labels are among the images to fit on")
    with threadpool_limits(1):  # the problem is too small to be worth waking threads
        model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000).fit(features, classes)
    kernel, bias = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
    if n_labels == 2:
        return LinearHead(np.hstack([-kernel / 2, kernel / 2]), np.array([-bias[0] / 2, bias[0] / 2]))
    return LinearHead(kernel, bias)


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
    held_out = {strength: _held_out(features, classes, n_labels, strength, inner) for strength in strengths}
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
    strength: float,
    inner: list[tuple[Classes, Classes]],
) -> Floats:
    logits = np.zeros((classes.size, n_labels))
    for fit, rest in inner:
        logits[rest] = fit_linear(features[fit], classes[fit], n_labels, strength).logits(features[rest])
    return logits
