from typing import Any, get_args, get_type_hints

import pytest

from osteo_edge.edge_app import settings_words
from osteo_edge.edge_app.alphabet import OTHER_LETTERS
from osteo_edge.edge_app.settings import MAX_INSTITUTION, Settings
from osteo_edge.edge_app.settings_words import (
    COLOUR_MAPS,
    LANGUAGES,
    LOCK_AFTER,
    RETENTION,
    TEXT_SIZES,
    THEMES_OF_DEVICE,
    institution_problem,
    thread_counts,
    usable_cores,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("language", LANGUAGES),
        ("text_percent", TEXT_SIZES),
        ("theme", THEMES_OF_DEVICE),
        ("colour_map", COLOUR_MAPS),
        ("lock_after_minutes", LOCK_AFTER),
    ],
)
def test_every_value_that_may_be_set_can_be_chosen(name: str, words: dict[Any, str]) -> None:
    assert set(words) == set(get_args(get_type_hints(Settings)[name]))


def test_every_choice_is_a_setting_that_may_be_saved() -> None:
    for days in RETENTION:
        assert Settings(retention_days=days).retention_days == days
    for cores in (1, 2, 4, 8, 9, 64, 128, 1000):
        counts = thread_counts(cores, None)
        assert counts[0] == 1
        assert counts[-1] == min(cores, 64)
        assert all(Settings(threads=count) for count in counts)


def test_what_is_set_already_is_one_of_the_choices() -> None:
    assert thread_counts(2, 6) == [1, 2, 6]
    assert 90 in [days for days, _, _ in settings_words.retention_options(90)]


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1


def test_the_institution_has_the_problems_that_the_settings_refuse() -> None:
    for name in ("x" * (MAX_INSTITUTION + 1), "two\nlines", "a\0"):
        assert institution_problem(name) is not None
        with pytest.raises(ValueError, match="institution"):
            Settings(institution=name)
    assert institution_problem("x" * MAX_INSTITUTION) is None


def test_an_institution_that_reports_would_print_as_question_marks_is_a_problem() -> None:
    assert institution_problem("医院") == OTHER_LETTERS
    assert institution_problem("Больница № 7, Bệnh viện") is None
