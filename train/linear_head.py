"""A logistic regression on features, fitted fast enough for hundreds of folds, as the weights of a network's head."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.errors import DatasetError
from osteo_edge.metrics import auroc
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.features import frozen_features
from osteo_edge.train.grouped_folds import grouped_divisions
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
SOLVER = {"maxiter": 1000, "maxcor": 5, "gtol": 1e-6, "ftol": 1e-9}
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
        self._rows = (train - self._mean) * self._scale
        self._mix, squares = _spanning(self._rows)
        self.train: Floats = self._mix * squares

    def turn(self, features: Features) -> Floats:
        """Features (n, features) to their places in the span, (n, dimensions); `train` are the training images'."""
        return np.asarray(((features - self._mean) * self._scale) @ self._rows.T @ self._mix, np.float64)

    def undo(self, head: LinearHead) -> LinearHead:
        """The head that answers the same on features as they were."""
        kernel = self._scale[:, np.newaxis] * (self._rows.T @ (self._mix @ head.kernel))
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
        labels, strengths = len(train.labels), span.strengths
        chosen = choose_linear(span.train, train.classes, train.groups, labels, seed=seed, strengths=strengths)
        head = span.undo(chosen.head)
    set_head(network, head.kernel.astype(np.float32), head.bias.astype(np.float32))
    return chosen


def fit_linear(features: npt.NDArray[np.floating], classes: Classes, n_labels: int, strength: float) -> LinearHead:
    """A multinomial logistic regression with an L2 penalty on the kernel, in which each class counts alike.

    The same function as scikit-learn's with `class_weight="balanced"`. Raises `DatasetError` for a missing class.
    """
    return Regression(features, classes, n_labels).fit(strength)


class Regression:
    """The same images fitted with one strength after the other, each fit from where the one before it ended.

    It is minimized by SciPy over coordinates in which the loss curves alike in every direction: the principal axes of
    the weighted features, around their weighted mean, on which an L2 penalty is the same. There a fit takes a third
    of the steps.
    """

    def __init__(self, features: npt.NDArray[np.floating], classes: Classes, n_labels: int) -> None:
        counts = np.bincount(classes, minlength=n_labels)
        if counts.min() == 0:
            raise DatasetError(f"only {np.count_nonzero(counts)} of {n_labels} labels are among the images to fit on")
        self._given = np.eye(n_labels)[classes]
        self._weights = (1.0 / (n_labels * counts))[classes][:, np.newaxis]  # sum to 1
        self._mean = (self._weights * features).sum(axis=0)
        spread = np.sqrt(self._weights) * (features - self._mean)
        mix, self._curvature = _spanning(spread)
        self._axes = spread.T @ mix
        self._design = (features - self._mean) @ self._axes
        self._last = LinearHead(np.zeros((mix.shape[1], n_labels)), np.zeros(n_labels))

    def fit(self, strength: float) -> LinearHead:
        """The head with the least loss, on features as they were given."""
        from scipy.optimize import minimize

        penalty = 1.0 / (strength * len(self._given))
        scale = 1.0 / np.sqrt(self._curvature / self._given.shape[1] + penalty)[:, np.newaxis]
        begin = np.vstack([self._last.kernel / scale, self._last.bias]).ravel()
        loss = self._loss(self._design * scale.T, penalty * scale**2)
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=SOLVER)
        both = found.x.reshape(len(scale) + 1, -1)
        self._last = LinearHead(both[:-1] * scale, both[-1])
        turned = self._axes @ self._last.kernel
        return LinearHead(turned, self._last.bias - self._mean @ turned)

    def _loss(self, design: Floats, penalties: Floats) -> Callable[[Floats], tuple[float, Floats]]:
        """Cross-entropy and penalty with their gradient, of a kernel and then a bias in one row."""
        weights, target = self._weights, self._weights * self._given

        def loss(flat: Floats) -> tuple[float, Floats]:
            both = flat.reshape(-1, target.shape[1])
            kernel = both[:-1]
            logits = design @ kernel + both[-1]
            logits -= logits.max(axis=1, keepdims=True)
            shares = np.exp(logits)
            sums = shares.sum(axis=1, keepdims=True)
            slope = shares * (weights / sums) - target
            shrink = penalties * kernel
            value = np.vdot(weights, np.log(sums)) - np.vdot(target, logits) + np.vdot(shrink, kernel) / 2
            return float(value), np.vstack([design.T @ slope + shrink, slope.sum(axis=0)]).ravel()

        return loss


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
    counts = [np.unique(groups[classes == label]).size for label in range(n_labels)]
    if min(counts) < 2:
        raise DatasetError(f"a label with {min(counts)} group of images is too few to choose on; add images of it")
    return grouped_divisions(classes, groups, min(INNER_FOLDS, *counts), seed)


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
        regression = Regression(features[fit], classes[fit], n_labels)
        for strength in sorted(strengths):
            logits[strength][rest] = regression.fit(strength).logits(features[rest])
    return logits


def _spanning(rows: Floats) -> tuple[Floats, Floats]:
    """How to mix rows to orthonormal ones that span them, (rows, dimensions), and their summed squares along each.

    By way of the rows' products, which are few; dimensions that are only rounding are left out.
    """
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values > values.max() * SMALLEST_SHARE
    return vectors[:, kept] / np.sqrt(values[kept]), values[kept]
