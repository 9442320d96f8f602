"""Ranges of activations: what each way to choose them makes of made-up values, and how values are observed."""

from pathlib import Path

import numpy as np
import pytest

from osteo_edge.convert.ranges import Activation, choose, choose_all, observe
from osteo_edge.preprocessing import InputSpec, normalize

DATA = Path(__file__).resolve().parent.parent / "data"


def _activation(values: object) -> Activation:
    rows = np.asarray(values, np.float32).reshape(-1, 1)
    return Activation(float(rows.min()), float(rows.max()), rows)


@pytest.fixture
def outlier() -> Activation:
    """A bell of width 1, and one value of 30."""
    return _activation([*np.random.default_rng(0).normal(0, 1, 40_000), 30.0])


def test_the_extremes_are_exact(outlier: Activation) -> None:
    assert choose(outlier, "min-max", 99.99, 255) == (outlier.low, 30.0)


def test_a_percentile_cuts_at_both_ends(outlier: Activation) -> None:
    low, high = choose(outlier, "percentile", 99.0, 255)
    assert (low, high) == pytest.approx((-2.33, 2.33), abs=0.05)
    wider = choose(outlier, "percentile", 99.9, 255)
    assert wider[0] < low < high < wider[1] < 30


def test_the_least_squared_error_leaves_a_lone_value_out_where_steps_are_few(outlier: Activation) -> None:
    low, high = choose(outlier, "mse", 99.99, 15)
    assert 2 < high < 10
    assert outlier.low <= low < -2


def test_with_steps_enough_the_least_squared_error_keeps_all(outlier: Activation) -> None:
    assert choose(outlier, "mse", 99.99, 65535) == pytest.approx((outlier.low, 30.0))


def _squared_error(values: np.ndarray, ends: tuple[float, float], steps: int) -> float:
    low, high = ends
    scale = (high - low) / steps
    zero = np.rint(-low / scale)
    stepped = np.clip(np.rint(values / scale) + zero, 0, steps)
    return float(np.mean(np.square((stepped - zero) * scale - values)))


@pytest.mark.parametrize("steps", [15, 63, 255])
def test_the_least_squared_error_is_less_than_that_of_the_other_ways(steps: int) -> None:
    values = np.maximum(np.random.default_rng(1).standard_t(3, 50_000) + 0.5, 0).astype(np.float32)
    errors = {
        method: _squared_error(values, choose(_activation(values), method, 99.99, steps), steps)
        for method in ("min-max", "percentile", "mse")
    }
    assert errors["mse"] == min(errors.values())
    assert errors["mse"] < (0.5 if steps == 15 else 1.0) * errors["min-max"]


def test_values_of_zero_are_worth_no_steps() -> None:
    """After a ReLU most are 0, which every range hits exactly."""
    some = np.random.default_rng(2).exponential(1.0, 2_000)
    with_zeros = _activation([*some, *np.zeros(200_000)])
    assert choose(with_zeros, "mse", 99.99, 63) == pytest.approx(choose(_activation([0.0, *some]), "mse", 99.99, 63))


@pytest.mark.parametrize("method", ["min-max", "percentile", "mse"])
@pytest.mark.parametrize("values", [[0.0, 0.0], [2.0, 3.0], [-3.0, -2.0], [-1.0, 0.0]])
def test_a_range_holds_zero_and_is_never_empty(method: str, values: list[float]) -> None:
    low, high = choose(_activation(values), method, 99.99, 255)  # type: ignore[arg-type]
    assert low <= 0 <= high
    assert low < high


def test_what_tensors_hold_is_observed_over_all_images() -> None:
    model = (DATA / "golden-float32.tflite").read_bytes()
    spec = InputSpec(32, 32)
    planes = np.stack([np.full((32, 32), level, np.float32) for level in (0.1, 0.9)])
    seen = observe(model, planes, spec)
    entry = next(values for name, values in seen.items() if name.startswith("serving_default"))
    expected = normalize(planes, spec)
    assert (entry.low, entry.high) == (float(expected.min()), float(expected.max()))
    assert set(np.unique(entry.rows)) == set(np.unique(expected))
    assert len(seen) > 3
    assert all(low < high for low, high in choose_all(seen, "mse", 99.99, 255).values())
