"""Folds: stratified, grouped, the same wherever the files lie, and kept in a file that fits or is refused."""

from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.train.audit import Audit, Unreadable
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.folds import TEST, TRAIN, VALIDATION, Folds, make_folds
from osteo_edge.train.folds_file import keep_folds, read_folds, write_folds

LABELS = ("normal", "osteopenia", "osteoporosis")


def _audit(labels: list[str], groups: list[int] | None = None, backwards: bool = False) -> tuple[Audit, Dataset]:
    """Images whose content is their number; images of one group number are one patient's."""
    names = [f"{-number if backwards else number:04}.png" for number in range(len(labels))]
    images = tuple(
        Fingerprint(
            name=name, label=label, patient=None, sha256=sha256_bytes(str(number).encode()), pixels_sha256=str(number),
            height=9, width=9, format="png", bits=8, file_bytes=1, mean=0.5, deviation=0.2, hashes=b"",
        )
        for number, (name, label) in enumerate(zip(names, labels, strict=True))
    )  # fmt: skip
    first: dict[int, str] = {}
    numbers = groups or range(len(names))
    joined = {name: first.setdefault(group, name) for name, group in zip(names, numbers, strict=True)}
    cases = tuple(Case(Path(name), name, label) for name, label in zip(names, labels, strict=True))
    return Audit("knees", images, (), (), (), (), (), joined), Dataset("knees", Path("knees"), cases)


def _folds(labels: list[str], groups: list[int] | None = None, backwards: bool = False, **options: int) -> Folds:
    found, dataset = _audit(labels, groups, backwards)
    return make_folds(found, dataset, LABELS, **options)


KNEES = ["normal"] * 25 + ["osteopenia"] * 110 + ["osteoporosis"] * 35


def test_every_image_is_tested_once_in_each_repeat_and_every_part_is_stratified() -> None:
    folds = _folds(KNEES, repeats=3)
    assert folds.parts.shape == (3, 5, 170)
    assert ((folds.parts == TEST).sum(axis=1) == 1).all()
    labels = np.array([image.label for image in folds.images])
    for label in LABELS:
        of_label = folds.parts[:, :, labels == label]
        n = of_label.shape[2]
        assert np.abs((of_label == TEST).sum(axis=2) - n / 5).max() < 1.001
        assert np.abs((of_label == VALIDATION).sum(axis=2) - n / 5).max() < 1.001


def test_a_patient_is_in_one_part_of_every_fold() -> None:
    groups = [number // 3 for number in range(len(KNEES))]
    folds = _folds(KNEES, groups, repeats=2)
    names = np.array([image.group for image in folds.images])
    for name in set(names):
        own = folds.parts[:, :, names == name]
        assert (own == own[:, :, :1]).all()


def test_folds_depend_on_content_and_seed_and_not_on_names() -> None:
    first, renamed, other = _folds(KNEES), _folds(KNEES, backwards=True), _folds(KNEES, seed=1)
    assert (first.parts == renamed.parts).all()
    assert [image.sha256 for image in first.images] == [image.sha256 for image in renamed.images]
    assert (first.parts != other.parts).any()


def test_repeats_have_different_folds() -> None:
    folds = _folds(KNEES, repeats=2)
    assert (folds.tested_in[0] != folds.tested_in[1]).any()


def test_excluded_images_and_other_labels_stay_out() -> None:
    found, dataset = _audit([*KNEES, "fracture"])
    broken = Audit(**{**vars(found), "unreadable": (Unreadable("0000.png", "normal", "", "no picture"),)})
    folds = make_folds(broken, dataset, LABELS)
    assert len(folds.images) == len(KNEES) - 1
    assert "0000.png" not in {image.name for image in folds.images}


def test_a_label_that_is_too_rare_for_the_folds_is_an_error_that_says_so() -> None:
    with pytest.raises(DatasetError, match=r"normal has 4 independent usable images and 5 folds need at least 5"):
        _folds(["normal"] * 4 + ["osteopenia"] * 9 + ["osteoporosis"] * 9)


def test_the_smallest_possible_data_set_has_every_label_in_train_and_validation() -> None:
    folds = _folds(list(LABELS) * 3, folds=3, repeats=4)
    labels = np.array([image.label for image in folds.images])
    for part in (TRAIN, VALIDATION):
        for label in LABELS:
            assert (folds.parts[:, :, labels == label] == part).any(axis=2).all()


def test_the_file_gives_the_folds_back(tmp_path: Path) -> None:
    folds = _folds(KNEES, repeats=2, seed=3)
    write_folds(folds, tmp_path / "folds.csv")
    read = read_folds(tmp_path / "folds.csv")
    assert (read.images, read.seed) == (folds.images, 3)
    assert (read.parts == folds.parts).all()


def test_stored_folds_are_gone_on_with(tmp_path: Path) -> None:
    made, path = _folds(KNEES), tmp_path / "folds.csv"
    assert keep_folds(made, path) is made
    before = path.read_bytes()
    assert (keep_folds(_folds(KNEES), path).parts == made.parts).all()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (_folds(KNEES, folds=4), "was made with folds 5, not 4"),
        (_folds(KNEES, repeats=2), "was made with repeats 1, not 2"),
        (_folds(KNEES, seed=7), "was made with seed 0, not 7"),
        (_folds(KNEES[:-1]), r"was made from other images, labels or groups \(1 differ, 0169.png first\)"),
        (_folds(["osteopenia", *KNEES[1:]]), r"other images, labels or groups \(1 differ, 0000.png first\)"),
    ],
)
def test_folds_of_another_study_are_refused_with_what_differs(tmp_path: Path, other: Folds, words: str) -> None:
    keep_folds(_folds(KNEES), tmp_path / "folds.csv")
    with pytest.raises(DatasetError, match=words + ".*; use another --out"):
        keep_folds(other, tmp_path / "folds.csv")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("path,", "file,"), "is no folds file"),
        ((",test,", ",exam,"), "line 2: needs test once"),
        ((",0,1,", ",x,1,"), "line 2: seed 'x' is not a whole number"),
        (("0000.png", "x.png"), "does not list the same images in every repeat"),
    ],
)
def test_a_folds_file_that_was_altered_is_refused(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    path = tmp_path / "folds.csv"
    write_folds(_folds(list(LABELS) * 5, repeats=2), path)
    text = path.read_text("utf-8")
    first = text.index("\n") if change[0] != "path," else 0
    path.write_text(text[:first] + text[first:].replace(*change, 1), "utf-8")
    with pytest.raises(DatasetError, match=words):
        read_folds(path)
