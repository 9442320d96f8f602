from osteo_edge.edge_app.note_form import MAX_LETTERS, note_problem


def test_only_a_note_that_is_too_long_has_a_problem() -> None:
    assert note_problem("x" * MAX_LETTERS, str) == ""
    assert note_problem("x" * (MAX_LETTERS + 1), str) == "At most 2000 letters, not 2001: shorten it"
