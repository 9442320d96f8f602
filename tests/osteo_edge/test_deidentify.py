"""What is kept of a DICOM file: the same picture, and not one text, date or number that was planted beside it."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import decode

pydicom = pytest.importorskip("pydicom")
from pydicom.datadict import DicomDictionary, keyword_for_tag  # noqa: E402
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.uid import (  # noqa: E402
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from osteo_edge.deidentify import METHOD, says_burned_in, without_identity  # noqa: E402
from osteo_edge.dicom_terms import TERMS  # noqa: E402
from tests.osteo_edge.dicom_ramp import RAMP  # noqa: E402
from tests.osteo_edge.drawn_dicom import dicom_bytes, dicom_of, lookup_table  # noqa: E402
from tests.osteo_edge.test_metadata import jpeg  # noqa: E402

PATH = Path("knee.dcm")
KEY = bytes(range(32))
MARKER = "LOPEZ_MARIA_4711"
BIRTH = "19470311"
TEXTS = {
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"), MARKER),
    **dict.fromkeys(("OB", "OW", "UN", "OD", "OF", "OL", "OV"), MARKER.encode()),
    "DA": BIRTH,
    "DT": f"{BIRTH}101500",
    "TM": "101517.4711",
    "AS": "079Y",
    "IS": "19470311",
    "DS": "1947.0311",
    "UI": "1.2.840.4711.19470311",
    "AT": 0x4C4F5045,
    "FD": 1947.0311,
    "FL": 1947.0311,
    "SL": 19470311,
    "UL": 19470311,
    "SV": 19470311,
    "UV": 19470311,
    "SS": 4711,
    "US": 4711,
}
"""What can be said of a person in each kind of value."""
PLANTED = (MARKER, BIRTH, "4711", "079Y", "1947.0311")


def planted(syntax: str = ExplicitVRLittleEndian) -> Any:
    """A radiograph with everything in it in which something can be said of a patient."""
    dataset = dicom_of(RAMP, syntax, WindowCenter=2000, WindowWidth=3000)
    for keyword in ("PatientName", "SOPClassUID", "SOPInstanceUID"):
        delattr(dataset, keyword)
    for tag in DicomDictionary:
        vr, multiplicity, _, retired, _ = DicomDictionary[tag]
        keyword = keyword_for_tag(tag)
        group = tag >> 16
        if (
            keyword in dataset
            or keyword in (*TERMS, "SpecificCharacterSet")
            or group <= 4
            or group in (0x0028, 0x7FE0, 0xFFFA, 0xFFFC, 0xFFFE)
        ):
            continue
        if vr in TEXTS and int(multiplicity.split("-")[0].rstrip("n") or 1) == 1 and not retired:
            dataset.add_new(tag, vr, TEXTS[vr])
    return dataset


def with_places(dataset: Any) -> Any:
    """The same with private elements, nested sequences, overlays, curves, a small copy, a report and padding."""
    block = dataset.private_block(0x4711, MARKER, create=True)
    for place, (vr, value) in enumerate(TEXTS.items(), 1):
        block.add_new(place, vr, value)
    inner = Dataset()
    inner.PatientName = inner.TextValue = inner.CodeMeaning = MARKER
    inner.private_block(0x0009, MARKER, create=True).add_new(1, "LO", MARKER)
    outer = Dataset()
    outer.ReferencedImageSequence = [inner]
    outer.ContentSequence = [deepcopy(inner)]
    for keyword in ("RequestAttributesSequence", "ContentSequence", "IconImageSequence", "OriginalAttributesSequence"):
        setattr(dataset, keyword, [deepcopy(outer)])
    for group in (0x6000, 0x60FE):
        dataset.add_new((group, 0x22), "LO", MARKER)
        dataset.add_new((group, 0x3000), "OW", MARKER.encode() * 2)
    dataset.add_new((0x5000, 0x2500), "LO", MARKER)
    dataset.add_new((0x5000, 0x3000), "OW", MARKER.encode() * 2)
    dataset.add_new((0xFFFC, 0xFFFC), "OB", MARKER.encode() * 2)
    dataset.ModalityLUTSequence = lookup_table(np.arange(4096, dtype=np.uint16), 16, LUTExplanation=MARKER)
    dataset.ModalityLUTSequence[0].ModalityLUTType = MARKER
    dataset.VOILUTSequence = lookup_table(np.arange(4096, dtype=np.uint16), 12, LUTExplanation=MARKER)
    dataset.file_meta.PrivateInformationCreatorUID = "1.2.840.4711"
    dataset.file_meta.PrivateInformation = MARKER.encode()
    dataset.file_meta.SourceApplicationEntityTitle = MARKER
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.840.4711.1"
    return dataset


def file_of(dataset: Any) -> bytes:
    data = dicom_bytes(dataset)
    return MARKER.encode().ljust(128, b"!") + data[128:]


def values_of(dataset: Any) -> Iterator[str]:
    for element in dataset.iterall():
        yield f"{element.value!r}"


def assert_nobodys(data: bytes) -> None:
    """No planted text in the file as it is, as it is when inflated, and in no value."""
    assert not [planted for planted in PLANTED if planted.encode() in data]
    found = pydicom.dcmread(BytesIO(data))
    said = [value for value in values_of(found) if len(value) < 1000]
    assert not [value for value in said for planted in PLANTED if planted in value]
    assert found.preamble == bytes(128)
    assert not [element.tag for element in found.iterall() if element.tag.is_private]


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_nothing_that_was_planted_is_left_and_the_picture_is_the_same(syntax: str) -> None:
    data = file_of(with_places(planted(syntax)))
    kept = without_identity(data, PATH, KEY)
    assert_nobodys(kept)
    before, after = decode(data, PATH), decode(kept, PATH)
    np.testing.assert_array_equal(after.pixels, before.pixels)
    assert after.source == before.source
    assert pydicom.dcmread(BytesIO(data)).PixelData == pydicom.dcmread(BytesIO(kept)).PixelData


def test_the_test_plants_something_in_each_kind_of_value() -> None:
    dataset = with_places(planted())
    kinds = {element.VR for element in dataset.iterall()}
    assert set(TEXTS) <= kinds
    assert len(dataset) > 2000
    with pytest.raises(AssertionError):
        assert_nobodys(file_of(dataset))


def test_dicom_anonymizer_finds_nothing_left_to_take_away() -> None:
    """The basic profile of 2024b as its table has it: of all that it removes, empties or replaces nothing is left."""
    anonymizer = pytest.importorskip("dicomanonymizer.simpledicomanonymizer")
    kept = pydicom.dcmread(BytesIO(without_identity(file_of(with_places(planted())), PATH, KEY)))
    named = [tag for tag in anonymizer.initialize_actions_2024b() if len(tag) == 2 and tag in kept]
    assert {keyword_for_tag(tag) for tag in named if kept[tag].value} == {
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",  # which are new
    }  # fmt: skip
    before = kept.to_json_dict()
    anonymizer.anonymize_dataset(kept, base_rules_gen=anonymizer.initialize_actions_2024b)
    after = kept.to_json_dict()
    changed = {tag for tag in before if before[tag] != after.get(tag) and before[tag].get("Value")}
    assert changed == {"00080018", "0020000D", "0020000E"}


def test_the_library_alone_leaves_what_the_allow_list_takes() -> None:
    """Why it is not used alone; should it come to take all of this, the allow-list could go."""
    anonymizer = pytest.importorskip("dicomanonymizer.simpledicomanonymizer")
    dataset = Dataset()
    item = Dataset()
    item.PatientName = MARKER
    dataset.ReferencedPerformedProcedureStepSequence = [item]
    dataset.AdmittingDate = BIRTH
    dataset.Manufacturer = MARKER
    dataset.VOILUTSequence = [deepcopy(item)]
    anonymizer.anonymize_dataset(dataset, base_rules_gen=anonymizer.initialize_actions_2024b)
    assert dataset.Manufacturer == MARKER
    assert dataset.VOILUTSequence[0].PatientName == MARKER
    assert "PatientIdentityRemoved" not in dataset


def test_it_says_that_it_was_de_identified_and_is_what_the_standard_knows() -> None:
    kept = pydicom.dcmread(BytesIO(without_identity(file_of(planted()), PATH, KEY)))
    assert (kept.PatientIdentityRemoved, kept.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    assert kept.DeidentificationMethod == METHOD
    assert len(METHOD) <= 64
    assert kept.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert kept.SOPClassUID.name == "Secondary Capture Image Storage"
    assert kept.file_meta.MediaStorageSOPClassUID == kept.SOPClassUID
    assert kept.file_meta.MediaStorageSOPInstanceUID == kept.SOPInstanceUID
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
        assert keyword in kept
        assert not kept[keyword].value


def test_films_of_one_study_stay_of_one_study_on_one_device_only() -> None:
    def uids(instance: str, key: bytes = KEY) -> tuple[str, str]:
        dataset = dicom_of(RAMP, StudyInstanceUID="1.2.3", SOPInstanceUID=instance)
        kept = pydicom.dcmread(BytesIO(without_identity(dicom_bytes(dataset), PATH, key)))
        return kept.StudyInstanceUID, kept.SOPInstanceUID

    (study, first), (same_study, second), (elsewhere, _) = uids("1.2.3.1"), uids("1.2.3.2"), uids("1.2.3.1", bytes(32))
    assert study == same_study
    assert len({study, first, second, elsewhere}) == 4
    halves = {int(uid.removeprefix("2.25.")) >> 64 for uid in (study, elsewhere)}
    assert len(halves) == 2, "a half of it can be found out without the key"
    assert pydicom.uid.UID(study).is_valid


def test_what_is_kept_is_kept_as_it_is_when_it_comes_again() -> None:
    kept = without_identity(file_of(with_places(planted())), PATH, KEY)
    assert without_identity(kept, PATH, KEY) == kept
    assert without_identity(file_of(with_places(planted())), PATH, KEY) == kept


@pytest.mark.parametrize("uid", ["1.2.840.4711", f"2.25.{BIRTH}", f"2.25.{BIRTH}{'0' * 30}", f"2.25.{'9' * 50}"])
def test_a_file_that_only_claims_to_be_ours_keeps_no_uid(uid: str) -> None:
    dataset = dicom_of(RAMP, DeidentificationMethod=METHOD, SOPInstanceUID=uid)
    kept = pydicom.dcmread(BytesIO(without_identity(dicom_bytes(dataset), PATH, KEY)))
    assert kept.SOPInstanceUID != uid
    elsewhere = without_identity(without_identity(dicom_bytes(dataset), PATH, KEY), PATH, bytes(32))
    assert pydicom.dcmread(BytesIO(elsewhere)).SOPInstanceUID != kept.SOPInstanceUID


@pytest.mark.parametrize("keyword", sorted(TERMS))
def test_a_name_in_place_of_a_coded_word_is_neither_kept_nor_said(keyword: str) -> None:
    dataset = dicom_of(RAMP, **({} if keyword == "PhotometricInterpretation" else {keyword: MARKER}))
    data = dicom_bytes(dataset)
    kept = without_identity(data, PATH, KEY)
    assert MARKER.encode() not in kept
    before, after = decode(data, PATH), decode(kept, PATH)
    assert MARKER not in repr(before.source)
    assert after.source == before.source
    np.testing.assert_array_equal(after.pixels, before.pixels)


def test_a_text_in_place_of_a_number_is_not_kept() -> None:
    dataset = dicom_of(RAMP)
    dataset.add_new("PixelSpacing", "LO", [MARKER, "0.1"])
    dataset.add_new("EstimatedRadiographicMagnificationFactor", "DS", "1.1")
    kept = pydicom.dcmread(BytesIO(without_identity(dicom_bytes(dataset), PATH, KEY)))
    assert "PixelSpacing" not in kept
    assert kept.EstimatedRadiographicMagnificationFactor == 1.1


def test_what_lies_behind_the_pixels_goes() -> None:
    dataset = dicom_of(RAMP)
    dataset.PixelData += MARKER.encode() * 2
    kept = without_identity(dicom_bytes(dataset), PATH, KEY)
    assert MARKER.encode() not in kept
    assert pydicom.dcmread(BytesIO(kept)).PixelData == RAMP.tobytes()


def test_what_lies_behind_pixels_that_share_their_colour_goes() -> None:
    dataset = dicom_of(np.zeros((48, 64, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    dataset.PixelData = bytes(range(256)) * 24 + MARKER.encode()
    data = dicom_bytes(dataset)
    kept = without_identity(data, PATH, KEY)
    assert MARKER.encode() not in kept
    np.testing.assert_array_equal(decode(kept, PATH).pixels, decode(data, PATH).pixels)


def test_notes_within_a_compressed_frame_go_and_its_samples_stay() -> None:
    dataset = dicom_of(np.zeros((48, 64), np.uint8), JPEGBaseline8Bit)
    dataset.PixelData = encapsulate([jpeg()])
    data = dicom_bytes(dataset)
    assert b"LOPEZ-4711" in data
    kept = without_identity(data, PATH, KEY)
    assert b"LOPEZ" not in kept
    np.testing.assert_array_equal(decode(kept, PATH).pixels, decode(data, PATH).pixels)


def test_a_comment_within_a_jpeg_2000_frame_goes(shared_data: Path) -> None:
    dataset = pydicom.dcmread(shared_data / "dicom" / "RG3_J2KR.dcm")
    assert dataset.file_meta.TransferSyntaxUID == JPEG2000Lossless
    frame = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
    at = frame.index(b"\xff\x52")
    text = b"\xff\x64" + (4 + len(MARKER)).to_bytes(2, "big") + b"\0\1" + MARKER.encode()
    dataset.PixelData = encapsulate([frame[:at] + text + frame[at:]])
    data = dicom_bytes(dataset)
    kept = without_identity(data, PATH, KEY)
    assert MARKER.encode() in data
    assert MARKER.encode() not in kept
    np.testing.assert_array_equal(decode(kept, PATH).pixels, decode(data, PATH).pixels)


@pytest.mark.parametrize("says_its_length", [True, False])
def test_what_lies_behind_a_jpeg_2000_frame_goes(shared_data: Path, says_its_length: bool) -> None:
    dataset = pydicom.dcmread(shared_data / "dicom" / "RG3_J2KR.dcm")
    before = decode(dicom_bytes(dataset), PATH)
    frame = bytearray(pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1))
    if not says_its_length:
        last = frame.rindex(b"\xff\x90\0\x0a")
        frame[last + 6 : last + 10] = bytes(4)
    dataset.PixelData = encapsulate([bytes(frame) + MARKER.encode()])
    data = dicom_bytes(dataset)
    kept = without_identity(data, PATH, KEY)
    assert MARKER.encode() in data
    assert MARKER.encode() not in kept
    np.testing.assert_array_equal(decode(kept, PATH).pixels, before.pixels)


def test_real_files_keep_their_picture_and_lose_their_patient(shared_data: Path) -> None:
    """All DICOM files there are of which the picture can be read, a form of the format each."""
    read = 0
    for path in sorted((shared_data / "dicom").glob("*.dcm")):
        data = path.read_bytes()
        try:
            before = decode(data, path)
        except OsteoEdgeError:
            continue
        read += 1
        kept = without_identity(data, path, KEY)
        after = decode(kept, path)
        np.testing.assert_array_equal(after.pixels, before.pixels, err_msg=path.name)
        assert after.source == before.source
        original = pydicom.dcmread(BytesIO(data), force=True)
        for keyword in (
            "PatientName",
            "PatientID",
            "StudyDate",
            "InstitutionName",
            "SOPInstanceUID",
            "StudyInstanceUID",
        ):
            value = str(original.get(keyword) or "")
            assert len(value) < 4 or value.encode() not in kept, (path.name, keyword)
    assert read == 10


def test_text_on_the_pixels_is_told_where_the_file_says_so() -> None:
    assert says_burned_in(dicom_bytes(dicom_of(RAMP, BurnedInAnnotation="YES")), PATH)
    assert not says_burned_in(dicom_bytes(dicom_of(RAMP, BurnedInAnnotation="NO")), PATH)
    assert not says_burned_in(dicom_bytes(dicom_of(RAMP)), PATH)
    kept = without_identity(dicom_bytes(dicom_of(RAMP, BurnedInAnnotation="YES")), PATH, KEY)
    assert says_burned_in(kept, PATH)


def test_what_is_no_picture_ends_in_one_line() -> None:
    with pytest.raises(OsteoEdgeError, match=r"^knee\.dcm: "):
        without_identity(dicom_bytes(dicom_of(RAMP))[:-200] + b"\xff", PATH, KEY)
    with pytest.raises(OsteoEdgeError, match=r"^knee\.dcm: "):
        without_identity(b"nothing of the kind", PATH, KEY)


def test_a_program_and_a_bomb_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dicom_bytes(dicom_of(RAMP))
    with pytest.raises(OsteoEdgeError, match="a program or an archive"):
        without_identity(b"MZ" + data[2:], PATH, KEY)
    monkeypatch.setattr("osteo_edge.dicom.MAX_FILE_BYTES", 1 << 20)
    bomb = dicom_of(RAMP, DeflatedExplicitVRLittleEndian)
    bomb.add_new((0x0009, 0x1010), "OB", bytes(1 << 21))
    with pytest.raises(OsteoEdgeError, match="inflates to more"):
        without_identity(dicom_bytes(bomb), PATH, KEY)


def test_whatever_is_altered_ends_in_a_file_without_names_or_in_one_line() -> None:
    data, draw = file_of(with_places(planted())), np.random.default_rng(5)
    kept = 0
    for _ in range(60):
        altered = bytearray(data)
        for at in draw.integers(0, len(data), 4):
            altered[at] = draw.integers(0, 256)
        with suppress(OsteoEdgeError):
            assert MARKER.encode() not in without_identity(bytes(altered), PATH, KEY)
            kept += 1
    assert kept > 20
