"""What the tags of a DICOM file say of a film before it is decoded: who it is by its UIDs, and whether to screen it.

Only what a tag says plainly leaves a film out. One that has no such tag, or a word in it that the standard does not
know, is left to the input gate. No sentence quotes a tag: it could hold a patient's name.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteo_edge.errors import RadiographError
from osteo_edge.findings import findings_of
from osteo_edge.manifest import Manifest
from osteo_edge.radiograph import SNIFFED_BYTES

KEYWORDS: Final = (
    "SOPInstanceUID",
    "Modality",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "BodyPartExamined",
    "ViewPosition",
    "AnatomicRegionSequence",
    "ViewCodeSequence",
    "NumberOfFrames",
    "PresentationIntentType",
)
MARK: Final = b"DICM"
MARK_AT: Final = 128
MAX_UID: Final = 64
KNEE: Final = "knee"
PART_WORDS: Final = (
    "abdomen ankle breast calcaneus cervicalspine chest clavicle coccyx cspine elbow femur finger foot forearm hand "
    "head heart heel hip humerus jaw knee lspine lumbarspine mandible neck orbit pelvis rib ribs sacrum scapula "
    "shoulder skull spine sternum thoracicspine thumb toe tspine wrist zygoma"
)
"""Body parts by the defined terms of PS3.16, Annex L, and the words that stand for them in code sequences, together."""
OTHER_PARTS: Final = frozenset(PART_WORDS.split())
VIEW_WORDS: Final = "ll rl lateral lld rld llo rlo lpo rpo lao rao oblique axial tangential skyline"
"""Views that are not frontal: the defined terms of PS3.3 C.8.11.1.1.1 (View Position), and words for them."""
OTHER_VIEWS: Final = frozenset(VIEW_WORDS.split())
LEFT_OUT: Final = {
    "modality": "not a radiograph by its tags",
    "several_frames": "holds several frames",
    "for_processing": "raw data of the detector, for processing: its film for presentation is another file",
    "body_part": "another part of the body by its tags",
    "view": "not a frontal view by its tags",
}
"""Why a film is not screened: the code, and the sentence."""


@dataclass(frozen=True)
class Tags:
    """What a file says of itself; None where it does not. `part` and `view` are words in lower case without blanks."""

    sop_instance_uid: str | None = None
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    modality: str | None = None
    part: str | None = None
    view: str | None = None
    frames: int = 1
    for_processing: bool = False


def read_tags(path: Path) -> Tags | None:
    """The tags of a DICOM file; None for any other file, and for one that cannot be opened.

    Its pixels are not read. Of a file that is damaged, claims more than fits into memory, or is deflated as a whole,
    nothing is known: decoding will tell.
    MissingExtraError where pydicom is not installed.
    """
    try:
        start = _beginning(path) if path.is_file() else b""  # nobody may ever write to a pipe
    except OSError:
        return None
    is_dicom = start[MARK_AT:] == MARK or (bool(start) and path.suffix.lower() in (".dcm", ".dicom"))
    return _read(path) if is_dicom else None


def reason_by_tags(path: Path, manifest: Manifest) -> str | None:
    """The code of why a model is not to be asked about a file, by its tags alone; None where it may be."""
    tags = read_tags(path)
    return None if tags is None else left_out(tags, manifest)


def left_out(tags: Tags, manifest: Manifest) -> str | None:
    """The code of why a model is not to be asked about a film with these tags; None where it may be."""
    part = tags.part
    if tags.modality is not None and tags.modality not in manifest.gate.modalities:
        return "modality"
    if tags.frames > 1:
        return "several_frames"
    if tags.for_processing:
        return "for_processing"
    known = known_parts(manifest)
    if part is not None and known and part in OTHER_PARTS and part not in known:
        return "body_part"
    is_knee = part == KNEE or known == {KNEE}
    return "view" if is_knee and tags.view in OTHER_VIEWS else None


def known_parts(manifest: Manifest) -> frozenset[str]:
    """The parts of the body that a model knows; none for one whose manifest does not tell."""
    if manifest.router is not None:
        return frozenset(head.bone.casefold() for head in manifest.router.heads)
    return frozenset([KNEE]) if findings_of(manifest) == ("density",) else frozenset()


def _read(path: Path) -> Tags:
    from osteo_edge.dicom import reading_quietly  # MissingExtraError, where pydicom is missing

    try:
        with reading_quietly(path):
            return _tags(_dataset(path))
    except (RadiographError, MemoryError):
        return Tags()


def _dataset(path: Path) -> Any:
    """The data set down to its pixels, without what is not asked for; empty where it would have to be inflated."""
    import pydicom

    meta = pydicom.filereader.read_file_meta_info(path) if _beginning(path).endswith(MARK) else {}
    if meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian:
        return pydicom.Dataset()
    return pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(KEYWORDS))


def _tags(dataset: Any) -> Tags:
    frames = str(dataset.get("NumberOfFrames") or "1")
    return Tags(
        sop_instance_uid=_uid(dataset.get("SOPInstanceUID")),
        study_instance_uid=_uid(dataset.get("StudyInstanceUID")),
        series_instance_uid=_uid(dataset.get("SeriesInstanceUID")),
        modality=str(dataset.get("Modality") or "") or None,
        part=_part(str(dataset.get("BodyPartExamined") or "") or _meaning(dataset, "AnatomicRegionSequence")),
        view=_word(str(dataset.get("ViewPosition") or "") or _meaning(dataset, "ViewCodeSequence")),
        frames=int(frames) if frames.isdecimal() else 1,
        for_processing=dataset.get("PresentationIntentType") == "FOR PROCESSING",
    )


def _uid(value: Any) -> str | None:
    """A UID that is one, so that no other text of the file gets into the results."""
    text = str(value or "")
    return text if text and len(text) <= MAX_UID and text.replace(".", "").isdecimal() and text.isascii() else None


def _meaning(dataset: Any, sequence: str) -> str:
    """What the first item of a code sequence means, in words."""
    items = dataset.get(sequence)
    return str(items[0].get("CodeMeaning") or "") if items else ""


def _part(words: str) -> str | None:
    """The part of the body in one word: "knee" for "Knee joint" too."""
    word = _word(words)
    return KNEE if word is not None and KNEE in word else word


def _word(words: str) -> str | None:
    return "".join(letter for letter in words.casefold() if letter.isalpha()) or None


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SNIFFED_BYTES)
