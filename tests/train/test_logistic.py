"""The small logistic regression: the same as scikit-learn's, and what it does with missing values and offsets."""

import numpy as np

from osteo_edge.train.logistic import fit_coefficients, softmax, standardize


def _data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = np.repeat([0, 1, 2], [20, 60, 30])
    return rng.normal(size=(110, 3)) + classes[:, None] * [1.0, 0.5, 0.0], classes


def test_the_fit_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    values, classes = _data()
    design = standardize(values).apply(values)
    coefficients = fit_coefficients(design, classes, 3)
    theirs = LogisticRegression(tol=1e-8, max_iter=1000).fit(design[:, :-1], classes)
    np.testing.assert_allclose(coefficients[:-1], theirs.coef_.T, atol=1e-5)
    np.testing.assert_allclose(softmax(design @ coefficients), theirs.predict_proba(design[:, :-1]), atol=1e-5)


def test_without_columns_it_answers_the_frequencies() -> None:
    design = np.ones((10, 1))
    logits = design @ fit_coefficients(design, np.repeat([0, 1], [7, 3]), 2)
    np.testing.assert_allclose(softmax(logits)[0], [0.7, 0.3], atol=1e-5)


def test_separable_classes_and_a_wild_offset_come_to_an_end() -> None:
    values = np.linspace(-1, 1, 40)[:, None]
    classes = (values[:, 0] > 0).astype(np.intp)
    design = standardize(values).apply(values)
    offset = np.where(classes[:, None] == [0, 1], -40.0, 40.0)
    coefficients = fit_coefficients(design, classes, 2, offset=offset)
    assert np.isfinite(coefficients).all()
    assert coefficients[0, 1] > 1


def test_a_high_penalty_leaves_the_offset_alone() -> None:
    values, classes = _data()
    design = standardize(values).apply(values)
    offset = np.log(np.random.default_rng(1).dirichlet([5, 5, 5], classes.size))
    coefficients = fit_coefficients(design, classes, 3, offset=offset, penalty=1e6)
    assert np.abs(coefficients[:-1]).max() < 1e-3


def test_missing_values_become_the_median_of_the_rows_fitted_on() -> None:
    columns = standardize(np.array([[1.0], [2.0], [9.0], [np.nan]]))
    with_gap, with_median = columns.apply(np.array([[np.nan], [2.0]]))
    np.testing.assert_array_equal(with_gap, with_median)


def test_a_column_that_is_the_same_everywhere_or_not_known_at_all_is_zero() -> None:
    values = np.array([[3.0, np.nan]] * 4)
    np.testing.assert_array_equal(standardize(values).apply(values), [[0.0, 0.0, 1.0]] * 4)


def test_rounding_is_no_variation() -> None:
    values = np.full((7, 1), 0.1)
    values[0] += 1e-16
    assert np.abs(standardize(values).apply(np.array([[0.2]]))).max() <= 1
