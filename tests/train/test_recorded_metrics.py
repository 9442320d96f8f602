"""What of an evaluation goes into the manifest, and by which name."""

import math

import pytest

from osteo_edge.evaluation import Evaluation
from osteo_edge.intervals import Estimate
from osteo_edge.subgroups import Subgroup
from osteo_edge.train.recorded_metrics import FEWEST, recorded_metrics

SENSITIVITY = {"sensitivity": Estimate(0.75, 0.5, 0.9, 12)}


def evaluation(part: str, *subgroups: Subgroup, n: int = 30) -> Evaluation:
    counts = {"normal": n - 12, "osteoporosis": 12}
    return Evaluation(part, counts, {}, (), SENSITIVITY, (), (), subgroups)


def women(n: int = 20, positives: int = 8) -> Subgroup:
    undefined = Estimate(math.nan, math.nan, math.nan, n)
    return Subgroup("sex", "female", n, positives, {"sensitivity": Estimate(0.5, 0.2, 0.8, 8), "AUROC": undefined})


def test_a_subgroup_of_the_test_part_is_named_after_part_and_factor() -> None:
    found = recorded_metrics({part: evaluation(part, women()) for part in ("validation", "test")})
    assert list(found) == ["sensitivity, validation", "sensitivity, test", "sensitivity, test, sex female"]
    metric = found["sensitivity, test, sex female"]
    assert (metric.value, metric.low, metric.high, metric.n, metric.part) == (0.5, 0.2, 0.8, 8, "test")


@pytest.mark.parametrize(
    "subgroup", [women(n=FEWEST - 1), women(positives=0), women(positives=20), women(n=30)],
    ids=["few", "no positive", "no negative", "everyone"],
)  # fmt: skip
def test_a_subgroup_that_says_nothing_of_its_own_is_left_out(subgroup: Subgroup) -> None:
    assert list(recorded_metrics({"test": evaluation("test", subgroup)})) == ["sensitivity, test"]


def test_what_the_cases_do_not_define_is_none() -> None:
    undefined = Estimate(math.nan, math.nan, math.nan, 0)
    given = Evaluation("test", {}, {}, (), {"specificity": undefined}, (), ())
    metric = recorded_metrics({"test": given})["specificity, test"]
    assert (metric.value, metric.low, metric.high, metric.n) == (None, None, None, 0)
