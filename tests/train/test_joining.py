from pathlib import Path

import pytest

from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.train.joining import join, write_joined


def _images(root: Path) -> Path:
    for name in ("normal/N1.jpg", "normal/N2.jpg", "low/OP1.jpg"):
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "images" / name).write_bytes(b"never opened")
    return root / "images"


def _sheet(root: Path, text: str) -> Path:
    (root / "sheet.csv").write_text(text, encoding="utf-8")
    return root / "sheet.csv"


def test_images_and_lines_meet_by_name_in_any_case(tmp_path: Path) -> None:
    sheet = _sheet(
        tmp_path, "No,Patient Id,Gender,Age,Weight (KG)\n1,op1,female,61.0,70\n2,N1,M,30,\n3,N9,male,20,60\n"
    )
    joined = join(_images(tmp_path), sheet)
    low, first, second = joined.cases
    assert (low.label, low.patient, low.age, low.sex, low.weight) == ("low", "op1", 61.0, "female", 70.0)
    assert (first.patient, first.age, first.sex, first.weight) == ("N1", 30.0, "male", None)
    assert (second.patient, second.age) == (None, None)
    assert joined.counts == {"matched": 2, "images_without_line": 1, "lines_without_image": 1}


def test_the_written_csv_is_a_data_set_wherever_it_lies(tmp_path: Path) -> None:
    sheet = _sheet(tmp_path, "id,age\nOP1,61\n")
    out = tmp_path / "made" / "deep" / "data.csv"
    assert write_joined(_images(tmp_path), sheet, out)["matched"] == 1
    dataset = read_dataset(out)
    assert dataset.counts == {"low": 1, "normal": 2}
    assert [case.age for case in dataset.cases] == [61.0, None, None]
    assert dataset.cases[0].name == "../../images/low/OP1.jpg"


def test_the_id_column_can_be_named(tmp_path: Path) -> None:
    sheet = _sheet(tmp_path, "id,File\n1,OP1\n2,N1\n")
    assert join(_images(tmp_path), sheet, id_column="file").matched == 2


@pytest.mark.parametrize(
    ("text", "id_column", "message"),
    [
        ("name,age\nOP1,61\n", None, "has no column called patient id, patient or id"),
        ("name,age\nOP1,61\n", "film", "has no column 'film'; it has name, age"),
        ("id,age\n1,61\n", None, r"no image has a line here \(OP1 is no id, for instance\)"),
        ("id,age\nOP1,61\nop1,62\n", None, "line 3: op1 stands on line 2 with other values"),
        ("id,age\nOP1,61 years\n", None, "line 2: age '61 years' is not a number"),
    ],
)
def test_a_sheet_that_is_wrong_is_an_error_that_says_where(
    tmp_path: Path, text: str, id_column: str | None, message: str
) -> None:
    with pytest.raises(DatasetError, match=rf"sheet\.csv: {message}"):
        join(_images(tmp_path), _sheet(tmp_path, text), id_column=id_column)


def test_a_line_that_stands_twice_alike_is_no_error(tmp_path: Path) -> None:
    assert join(_images(tmp_path), _sheet(tmp_path, "id,age\nOP1,61\nOP1,61\n")).matched == 1


def test_the_knees_meet_their_sheet(shared_data: Path, tmp_path: Path) -> None:
    knees = shared_data / "knees"
    counts = write_joined(knees / "images", knees / "patients.csv", tmp_path / "data.csv")
    assert counts == {"matched": 199, "images_without_line": 0, "lines_without_image": 1}
    cases = read_dataset(tmp_path / "data.csv").cases
    assert {case.sex for case in cases} == {"female", "male"}
    assert all(case.patient and case.age and case.weight for case in cases)
