import pytest

from osteo_edge.edge_app.history.recovery_code import (
    ALPHABET,
    INCOMPLETE,
    NO_SUCH_LETTER,
    SLIP,
    code_problem,
    new_code,
    plain,
)


def test_a_code_is_seven_groups_of_four_and_never_the_same() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert [len(group) for group in code.split("-")] == [4] * 7
        assert code_problem(code) is None


def test_each_letter_can_be_anywhere() -> None:
    drawn = [plain(new_code()) for _ in range(400)]
    for place in range(26):
        assert {code[place] for code in drawn} == set(ALPHABET)


def test_a_code_may_be_typed_in_small_letters_with_or_without_its_dashes() -> None:
    code = new_code()
    for typed in (code.lower(), plain(code), f"  {code.replace('-', ' ')} ", code.replace("-", "--")):
        assert code_problem(typed) is None
        assert plain(typed) == plain(code)


def test_a_letter_read_wrong_is_told_before_anything_is_tried() -> None:
    slips = unseen = 0
    for _ in range(20):
        code = plain(new_code())
        for place in range(len(code)):
            for other in "27KZ":
                slipped = code[:place] + other + code[place + 1 :]
                if slipped != code:
                    slips += 1
                    unseen += code_problem(slipped) != SLIP
    assert slips > 2000
    assert unseen / slips < 0.005  # one in 1024 by the ten bits that check


@pytest.mark.parametrize(
    ("typed", "problem"), [("", INCOMPLETE), ("7KQM-X2PA", INCOMPLETE), ("0" * 28, NO_SUCH_LETTER)]
)
def test_what_is_no_code_is_told(typed: str, problem: str) -> None:
    assert code_problem(typed) == problem
    assert code_problem("Ünïcode") == NO_SUCH_LETTER
