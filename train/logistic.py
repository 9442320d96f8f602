"""Multinomial logistic regression on a few columns, fitted by Newton's method: hundreds of fits in a second."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

PENALTY = 1.0
"""Of half the squared coefficients of standardized columns; scikit-learn's C = 1."""
INTERCEPT_PENALTY = 1e-6
"""Softmax does not see a constant that all intercepts share; this settles it."""
ROUNDING = 1e-9
"""Below this share of its greatest value, what a column varies by is rounding."""
STEPS = 50
HALVINGS = 30
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Columns:
    """How to make columns fit for a penalty: missing values filled in, then centred and scaled; (columns,) each."""

    fill: Floats
    mean: Floats
    scale: Floats

    def apply(self, values: Floats) -> Floats:
        """(n, columns), NaN where not known, to (n, columns + 1), the last one 1 for the intercept."""
        known = np.where(np.isnan(values), self.fill, values)
        return np.hstack([(known - self.mean) / self.scale, np.ones((len(values), 1))])


def standardize(values: Floats) -> Columns:
    """What the rows to fit on say: their median fills in; a column of one value is left as 0."""
    fill = np.array([_median(column[~np.isnan(column)]) for column in values.T])
    filled = np.where(np.isnan(values), fill, values)
    deviation = filled.std(axis=0)
    varies = deviation > ROUNDING * np.abs(filled).max(axis=0, initial=0)
    return Columns(fill, filled.mean(axis=0), np.where(varies, deviation, 1.0))


def _median(known: Floats) -> float:
    return float(np.median(known)) if known.size else 0.0


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is minimized: cross-entropy of `given` one-hot classes plus penalty; `products` are of pairs of columns."""

    design: Floats
    given: Floats
    offset: Floats | float
    weights: Floats
    products: Floats

    def loss(self, coefficients: Floats) -> float:
        logits = self.design @ coefficients + self.offset
        peak = logits.max(axis=1)
        spread = peak + np.log(np.exp(logits - peak[:, None]).sum(axis=1))
        return float(spread.sum() - (self.given * logits).sum() + (self.weights * coefficients**2).sum() / 2)

    def step(self, coefficients: Floats) -> Floats:
        """Newton's: the inverse of the Hessian times the gradient."""
        columns, size = coefficients.shape
        p = softmax(self.design @ coefficients + self.offset)
        gradient = self.design.T @ (p - self.given) + self.weights * coefficients
        curvature = p[:, :, None] * (np.eye(size) - p[:, None, :])
        blocks = (self.products.T @ curvature.reshape(len(p), -1)).reshape(columns, columns, size, size)
        hessian = blocks.transpose(0, 2, 1, 3).reshape(columns * size, columns * size)
        hessian += np.diag(self.weights.ravel())
        return np.asarray(np.linalg.solve(hessian, gradient.ravel()).reshape(columns, size))


def fit_coefficients(
    design: Floats, classes: Indices, size: int, *, offset: Floats | float = 0.0, penalty: float = PENALTY
) -> Floats:
    """Coefficients, (columns, size), whose logits are `design` @ coefficients + `offset`.

    They have the least cross-entropy plus penalty. The last column of `design`, (n, columns), is the intercept's, and
    goes nearly unpenalized; `offset`, (n, size), is what is known already. Newton's method with step halving; a convex
    problem, so the start does not matter.
    """
    columns = design.shape[1]
    weights = np.full((columns, size), float(penalty))
    weights[-1] = INTERCEPT_PENALTY
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    problem = _Problem(design, np.eye(size)[classes], offset, weights, products)
    found = np.zeros((columns, size))
    for _ in range(STEPS):
        moved = _descend(problem, found)
        if np.abs(moved - found).max() < TOLERANCE:
            break
        found = moved
    return found


def _descend(problem: _Problem, start: Floats) -> Floats:
    """A Newton step, or a half, quarter, ... of it: the longest that does not make the loss greater."""
    step, loss = problem.step(start), problem.loss(start)
    for halving in range(HALVINGS):
        moved = start - step / 2**halving
        if problem.loss(moved) <= loss:
            return np.asarray(moved)
    return start


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis.

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True), np.float64)
