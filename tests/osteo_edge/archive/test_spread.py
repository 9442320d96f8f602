import math

import numpy as np
import pytest

from osteo_edge.archive.spread import Spread

SHARES = (0.01, 0.05, 0.5, 0.95, 0.99)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e4])
def test_quantiles_are_right_to_half_a_percent(scale: float) -> None:
    values = np.random.default_rng(0).lognormal(0.0, 1.0, 20_000) * scale
    spread = Spread()
    for part in np.split(values, 10):
        spread.add(part)
    true = np.quantile(values, SHARES, method="inverted_cdf")
    assert [spread.quantile(share) for share in SHARES] == pytest.approx(true, rel=0.0055)
    assert spread.mean == pytest.approx(values.mean())


def test_it_knows_negative_values_and_zero() -> None:
    spread = Spread()
    spread.add(np.array([-0.8, -0.1, 0.0, 0.1, 0.8]))
    quantiles = [spread.quantile(share) for share in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert quantiles == pytest.approx([-0.8, -0.1, 0.0, 0.1, 0.8], rel=0.0055)


def test_no_quantile_lies_beyond_the_values() -> None:
    spread = Spread()
    spread.add(np.array([0.5]))
    assert {spread.quantile(share) for share in SHARES} == {0.5}


def test_what_is_no_number_is_no_value() -> None:
    spread = Spread()
    spread.add(np.array([math.nan, math.inf]))
    assert spread.n == 0
    assert math.isnan(spread.quantile(0.5))
    assert math.isnan(spread.mean)
