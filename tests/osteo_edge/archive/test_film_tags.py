from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from osteo_edge.archive.film_tags import LEFT_OUT, Tags, known_parts, left_out, read_tags, reason_by_tags
from osteo_edge.manifest import Head, Manifest, Router
from tests.osteo_edge.archive.dicom_files import KNEE_FILM, coded, write_dicom

WriteDicom = Callable[..., Path]


@pytest.fixture
def dicom(tmp_path: Path) -> WriteDicom:
    """Write a small DICOM film with these tags."""

    def make(name: str = "film.dcm", **tags: Any) -> Path:
        return write_dicom(tmp_path / name, **tags)

    return make


def test_a_film_is_told_by_its_uids(dicom: WriteDicom) -> None:
    tags = read_tags(dicom(SOPInstanceUID="1.2.3", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.9", **KNEE_FILM))
    assert tags is not None
    assert (tags.sop_instance_uid, tags.study_instance_uid, tags.series_instance_uid) == ("1.2.3", "1.2", "1.2.9")
    assert (tags.modality, tags.part, tags.view) == ("DX", "knee", "ap")


def test_a_file_that_claims_more_than_fits_into_memory_tells_nothing(
    dicom: WriteDicom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*arguments: Any, **options: Any) -> None:
        raise MemoryError

    film = dicom(**KNEE_FILM)
    monkeypatch.setattr(pydicom, "dcmread", exhaust)
    assert read_tags(film) == Tags()


@pytest.mark.parametrize("uid", ["DOE^JANE", "1.2.3 Jane", "1" * 65])
def test_what_is_no_uid_is_not_passed_on(uid: str, dicom: WriteDicom) -> None:
    tags = read_tags(dicom(StudyInstanceUID=uid, SpecificCharacterSet="ISO_IR 192", **KNEE_FILM))
    assert tags is not None
    assert tags.study_instance_uid is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"Modality": "CR"}, None),
        ({"Modality": "CT"}, "modality"),
        ({"Modality": "RTPLAN"}, "modality"),
        ({"Modality": None}, None),
        ({"BodyPartExamined": "CHEST"}, "body_part"),
        ({"BodyPartExamined": "C SPINE"}, "body_part"),
        ({"BodyPartExamined": "EXTREMITY"}, None),
        ({"BodyPartExamined": "KNIE LINKS"}, None),
        ({"BodyPartExamined": None}, None),
        ({"BodyPartExamined": None, "AnatomicRegionSequence": coded("Knee joint")}, None),
        ({"BodyPartExamined": None, "AnatomicRegionSequence": coded("Chest")}, "body_part"),
        ({"ViewPosition": "PA"}, None),
        ({"ViewPosition": "LL"}, "view"),
        ({"ViewPosition": "LATERAL"}, "view"),
        ({"ViewPosition": "SKYLINE"}, "view"),
        ({"ViewPosition": None}, None),
        ({"ViewPosition": None, "ViewCodeSequence": coded("lateral")}, "view"),
        ({"ViewPosition": None, "ViewCodeSequence": coded("antero-posterior")}, None),
        ({"NumberOfFrames": "12"}, "several_frames"),
        ({"NumberOfFrames": "1"}, None),
        ({"PresentationIntentType": "FOR PROCESSING"}, "for_processing"),
        ({"PresentationIntentType": "FOR PRESENTATION"}, None),
    ],
)
def test_only_what_a_tag_says_plainly_leaves_a_film_out(
    changes: dict[str, Any], why: str | None, dicom: WriteDicom, manifest: Manifest
) -> None:
    tags = {name: value for name, value in {**KNEE_FILM, **changes}.items() if value is not None}
    assert reason_by_tags(dicom(**tags), manifest) == why
    assert why is None or why in LEFT_OUT


def routed(manifest: Manifest, *bones: str) -> Manifest:
    """The manifest of a model that tells these bones apart."""
    labels = [f"{bone} {label}" for bone in bones for label in ("normal", "abnormal")]
    decisions = [replace(manifest.decision, positive_labels=(f"{bone} abnormal",)) for bone in bones]
    heads = tuple(
        Head(bone, "abnormality", (f"{bone} normal", f"{bone} abnormal"), decision)
        for bone, decision in zip(bones, decisions, strict=True)
    )
    positive = tuple(f"{bone} abnormal" for bone in bones)
    return replace(
        manifest,
        labels=tuple(labels),
        decision=replace(manifest.decision, positive_labels=positive),
        router=Router(heads, 0.5, "validation"),
    )


def test_a_model_of_several_bones_takes_the_films_of_those(manifest: Manifest) -> None:
    limbs = routed(manifest, "knee", "wrist")
    assert known_parts(limbs) == {"knee", "wrist"}
    assert left_out(Tags(part="wrist", view="lateral"), limbs) is None
    assert left_out(Tags(part="knee", view="lateral"), limbs) == "view"
    assert left_out(Tags(part="chest"), limbs) == "body_part"
    assert left_out(Tags(part="wrist"), manifest) == "body_part"


def test_a_model_that_does_not_tell_its_bone_leaves_no_part_out(manifest: Manifest) -> None:
    other = replace(manifest, finding="abnormality")
    assert left_out(Tags(part="chest", view="lateral"), other) is None


def test_what_is_no_dicom_file_has_no_tags(film: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert [read_tags(path) for path in (film, tmp_path / "empty", tmp_path / "missing.dcm")] == [None] * 3


@pytest.mark.filterwarnings("error")
def test_a_damaged_file_is_left_to_the_decoder(dicom: WriteDicom, capfd: pytest.CaptureFixture[str]) -> None:
    path = dicom(**KNEE_FILM)
    whole = path.read_bytes()
    for length in (10, 140, 200, 300, 400):
        path.write_bytes(whole[:length])
        assert read_tags(path) is not None
    path.write_bytes(whole[:132] + bytes(255 - byte for byte in whole[132:400]))
    assert read_tags(path) == Tags()
    assert capfd.readouterr() == ("", "")


def test_a_deflated_file_is_not_inflated(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "deflated.dcm", deflated=True, **{**KNEE_FILM, "Modality": "CT"})
    assert read_tags(path) == Tags()
