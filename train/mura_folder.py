"""MURA's folders: PART/XR_BONE/patientNNNNN/studyK_{positive,negative}/imageN.png, read strictly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osteo_edge.dataset import IMAGE_SUFFIXES
from osteo_edge.errors import DatasetError

RELEASE = "MURA-v1.1"
BONES = ("elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist")
PUBLISHED_PARTS = {"train": "train", "valid": "test"}
"""Each published folder, and the part of a split that it is: `valid` is what the field reports its figures on."""
LABELS = {"negative": "normal", "positive": "abnormal"}

_STUDY = re.compile(r"study([1-9]\d*)_(negative|positive)")
_PATIENT = re.compile(r"patient\d{5,}")


@dataclass(frozen=True)
class MuraStudy:
    """One folder of films; `folder` and `images` are relative to the release, with slashes."""

    part: str
    """A key of `PUBLISHED_PARTS`."""
    bone: str
    patient: str
    number: int
    label: str
    folder: str
    images: tuple[str, ...]
    hidden: int
    """Hidden files beside the images, which some systems leave (`._image1.png`)."""

    @property
    def name(self) -> str:
        """What the study is known by in the whole release; it does not hold the label, as the folder's name does.

        >>> MuraStudy("train", "wrist", "patient00007", 1, "normal", "", (), 0).name
        'XR_WRIST/patient00007/study1'
        """
        return f"{bone_folder(self.bone)}/{self.patient}/study{self.number}"


def bone_folder(bone: str) -> str:
    """The name of a bone's folder."""
    return f"XR_{bone.upper()}"


def find_release(folder: Path) -> Path:
    """The folder that holds train/: `folder` itself, or the MURA-v1.1 in it."""
    for root in (folder, folder / RELEASE):
        if (root / "train").is_dir():
            return root
    what = "has no folder train/" if folder.is_dir() else "no such folder"
    raise DatasetError(f"{folder}: {what}; give the folder {RELEASE} as Stanford ships it")


def read_studies(root: Path, part: str) -> tuple[MuraStudy, ...]:
    """The studies of one part, sorted by folder; no image is opened.

    Raises `DatasetError` for a part that is not there or empty, a folder that has no place in the layout, a study
    that is positive and negative, and one without an image.
    """
    if not (root / part).is_dir():
        raise DatasetError(
            f"{root}: has no folder {part}/, so that the published test part is missing; get the whole of {RELEASE}, "
            "or go on without it knowingly by --only-train"
        )
    studies = tuple(
        _study(root, part, bone, folder)
        for bone, bone_path in _bones(root, part)
        for patient in _folders(bone_path)
        for folder in _folders(_checked_patient(patient))
    )
    if not studies:
        raise DatasetError(f"{root / part}: holds no study; give the folder {RELEASE} as Stanford ships it")
    _check_labels(root, studies)
    return studies


def _bones(root: Path, part: str) -> Iterator[tuple[str, Path]]:
    known = {bone_folder(bone): bone for bone in BONES}
    for path in _folders(root / part):
        if path.name not in known:
            raise DatasetError(f"{path}: is no bone of MURA ({', '.join(known)}); move it elsewhere")
        yield known[path.name], path


def _checked_patient(path: Path) -> Path:
    if not _PATIENT.fullmatch(path.name):
        raise DatasetError(f"{path}: is not called like a patient (patient00001); move it elsewhere")
    return path


def _study(root: Path, part: str, bone: str, folder: Path) -> MuraStudy:
    match = _STUDY.fullmatch(folder.name)
    if match is None:
        raise DatasetError(
            f"{folder}: is not called like a study (study1_negative, study2_positive); move it elsewhere"
        )
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    images = tuple(path.relative_to(root).as_posix() for path in files if not path.name.startswith("."))
    if not images:
        raise DatasetError(f"{folder}: the study holds no image; put its images back or remove the folder")
    number, label = int(match[1]), LABELS[match[2]]
    name = folder.relative_to(root).as_posix()
    return MuraStudy(part, bone, folder.parent.name, number, label, name, images, len(files) - len(images))


def _check_labels(root: Path, studies: tuple[MuraStudy, ...]) -> None:
    first: dict[str, MuraStudy] = {}
    for study in studies:
        other = first.setdefault(study.name, study)
        if other is not study:
            raise DatasetError(
                f"{root / study.folder}: the study has mixed labels, it is {Path(other.folder).name} too; "
                "keep one of the two folders"
            )


def _folders(path: Path) -> list[Path]:
    return sorted(inner for inner in path.iterdir() if inner.is_dir() and not inner.name.startswith("."))
