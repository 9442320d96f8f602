"""How often it was decided otherwise than the model answered."""

import math

from osteo_edge.edge_app.history.entry import Decided, Entry
from osteo_edge.edge_app.history.overrides import count_overrides
from osteo_edge.intervals import wilson_interval
from osteo_edge.wording import Outcome
from tests.edge_app.history.made import make_entry


def decided(count: int, decision: Decided | None, outcome: Outcome = "refer") -> list[Entry]:
    """So many patients with such a decision."""
    reason = "seen" if decision == "otherwise" else ""
    codes = (f"{outcome} {decision} {number}" for number in range(count))
    return [make_entry(code=code, outcome=outcome, decided=decision, override_reason=reason) for code in codes]


def test_shares_are_of_the_answers_with_a_decision_alone() -> None:
    entries = decided(3, "otherwise") + decided(9, "followed") + decided(50, None)
    found = count_overrides(entries + decided(4, "otherwise", "no_finding") + decided(5, None, "uncertain"))
    referred, without = found.shares["refer"], found.shares["no_finding"]
    assert (referred.value, referred.n, without.value, without.n, found.n) == (0.25, 12, 1.0, 4, 16)
    interval = wilson_interval(0.25, 12)
    assert (referred.low, referred.high) == (interval.low, interval.high)


def test_without_a_decision_there_is_no_share() -> None:
    found = count_overrides(decided(5, None))
    assert found.n == 0
    assert all(math.isnan(share.value) for share in found.shares.values())


def test_a_patient_counts_once_by_the_newest_decision() -> None:
    first = make_entry(decided="otherwise", override_reason="seen", taken_at="2026-01-01T00:00:00+00:00")
    second = make_entry(decided="followed", taken_at="2026-02-01T00:00:00+00:00")
    undecided = make_entry(taken_at="2026-03-01T00:00:00+00:00")
    share = count_overrides([undecided, second, first]).shares["refer"]
    assert (share.value, share.n) == (0.0, 1)
