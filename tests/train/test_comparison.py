"""The words of a comparison: what an interval allows to say."""

import pytest

from osteo_edge.intervals import Estimate
from osteo_edge.train.comparison import Added


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(0.01, -0.02, 0.04, 170), "adds 0.010 [-0.020, 0.040] to age: not shown to add anything"),
        (Estimate(0.05, 0.01, 0.09, 170), "adds 0.050 [0.010, 0.090] to age: shown to add something"),
        (Estimate(-0.05, -0.09, -0.01, 170), "adds -0.050 [-0.090, -0.010] to age: shown to do harm"),
        (Estimate(0.05, 0.0, 0.09, 170), "adds 0.050 [0.000, 0.090] to age: not shown to add anything"),
        (Estimate(float("nan"), float("nan"), float("nan"), 9), "cannot be compared with age: too few cases"),
    ],
)
def test_an_interval_that_holds_zero_shows_nothing(found: Estimate, words: str) -> None:
    assert Added("frozen-features", "age", "osteoporosis", found).verdict == words
