from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.studies import group_studies


def _film(name: str, study: str | None, patient: str | None = "P1", label: str = "normal", bone: str = "hand") -> Case:
    return Case(Path(name), name, label, patient, bone=bone, study=study)


FILMS = [
    _film("a1", "a"),
    _film("b1", "b", "P2", "abnormal", "wrist"),
    _film("a2", "a"),
    _film("alone", None, None),
    _film("b2", "b", "P2", "abnormal", "wrist"),
    _film("b3", "b", "P2", "abnormal", "wrist"),
]


def test_films_of_a_study_are_one_answer_in_the_order_of_their_first_film() -> None:
    studies = group_studies(FILMS)
    assert studies.names == ("a", "b", "alone")
    assert studies.films.tolist() == [2, 3, 1]
    assert studies.bones.tolist() == ["hand", "wrist", "hand"]
    assert studies.having(["abnormal"]).tolist() == [False, True, False]
    assert studies.mean(np.array([0.1, 0.9, 0.5, 0.2, 0.6, 0.0])).tolist() == pytest.approx([0.3, 0.5, 0.2])


def test_the_mean_keeps_further_axes() -> None:
    values = np.arange(12, dtype=float).reshape(6, 2)
    assert group_studies(FILMS).mean(values).tolist() == [[2, 3], [20 / 3, 23 / 3], [6, 7]]


def test_what_is_not_known_of_one_film_is_not_known_of_its_study() -> None:
    mean = group_studies(FILMS).mean(np.array([np.nan, 1, 1, 1, 1, 1]))
    assert np.isnan(mean).tolist() == [True, False, False]


def test_patients_are_the_groups_and_a_study_without_one_is_its_own() -> None:
    assert group_studies(FILMS).groups.tolist() == ["P1", "P2", "alone"]


def test_a_film_of_no_study_is_never_taken_for_a_study_of_its_name() -> None:
    assert group_studies([_film("a", None), _film("x", "a", label="abnormal")]).films.tolist() == [1, 1]


def test_no_films_are_no_studies() -> None:
    studies = group_studies([])
    assert (len(studies), studies.mean(np.array([])).tolist(), studies.groups.tolist()) == (0, [], [])


@pytest.mark.parametrize("column", ["label", "bone", "patient"])
def test_films_that_differ_in_what_a_study_shares_are_our_own_mistake(column: str) -> None:
    changed: dict[str, Any] = {column: "other"}
    with pytest.raises(ValueError, match=f"the films of study a differ in {column}"):
        group_studies([FILMS[0], replace(FILMS[2], **changed)])


def test_values_of_other_films_are_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="2 values for 6 films"):
        group_studies(FILMS).mean(np.array([0.1, 0.2]))
