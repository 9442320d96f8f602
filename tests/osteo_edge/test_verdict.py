"""The verdict in words: every bound that was missed is named, and nothing is where none was."""

from osteo_edge.manifest import Parity
from osteo_edge.verdict import asked_for, shortfall, warning
from osteo_edge.wording import FAILED_CHECK

PARITY = Parity("a" * 64, "validation images", 34, 0.4, 0.25, 0.5)


def test_every_bound_that_was_missed_is_named() -> None:
    agreement = "decisions agree on 50.0% of 34 images, 98.0% are asked for"
    difference = "probabilities differ by 0.2500 on average, 0.1 at most is asked for"
    assert shortfall(PARITY.judged(0.98, 0.3)) == agreement
    assert shortfall(PARITY.judged(0.4, 0.1)) == difference
    assert shortfall(PARITY.judged(0.98, 0.1)) == f"{agreement}; {difference}"


def test_a_failure_tells_first_what_it_means() -> None:
    failed = PARITY.judged(0.98, 0.3)
    assert warning(failed) == f"{FAILED_CHECK} In detail: {shortfall(failed)}."
    assert asked_for(failed).startswith("FAILED: ")


def test_there_is_nothing_to_warn_of_where_a_model_passed_or_was_not_judged() -> None:
    assert [warning(parity) for parity in (None, PARITY, PARITY.judged(0.4, 0.3))] == [None] * 3
    assert asked_for(PARITY) == "Not judged: no bound is recorded."
    assert asked_for(PARITY.judged(0.4, 0.3)).startswith("Passed: ")
