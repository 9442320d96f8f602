from pathlib import Path

import pytest

from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"never opened")


def _csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_label_is_the_folder_that_holds_the_image(tmp_path: Path) -> None:
    _touch(tmp_path, "b/2.png", "a/1.JPG", "site/b/3.dcm")
    dataset = read_dataset(tmp_path)
    assert [(case.name, case.label) for case in dataset.cases] == [
        ("a/1.JPG", "a"),
        ("b/2.png", "b"),
        ("site/b/3.dcm", "b"),
    ]
    assert dataset.counts == {"a": 1, "b": 2}
    assert dataset.name == tmp_path.name
    assert dataset.cases[0].path == tmp_path / "a/1.JPG"


def test_hidden_files_and_files_that_are_no_images_are_skipped(tmp_path: Path) -> None:
    _touch(tmp_path, "a/1.png", "a/._1.png", "a/.hidden/2.png", "a/notes.txt", "a/Thumbs.db", "a/IM0001", ".git/b.png")
    assert [case.name for case in read_dataset(tmp_path).cases] == ["a/1.png"]


def test_with_labels_the_nearest_folder_called_so_decides_in_any_case(tmp_path: Path) -> None:
    _touch(tmp_path, "Normal/patient1/left/1.png", "normal/x/osteoporosis/2.png", "other/3.png", "4.png")
    dataset = read_dataset(tmp_path, labels=("normal", "osteoporosis"))
    assert [(case.name, case.label) for case in dataset.cases] == [
        ("Normal/patient1/left/1.png", "normal"),
        ("normal/x/osteoporosis/2.png", "osteoporosis"),
    ]
    assert dataset.left_out_line == (
        "Left out 2 of 4 images, which have other labels than normal, osteoporosis; the first of them is 4.png."
    )
    assert read_dataset(tmp_path / "Normal").left_out_line == ""


def test_labels_that_nothing_bears_are_an_error_that_says_what_there_is(tmp_path: Path) -> None:
    _touch(tmp_path, "a/1.png")
    with pytest.raises(DatasetError, match="no image has one of the labels x, y"):
        read_dataset(tmp_path, labels=("x", "y"))
    listed = _csv(tmp_path / "data.csv", "path,label\na/1.png,a\n")
    with pytest.raises(DatasetError, match=r"no image has one of the labels x \(found: a\)"):
        read_dataset(listed, labels=("x",))


def test_a_linked_class_folder_is_read_and_a_circle_of_links_ends(tmp_path: Path) -> None:
    _touch(tmp_path, "elsewhere/1.png")
    root = tmp_path / "data"
    root.mkdir()
    (root / "a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(root)
    assert [case.name for case in read_dataset(root).cases] == ["a/1.png"]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nothing: no such folder or CSV file; give"):
        read_dataset(tmp_path / "nothing")


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    _touch(tmp_path, "a/notes.txt")
    with pytest.raises(DatasetError, match="holds no image"):
        read_dataset(tmp_path)


def test_images_outside_class_folders_are_an_error(tmp_path: Path) -> None:
    _touch(tmp_path, "1.png", "2.png")
    with pytest.raises(DatasetError, match=r"there are no class folders \(2 in all, the first of them 1\.png\)"):
        read_dataset(tmp_path)
    _touch(tmp_path, "a/3.png")
    with pytest.raises(DatasetError, match=r"these images lie outside them \(2 in all"):
        read_dataset(tmp_path)


def test_labels_that_differ_in_case_only_are_an_error(tmp_path: Path) -> None:
    listed = _csv(tmp_path / "data.csv", "path,label\na.png,Normal\nb.png,normal\n")
    _touch(tmp_path, "a.png", "b.png")
    with pytest.raises(DatasetError, match="'Normal' and 'normal' differ in case only"):
        read_dataset(listed)


def test_a_csv_gives_labels_and_what_is_known_of_the_patients(tmp_path: Path) -> None:
    _touch(tmp_path, "images/b.png", "images/a.png")
    listed = _csv(
        tmp_path / "knees.csv",
        "Label,PATH,Patient,Age,Sex,Weight,T_score\nx,images/b.png,P1,61.5,F,70,-2\ny,./images/a.png,,,unknown,NA,\n",
    )
    dataset = read_dataset(listed)
    first, second = dataset.cases
    assert (first.name, first.label, first.patient, first.age, first.sex, first.weight) == (
        "images/a.png", "y", None, None, None, None,
    )  # fmt: skip
    assert (second.patient, second.age, second.sex, second.weight) == ("P1", 61.5, "female", 70.0)
    assert dataset.name == "knees"
    assert dataset.root == tmp_path
    assert second.path.is_file()


def test_a_csv_gives_bones_studies_and_published_parts(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png", "b.png", "c.png")
    header = "path,label,bone,patient,study,published_part\n"
    listed = _csv(tmp_path / "mura.csv", f"{header}a.png,x,wrist,P1,s1,train\nb.png,x,wrist,P1,s1,train\nc.png,y,,,,\n")
    first, second, third = read_dataset(listed).cases
    assert (first.bone, first.study, first.published_part) == ("wrist", "s1", "train")
    assert second.study == first.study
    assert (third.bone, third.study, third.published_part) == (None, None, None)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("650,70", "line 3: age '650' is not a number of at least 0 and at most 130; correct it or leave it empty"),
        ("65,70000", "line 3: weight '70000' is not a number of at least 0 and at most 500; correct it or leave it"),
    ],
)
def test_an_age_or_weight_that_nobody_has_is_an_error(tmp_path: Path, cells: str, message: str) -> None:
    _touch(tmp_path, "a.png", "b.png")
    with pytest.raises(DatasetError, match=rf"data\.csv: {message}"):
        read_dataset(_csv(tmp_path / "data.csv", f"path,label,age,weight\na.png,x,130,500\nb.png,y,{cells}\n"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.png,x,,,,training\n", "line 2: published_part 'training' is none of train, validation, test"),
        ("a.png,x,,,s1,\nb.png,y,,,s1,\n", "line 3: study s1 has the label y here and x on line 2; films of one study"),
        ("a.png,x,hand,,s1,\nb.png,x,,,s1,\n", "line 3: study s1 has the bone unknown here and hand on line 2"),
        ("a.png,x,,P1,s1,\nb.png,x,,P2,s1,\n", "line 3: study s1 has the patient P2 here and P1 on line 2"),
        ("a.png,x,,,s1,train\nb.png,x,,,s1,test\n", "line 3: study s1 has the published_part test here and train on"),
        ("a.png,x,Hand,,,\nb.png,x,hand,,,\n", "the bones 'Hand' and 'hand' differ in case only"),
    ],
)
def test_what_contradicts_itself_about_a_study_is_an_error_that_says_where(
    tmp_path: Path, rows: str, message: str
) -> None:
    _touch(tmp_path, "a.png", "b.png")
    with pytest.raises(DatasetError, match=rf"data\.csv: {message}"):
        read_dataset(_csv(tmp_path / "data.csv", f"path,label,bone,patient,study,published_part\n{rows}"))


def test_a_folder_that_holds_one_csv_of_its_images_is_read_by_it(tmp_path: Path) -> None:
    _touch(tmp_path, "a/1.png", "b/2.png")
    _csv(tmp_path / "phantoms.csv", "path,label,age\na/1.png,a,50\nb/2.png,b,60\n")
    _csv(tmp_path / "split.csv", "path,label,group,part,sha256,reason\n")
    _csv(tmp_path / "patients.csv", "id,age\n1,50\n")
    dataset = read_dataset(tmp_path)
    assert [case.age for case in dataset.cases] == [50, 60]
    assert dataset.name == tmp_path.name


def test_two_csv_files_of_images_in_one_folder_are_an_error(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        _csv(tmp_path / name, "path,label\n")
    with pytest.raises(DatasetError, match=r"more than one CSV file lists images \(a\.csv, b\.csv\)"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column path and no column label"),
        ("path,class\na.png,x\n", r"has no column label \(found: path, class\)"),
        ("path;label\na.png;x\n", "its columns stand apart by semicolons; save it with commas"),
        ("path,label\n", "lists no image"),
        ("path,label\na.png,\n", "line 2: the label is empty"),
        ("path,label\n,x\n", "line 2: the path is empty"),
        ("path,label\na.png,x\n./a.png,x\n", r"line 3: a\.png stands on line 2 already"),
        (
            "path,label\na.png,x\nb.png,x\nc.png,y\n",
            r"2 of 3 images are not there, the first of them b\.png \(line 3\)",
        ),
        ("path,label,age\na.png,x,old\n", "line 2: age 'old' is not a number"),
    ],
)
def test_a_csv_that_is_wrong_is_an_error_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    _touch(tmp_path, "a.png")
    with pytest.raises(DatasetError, match=rf"data\.csv: .*{message}"):
        read_dataset(_csv(tmp_path / "data.csv", text))


def test_images_outside_the_folder_of_the_csv_keep_their_relative_name(tmp_path: Path) -> None:
    _touch(tmp_path, "images/a.png")
    (tmp_path / "tables").mkdir()
    listed = _csv(tmp_path / "tables" / "data.csv", "path,label\n../images/a.png,x\n")
    (case,) = read_dataset(listed).cases
    assert case.name == "../images/a.png"
    assert case.path.is_file()


def test_the_knees_are_read_as_published(shared_data: Path) -> None:
    dataset = read_dataset(shared_data / "knees" / "images")
    assert dataset.counts == {"normal": 31, "osteopenia": 127, "osteoporosis": 41}
    assert dataset.cases[0].name == "normal/N1.jpg"
