from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.split import Split, SplitRow, changed_files, read_split, select, write_split

SHA = "0" * 64
HEADER = "path,label,group,part,sha256,reason\n"
ROWS = (
    SplitRow("a/1.png", "a", "a/1.png", "train", SHA),
    SplitRow("a/2.png", "a", "a/1.png", "excluded", SHA, "exact copy of a/1.png"),
    SplitRow("b, odd/3.png", "b", "b, odd/3.png", "validation", SHA),
    SplitRow("b/4.png", "b", "b/4.png", "test", SHA),
)


def _dataset(*rows: SplitRow) -> Dataset:
    return Dataset("d", Path("data"), tuple(Case(Path("data") / row.name, row.name, row.label) for row in rows))


def test_a_split_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_split(Split(ROWS), tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv") == Split(ROWS)


def test_equal_splits_are_equal_files(tmp_path: Path) -> None:
    write_split(Split(ROWS), tmp_path / "a.csv")
    write_split(Split(ROWS[::-1]), tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_counts_name_every_label_of_the_split() -> None:
    assert Split(ROWS).counts("train") == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label,part\n", "is no split file: the header must be path,label,group,part,sha256,reason"),
        (HEADER, "lists no image"),
        (f"{HEADER}1,a,g,training,{SHA},\n", "line 2: part 'training' is none of train, validation, test, excluded"),
        (f"{HEADER}1,a,g,train,abc,\n", "line 2: sha256 'abc' is not 64"),
        (f"{HEADER}1,a,g,train,,\n", "line 2: sha256 '' is not 64"),
        (f"{HEADER}1,,g,train,{SHA},\n", "line 2: path, label and group must not be empty"),
        (f"{HEADER}1,a,g,excluded,{SHA},\n", "line 2: an excluded image needs a reason"),
        (f"{HEADER}1,a,g,train,{SHA},why\n", "line 2: an excluded image needs a reason, and no other"),
        (f"{HEADER}1,a,g,train,{SHA},\n1,a,g,train,{SHA},\n", "line 3: 1 stands on line 2 already"),
        (f"{HEADER}1,a,g,train,{SHA},\n2,a,g,test,{SHA},\n", "line 3: group g is in train and in test"),
    ],
)
def test_a_split_file_that_is_wrong_is_an_error_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "split.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=rf"split\.csv: {message}"):
        read_split(tmp_path / "split.csv")


def test_a_file_that_could_not_be_opened_may_be_listed_without_its_hash(tmp_path: Path) -> None:
    rows = (*ROWS, SplitRow("z.png", "a", "z.png", "excluded", "", "unreadable: may not be read"))
    write_split(Split(rows), tmp_path / "split.csv")
    assert read_split(tmp_path / "split.csv").rows == rows


def test_select_gives_the_cases_of_one_part_only() -> None:
    assert [case.name for case in select(_dataset(*ROWS), Split(ROWS), "train")] == ["a/1.png"]
    assert [case.name for case in select(_dataset(*ROWS), Split(ROWS), "excluded")] == ["a/2.png"]


def test_select_leaves_out_images_that_the_split_does_not_know() -> None:
    new = replace(ROWS[0], name="a/9.png")
    assert [case.name for case in select(_dataset(*ROWS, new), Split(ROWS), "train")] == ["a/1.png"]


def test_select_refuses_a_data_set_without_images_of_any_part() -> None:
    with pytest.raises(
        DatasetError, match=r"data: images of the split are not in the data set \(2 in all, .* b, odd/3\.png\); use"
    ):
        select(_dataset(*ROWS[:2]), Split(ROWS), "train")


def test_select_does_not_miss_an_excluded_image() -> None:
    kept = [row for row in ROWS if row.part != "excluded"]
    assert select(_dataset(*kept), Split(ROWS), "test")[0].name == "b/4.png"


def test_select_refuses_a_data_set_that_was_labelled_anew() -> None:
    changed = replace(ROWS[3], label="a")
    with pytest.raises(DatasetError, match=r"have another label there \(1 in all, the first of them b/4\.png\)"):
        select(_dataset(*ROWS[:3], changed), Split(ROWS), "train")


def test_select_of_no_such_part_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="no part is called 'training'"):
        select(_dataset(*ROWS), Split(ROWS), "training")


@pytest.mark.parametrize("kind", ["patient", "study"])
def test_select_refuses_a_split_that_divides_a_patient_or_a_study(kind: str) -> None:
    dataset = _dataset(*ROWS)
    changed: dict[str, Any] = {kind: "K-7"}
    cases = tuple(replace(case, **changed) for case in dataset.cases)
    with pytest.raises(DatasetError, match=f"the split has films of {kind} K-7 in train and in .*: make it again"):
        select(replace(dataset, cases=cases), Split(ROWS), "train")


def test_a_file_that_is_another_one_than_the_split_was_made_from_is_named() -> None:
    assert changed_files(Split(ROWS), {"a/1.png": SHA, "b/4.png": "1" * 64}) == ("b/4.png",)
    assert changed_files(Split(ROWS), {"a/1.png": SHA, "unknown.png": "1" * 64}) == ()
