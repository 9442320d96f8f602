from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.errors import DatasetError
from osteo_edge.train.mura_folder import read_studies
from osteo_edge.train.mura_lists import check_lists

Make = Callable[..., Path]
IMAGES, STUDIES = "train_image_paths.csv", "train_labeled_studies.csv"
WRIST = "train/XR_WRIST/patient00002/study1_negative"


def _check(root: Path) -> None:
    check_lists(root, "train", read_studies(root, "train"))


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_lists_that_agree_pass(mura_release: Make) -> None:
    _check(mura_release())


def test_the_folder_may_have_been_renamed(mura_release: Make) -> None:
    _check(mura_release(name="train"))


def test_hidden_files_may_be_listed(mura_release: Make) -> None:
    root = mura_release()
    with (root / IMAGES).open("a") as file:
        file.write(f"MURA-v1.1/{WRIST}/._image1.png\n")
    _check(root)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (IMAGES, f"MURA-v1.1/{WRIST}/image1.png\n", "",
         f"1 image of the folders that it does not list, the first of them {WRIST}/image1.png"),
        (IMAGES, f"{WRIST}/image1.png\n", f"{WRIST}/image1.png\nMURA-v1.1/{WRIST}/image7.png\n",
         f"1 image not in the folders, the first of them {WRIST}/image7.png"),
        (STUDIES, f"MURA-v1.1/{WRIST}/,0\n", "",
         f"1 study of the folders that it does not list, the first of them {WRIST};"),
        (STUDIES, f"{WRIST}/,0", f"{WRIST}/,1", f"line 4 has '1' for {WRIST}, which is normal"),
        (STUDIES, f"{WRIST}/,0", f"{WRIST}/,no", f"line 4 has 'no' for {WRIST}, which is normal"),
    ],
)  # fmt: skip
def test_a_list_that_disagrees_is_named_with_the_first_difference(
    mura_release: Make, file: str, old: str, new: str, message: str
) -> None:
    root = mura_release()
    _change(root / file, old, new)
    with pytest.raises(DatasetError, match=f"{file}: disagrees with the folders: {message}"):
        _check(root)


@pytest.mark.parametrize("file", [IMAGES, STUDIES])
def test_a_missing_list_is_an_error_that_says_how_to_go_on(mura_release: Make, file: str) -> None:
    root = mura_release()
    (root / file).unlink()
    with pytest.raises(DatasetError, match=f"{file}: is missing; put it back, or .* by --without-lists"):
        _check(root)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (IMAGES, "path\n", r"line 1: is no line of MURA's \(path\)"),
        (IMAGES, f"MURA-v1.1/{WRIST}/image1.png,0\n", "line 1: is no line"),
        (STUDIES, "MURA-v1.1/valid/XR_WRIST/patient11186/study1_negative/,0\n", "line 1: is no line"),
    ],
)
def test_a_line_of_another_kind_is_an_error(mura_release: Make, file: str, text: str, message: str) -> None:
    root = mura_release()
    (root / file).write_text(text)
    with pytest.raises(DatasetError, match=f"{file}: {message}" if file == IMAGES else message):
        _check(root)


def test_a_list_that_is_no_text_is_an_error(mura_release: Make) -> None:
    root = mura_release()
    (root / IMAGES).write_bytes(b"\xff\xfe\0")
    with pytest.raises(DatasetError, match="is not UTF-8 CSV"):
        _check(root)
