"""Weights that are rounded so that the output changes least."""

from typing import Any

import numpy as np

from osteo_edge.convert.rounding import clip_columns, round_columns

RNG = np.random.default_rng(0)


def _correlated_inputs() -> Any:
    """(1000, 12): twelve inputs that move together, as the channels of a network do."""
    return RNG.normal(size=(1000, 3)) @ RNG.normal(size=(3, 12)) + 0.05 * RNG.normal(size=(1000, 12))


def _nearest(weights: Any) -> Any:
    step = np.abs(weights).max(axis=0) / 127
    return np.rint(weights / step) * step


def test_rounded_weights_lie_on_the_int8_grid_of_their_column() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 5))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    steps = rounded / (np.abs(weights).max(axis=0) / 127)
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-9)
    assert np.abs(steps).max() <= 127 + 1e-9


def test_the_largest_weight_of_a_column_stays_so_that_a_converter_finds_the_same_grid() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 5))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    largest = np.abs(weights).argmax(axis=0)
    np.testing.assert_array_equal(rounded[largest, range(5)], weights[largest, range(5)])
    np.testing.assert_allclose(np.abs(rounded).max(axis=0), np.abs(weights).max(axis=0))


def test_the_output_changes_much_less_than_by_rounding_to_nearest() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 40))
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    error = np.linalg.norm(inputs @ (rounded - weights))
    assert error < 0.5 * np.linalg.norm(inputs @ (_nearest(weights) - weights))


def test_zeros_of_pruned_weights_stay_and_the_others_make_good_what_rounding_lost() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 40))
    weights[RNG.permutation(12)[:6]] = 0
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    np.testing.assert_array_equal(rounded[weights == 0], 0)
    error = np.linalg.norm(inputs @ (rounded - weights))
    assert error < 0.8 * np.linalg.norm(inputs @ (_nearest(weights) - weights))


def test_a_single_zero_is_rounded_as_any_weight() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 40))
    weights[5] = 0
    assert np.any(round_columns(weights, inputs.T @ inputs / 1000)[5])


def test_a_weight_for_an_input_that_hardly_ever_fires_does_not_take_the_steps_of_the_others() -> None:
    inputs, weights = RNG.normal(size=(1000, 12)), RNG.normal(size=(12, 5))
    inputs[:, 3] *= 1e-5
    weights[3] *= 1000
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    error = np.linalg.norm(inputs @ (rounded - weights))
    assert error < 0.05 * np.linalg.norm(inputs @ (_nearest(weights) - weights))


def test_weights_are_clipped_only_where_that_loses_less() -> None:
    weights = np.array([[100.0, 100.0], [1.0, 1.0], [0.9, 0.9]])
    np.testing.assert_array_equal(clip_columns(weights, np.ones(3)), weights)
    clipped = clip_columns(weights, np.array([1e-12, 1.0, 1.0]))
    np.testing.assert_array_equal(clipped[1:], weights[1:])
    assert (clipped[0] < 10).all()


def test_a_column_of_zeros_and_an_input_that_never_fires_do_no_harm() -> None:
    inputs, weights = _correlated_inputs(), RNG.normal(size=(12, 3))
    inputs[:, 4], weights[:, 1] = 0.0, 0.0
    rounded = round_columns(weights, inputs.T @ inputs / 1000)
    assert np.isfinite(rounded).all()
    assert not rounded[:, 1].any()
