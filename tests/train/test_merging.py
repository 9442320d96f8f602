"""Two data sets become one, without their patients or sources being confused."""

from pathlib import Path

import pytest

from osteo_edge import cli
from osteo_edge.dataset import read_dataset

BONES = "path,label,bone,patient,study,published_part,label_source"
KNEES = "path,label,patient,age,sex,label_source"


def written(folder: Path, header: str, *lines: str) -> Path:
    """A data set CSV in a folder of its own, with an empty file for each image."""
    folder.mkdir()
    for line in lines:
        (folder / line.split(",")[0]).touch()
    path = folder / f"{folder.name}.csv"
    path.write_text("\n".join((header, *lines)) + "\n", "utf-8")
    return path


@pytest.fixture
def bones(tmp_path: Path) -> Path:
    first, second = "a.png,abnormal,elbow,1,s1,train,radiologist", "b.png,normal,wrist,2,s2,test,radiologist"
    return written(tmp_path / "bones", BONES, first, second)


@pytest.fixture
def knees(tmp_path: Path) -> Path:
    return written(tmp_path / "knees", KNEES, "a.png,osteopenia,1,61,f,DXA", "b.png,normal,2,,,DXA")


def merged(first: Path, second: Path, *options: str) -> int:
    return cli.run(["data", "merge", str(first), str(second), "--out", str(first.parent.parent / "all.csv"), *options])


def test_both_are_in_it_each_with_its_bone_patients_and_source(
    bones: Path, knees: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merged(bones, knees, "--bone", "knee") == 0
    dataset = read_dataset(bones.parent.parent / "all.csv")
    facts = {(case.name, case.label, case.bone, case.patient, case.age) for case in dataset.cases}
    assert facts == {
        ("bones/a.png", "abnormal", "elbow", "1", None),
        ("bones/b.png", "normal", "wrist", "2", None),
        ("knees/a.png", "osteopenia", "knee", "knees: 1", 61.0),
        ("knees/b.png", "normal", "knee", "knees: 2", None),
    }
    assert dataset.label_source == "radiologist (bones); DXA (knees)"
    assert {case.published_part for case in dataset.cases} == {None}
    assert "bones.csv: its published parts are not kept" in capsys.readouterr().err


def test_published_parts_stay_where_both_have_them(bones: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other", BONES, "c.png,normal,hand,1,s1,test,radiologist")
    assert merged(bones, other) == 0
    dataset = read_dataset(tmp_path / "all.csv")
    assert [(case.published_part, case.study) for case in dataset.cases] == [
        ("train", "s1"), ("test", "s2"), ("test", "other: s1"),
    ]  # fmt: skip
    assert dataset.label_source == "radiologist"


def test_what_does_not_go_together_is_refused_in_one_line(
    bones: Path, knees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = written(tmp_path / "drawn", BONES, "c.png,normal,hand,1,s1,test,phantom")
    for second, options, says in (
        (knees, (), "2 of 2 films name no bone; say which it is with --bone"),
        (drawn, (), "drawn films (label_source phantom) do not go together with others"),
        (bones, (), "2 of its images are those of"),
    ):
        assert merged(bones, second, *options) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert says in line
    assert not (tmp_path / "all.csv").exists()


def test_a_data_set_is_not_written_over_by_the_two(
    bones: Path, knees: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bones.read_bytes()
    assert cli.run(["data", "merge", str(bones), str(knees), "--bone", "knee", "--out", str(bones)]) == 1
    assert "is one of the data sets themselves" in capsys.readouterr().err
    assert bones.read_bytes() == before


def test_labels_that_differ_in_case_are_told_before_anything_is_written(
    bones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path / "other", BONES, "c.png,Normal,hand,1,s1,test,radiologist")
    assert merged(bones, other) == 1
    assert "'Normal' and 'normal' differ in case only" in capsys.readouterr().err
    assert not (tmp_path / "all.csv").exists()
