"""Stored answers: given back exactly under their key, and made again where they are not what is asked for."""

from pathlib import Path

import numpy as np
import pytest

from osteo_edge.train.recipe import Answers
from osteo_edge.train.stored_answers import Stored, read_answers, write_answers

RNG = np.random.default_rng(0)
STORED = Stored(
    Answers(RNG.normal(size=(3, 2)), RNG.normal(size=(4, 2)), RNG.normal(size=(9, 2)), {"validation": (0.5, 0.25)}), 1.5
)


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    write_answers(tmp_path / "1-1.npz", STORED, "key")
    read = read_answers(tmp_path / "1-1.npz", "key")
    assert read is not None
    for name in ("validation", "test", "held_out"):
        np.testing.assert_array_equal(getattr(read.answers, name), getattr(STORED.answers, name))
    assert read.answers.losses == STORED.answers.losses
    assert read.seconds == 1.5


def test_answers_without_held_out_come_back_without(tmp_path: Path) -> None:
    write_answers(tmp_path / "1-1.npz", Stored(Answers(np.zeros((1, 2)), np.zeros((1, 2))), 0.0), "key")
    read = read_answers(tmp_path / "1-1.npz", "key")
    assert read is not None
    assert read.answers.held_out is None


def test_nothing_is_found_under_another_key_or_where_nothing_lies(tmp_path: Path) -> None:
    write_answers(tmp_path / "1-1.npz", STORED, "key")
    assert read_answers(tmp_path / "1-1.npz", "other") is None
    assert read_answers(tmp_path / "1-2.npz", "key") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1-1.npz").write_bytes(content)
    assert read_answers(tmp_path / "1-1.npz", "key") is None
