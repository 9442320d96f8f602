from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.errors import DatasetError
from osteo_edge.train.mura_folder import find_release, read_studies

Make = Callable[..., Path]


def test_every_folder_of_films_is_a_study(mura_release: Make) -> None:
    studies = read_studies(mura_release(), "train")
    assert [(study.name, study.label, len(study.images)) for study in studies] == [
        ("XR_ELBOW/patient00001/study1", "normal", 2),
        ("XR_ELBOW/patient00001/study2", "abnormal", 1),
        ("XR_WRIST/patient00001/study1", "abnormal", 3),
        ("XR_WRIST/patient00002/study1", "normal", 1),
    ]
    assert (studies[0].bone, studies[0].patient, studies[0].part) == ("elbow", "patient00001", "train")
    assert studies[1].images == ("train/XR_ELBOW/patient00001/study2_positive/image1.png",)


def test_the_release_is_found_in_its_own_folder_and_in_the_one_above(mura_release: Make, tmp_path: Path) -> None:
    root = mura_release()
    assert find_release(root) == find_release(tmp_path) == root


@pytest.mark.parametrize(("name", "what"), [("nothing", "no such folder"), ("", "has no folder train/")])
def test_a_folder_that_is_no_release_is_an_error(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(DatasetError, match=f"{what}; give the folder MURA-v1.1 as Stanford ships it"):
        find_release(tmp_path / name)


def test_hidden_files_are_counted_and_hidden_folders_passed_over(mura_release: Make) -> None:
    root = mura_release()
    (root / "train/XR_WRIST/patient00002/study1_negative/._image1.png").write_bytes(b"\0\5\x16\7")
    (root / "train/.DS_Store").mkdir()
    (root / "train/XR_WRIST/.Trash").mkdir()
    (study,) = [study for study in read_studies(root, "train") if study.patient == "patient00002"]
    assert (len(study.images), study.hidden) == (1, 1)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("train/XR_KNEE/patient00009/study1_negative", r"XR_KNEE: is no bone of MURA \(XR_ELBOW, XR_FINGER, .*\)"),
        ("train/XR_HAND/somebody/study1_negative", "XR_HAND/somebody: is not called like a patient"),
        ("train/XR_HAND/patient00009/study1", "patient00009/study1: is not called like a study"),
        ("train/XR_HAND/patient00009/study1_negative", "study1_negative: the study holds no image; put"),
        ("train/XR_WRIST/patient00002/study1_positive",
         "study1_positive: the study has mixed labels, it is study1_negative too; keep one"),
    ],
)  # fmt: skip
def test_what_has_no_place_in_the_layout_is_an_error_that_names_it(
    mura_release: Make, folder: str, message: str
) -> None:
    root = mura_release()
    (root / folder).mkdir(parents=True)
    if "WRIST" in folder:
        (root / folder / "image1.png").write_bytes(b"an image")
    with pytest.raises(DatasetError, match=message):
        read_studies(root, "train")


def test_a_study_of_hidden_files_alone_is_empty(mura_release: Make) -> None:
    folder = mura_release() / "train/XR_WRIST/patient00002/study1_negative"
    (folder / "image1.png").rename(folder / "._image1.png")
    with pytest.raises(DatasetError, match="the study holds no image"):
        read_studies(folder.parents[3], "train")


def test_a_release_without_valid_says_how_to_go_on(mura_release: Make) -> None:
    root = mura_release({"train/XR_HAND/patient00001/study1_negative": 1})
    with pytest.raises(DatasetError, match=r"has no folder valid/, so that .*; get .*, or go on .* by --only-train"):
        read_studies(root, "valid")


def test_a_part_without_a_study_is_an_error(mura_release: Make) -> None:
    root = mura_release()
    (root / "valid").rename(root / "elsewhere")
    (root / "valid/XR_HAND").mkdir(parents=True)
    with pytest.raises(DatasetError, match="valid: holds no study"):
        read_studies(root, "valid")
