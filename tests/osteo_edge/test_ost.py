import numpy as np
import pytest

from osteo_edge.ost import ost_index


def test_the_ost_index_is_low_in_those_at_risk() -> None:
    assert ost_index(weight_kg=60.0, age_years=70.0) == pytest.approx(-2)


def test_of_arrays_it_is_not_known_where_age_or_weight_is_not() -> None:
    index = ost_index(np.array([50.0, np.nan, 70.0]), np.array([70.0, 60.0, np.nan]))
    np.testing.assert_allclose(index, [-4, np.nan, np.nan])
