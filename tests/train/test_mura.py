import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.train.data_commands import data
from osteo_edge.train.mura import read_mura, write_mura
from osteo_edge.train.mura_report import count_cases, remarks

Make = Callable[..., Path]


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(data, ["mura", *map(str, arguments)], catch_exceptions=False)


def test_every_film_is_listed_with_bone_patient_study_and_part(mura_release: Make) -> None:
    mura = read_mura(mura_release())
    assert len(mura.cases) == 10
    case = mura.cases[0]
    assert (case.name, case.label) == ("train/XR_ELBOW/patient00001/study1_negative/image1.png", "normal")
    assert (case.bone, case.patient, case.study) == ("elbow", "patient00001", "XR_ELBOW/patient00001/study1")
    assert [case.published_part for case in mura.cases] == ["train"] * 7 + ["test"] * 3
    assert (mura.broken, mura.hidden, mura.lost_studies) == ((), 0, ())


def test_the_csv_reads_back_as_the_same_films(mura_release: Make, tmp_path: Path) -> None:
    mura = read_mura(mura_release())
    write_mura(mura, tmp_path / "tables" / "mura.csv")
    dataset = read_dataset(tmp_path / "tables" / "mura.csv")
    assert dataset.label_source == "radiologist"
    plain = [(case.path.resolve(), case.label, case.bone, case.patient, case.study, case.published_part)
             for case in dataset.cases]  # fmt: skip
    assert plain == [
        (case.path.resolve(), case.label, case.bone, case.patient, case.study, case.published_part)
        for case in mura.cases
    ]


def test_broken_images_are_left_out_and_told(mura_release: Make) -> None:
    root = mura_release()
    lost = "train/XR_WRIST/patient00002/study1_negative"
    (root / lost / "image1.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (root / "train/XR_WRIST/patient00001/study1_positive/image2.png").write_bytes(b"")
    steps: list[tuple[int, int]] = []
    mura = read_mura(root, on_progress=lambda done, total: steps.append((done, total)))
    assert [image.name for image in mura.broken] == [
        "train/XR_WRIST/patient00001/study1_positive/image2.png", f"{lost}/image1.png",
    ]  # fmt: skip
    assert all(image.reason and str(root) not in image.reason for image in mura.broken)
    assert mura.lost_studies == ("XR_WRIST/patient00002/study1",)
    assert len(mura.cases) == 8
    assert steps == [(done, 10) for done in range(1, 11)]
    assert "left out because they cannot be read: 2 images" in remarks(mura)


def test_a_release_of_broken_images_alone_is_an_error(mura_release: Make) -> None:
    root = mura_release()
    for image in root.rglob("*.png"):
        image.write_bytes(b"no image")
    with pytest.raises(DatasetError, match="none of 10 images can be read, the first because"):
        read_mura(root)


def test_a_patient_in_both_parts_is_an_error(mura_release: Make) -> None:
    root = mura_release({
        "train/XR_HAND/patient00001/study1_negative": 1, "valid/XR_WRIST/patient00001/study1_positive": 1,
    })  # fmt: skip
    with pytest.raises(DatasetError, match="patient00001 is in train/ and in valid/, so that a model would be tested"):
        read_mura(root)


def test_without_valid_nothing_is_read_unless_it_is_asked_for(mura_release: Make) -> None:
    root = mura_release()
    shutil.rmtree(root / "valid")
    with pytest.raises(DatasetError, match="has no folder valid/"):
        read_mura(root)
    mura = read_mura(root, only_train=True)
    assert {case.published_part for case in mura.cases} == {None}
    assert "valid/ was not read: there is no published test part" in remarks(mura)[0]


def test_without_lists_the_folders_are_taken_at_their_word(mura_release: Make) -> None:
    root = mura_release()
    (root / "valid_image_paths.csv").unlink()
    with pytest.raises(DatasetError, match=r"valid_image_paths\.csv: is missing"):
        read_mura(root)
    assert len(read_mura(root, without_lists=True).cases) == 10


def test_drawn_films_are_never_listed_as_those_of_patients(mura_release: Make, tmp_path: Path) -> None:
    root = mura_release()
    (root / "phantoms.csv").touch()
    write_mura(read_mura(root), tmp_path / "mura.csv")
    assert read_dataset(tmp_path / "mura.csv").label_source == "phantom"


def test_studies_films_and_patients_are_counted_once(mura_release: Make) -> None:
    counts = {(count.bone, count.part): count for count in count_cases(read_mura(mura_release()).cases)}
    wrist, everything = counts["wrist", "train"], counts["all", "train"]
    assert (wrist.studies, wrist.films, wrist.patients) == (
        {"normal": 1, "abnormal": 1}, {"normal": 1, "abnormal": 3}, 2,
    )  # fmt: skip
    assert (everything.studies, everything.patients) == ({"normal": 2, "abnormal": 2}, 2)
    assert list(counts) == [(bone, part) for bone in ("elbow", "wrist", "all") for part in ("train", "test")]


def test_the_command_prints_the_counts_and_writes_the_csv(mura_release: Make, tmp_path: Path) -> None:
    root = mura_release()
    (root / "train/XR_WRIST/patient00001/study1_positive/._image1.png").write_bytes(b"")
    (root / "train/XR_WRIST/patient00001/study1_positive/image3.png").write_bytes(b"broken")
    result = _run(root, "--out", tmp_path / "mura.csv")
    assert "Studies, films and patients in MURA-v1.1" in result.stdout
    for line in ("cannot be read: 1 image", "skipped: 1 hidden file", "with one film only: 3 studies"):
        assert line in result.stdout
    assert f"written: {tmp_path / 'mura.csv'}" in result.stdout
    assert len(read_dataset(tmp_path / "mura.csv").cases) == 9


def test_the_command_as_json_is_json_and_nothing_else(mura_release: Make, tmp_path: Path) -> None:
    found = json.loads(_run(mura_release(), "--out", tmp_path / "mura.csv", "--json").stdout)
    assert found["label_source"] == "radiologist"
    assert found["counts"][0]["films"] == {"normal": 2, "abnormal": 1}
    assert found["broken"] == []


def test_real_wrists_in_the_layout_are_read(shared_data: Path, tmp_path: Path) -> None:
    """The nine films have no lists beside them, and MURA's labels only by their folders' names."""
    root = shared_data / "mura_layout"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    with pytest.raises(DatasetError, match=r"train_image_paths\.csv: is missing"):
        read_mura(root)
    mura = read_mura(root, without_lists=True)
    assert (len(mura.cases), mura.broken, {case.bone for case in mura.cases}) == (9, (), {"wrist"})
    assert sorted(case.published_part or "" for case in mura.cases) == ["test"] * 2 + ["train"] * 7
    write_mura(mura, tmp_path / "wrists.csv")
    assert read_dataset(tmp_path / "wrists.csv").counts == {"abnormal": 6, "normal": 3}
