"""What was decided on an answer, in words, and what may be typed as the reason."""

import pytest

from osteo_edge.edge_app.decisions import MAX_LETTERS, decision_words, reason_problem
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from tests.edge_app.history.made import make_entry


def test_a_decision_in_words_has_its_reason_on_one_line() -> None:
    assert decision_words(make_entry()) == ""
    assert decision_words(make_entry(decided="followed")) == "Decided by the clinic: as the answer says"
    told = decision_words(make_entry(decided="otherwise", override_reason=" known\n{since} May "))
    assert told == "Decided by the clinic: otherwise than the answer says, because: known {since} May"


@pytest.mark.parametrize("language", ["fr", "es", "sw"])
def test_a_decision_speaks_the_language_of_the_clinic(language: str) -> None:
    say = open_catalogue(language)
    entry = make_entry(decided="otherwise", override_reason="DXA 2025")
    assert decision_words(entry, say).endswith("DXA 2025")
    assert decision_words(entry, say) != decision_words(entry)


@pytest.mark.parametrize(
    ("decided", "reason", "problem"),
    [
        ("", "", ""),
        ("followed", "", ""),
        ("otherwise", "  ", "Say why it was decided otherwise"),
        ("otherwise", "x" * MAX_LETTERS, ""),
        ("otherwise", "x" * (MAX_LETTERS + 1), "At most 500 letters, not 501: shorten it"),
    ],
)
def test_a_reason_is_asked_for_where_it_was_decided_otherwise(decided: str, reason: str, problem: str) -> None:
    assert reason_problem(decided, reason, str) == problem
