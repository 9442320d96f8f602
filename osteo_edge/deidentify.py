"""A DICOM file without whom it is of: PS3.15 annex E's basic profile, and an allow-list that goes further.

What stays is what the picture is decoded by, its scale, the kind of the machine and the part of the body; everything
else goes: all text, all dates, private elements, nested sequences, overlays, curves, small copies, the preamble. What
is left is a Secondary Capture image, which asks for little. The pixels are not looked at: see `BurnedInAnnotation`.

Imported only when such a file is met, since it needs pydicom.
"""

import hmac
import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from osteo_edge.dicom import check_before_parsing, declared_syntax, reading_quietly
from osteo_edge.dicom_terms import TERMS, known_term
from osteo_edge.hashing import sha256_bytes
from osteo_edge.jpeg_2000 import without_comments
from osteo_edge.metadata import jpeg_without_metadata

import pydicom  # isort: skip  # osteo_edge.dicom has told of it where it is missing
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    SecondaryCaptureImageStorage,
)

METHOD: Final = "osteo-edge: PS3.15 annex E basic profile and an allow-list"
BASIC_PROFILE: Final = ("113100", "DCM", "Basic Application Confidentiality Profile")
"""Code of PS3.16 CID 7050."""
UUID_ROOT: Final = "2.25."
"""What a UID begins with that is made of 128 bits (PS3.5 B.2)."""
HALF_BYTES: Final = 8

NUMBERS: Final = (
    *("Rows", "Columns", "SamplesPerPixel", "PlanarConfiguration", "NumberOfFrames", "PixelAspectRatio"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"),
)
"""What the pixels are made of the samples with; kept where they are numbers."""
SCALES: Final = (
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "EstimatedRadiographicMagnificationFactor"),
)
MOST_SCALE: Final = 20.0
"""Millimetres a pixel, or how many times as large; what is larger is no scale, but might be a date."""
PALETTES: Final = tuple(
    name.format(colour)
    for colour in ("Red", "Green", "Blue")
    for name in (
        "{}PaletteColorLookupTableDescriptor",
        "{}PaletteColorLookupTableData",
        "Segmented{}PaletteColorLookupTableData",
    )
)
TABLES: Final = ("VOILUTSequence", "ModalityLUTSequence")
EMPTY: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "AccessionNumber"),
    *("StudyDate", "StudyTime", "StudyID", "SeriesNumber", "InstanceNumber", "PatientOrientation"),
)
"""Must be there, and may be empty (type 2 of PS3.3)."""
REPLACED_UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def without_identity(data: bytes, path: Path, key: bytes) -> bytes:
    """The DICOM file that is kept of one that could be decoded: the same pixels, and nobody's.

    The same file and key give the same bytes, and so does the kept file itself. UIDs are replaced by what only the
    `key` makes of them, so that two films of one study stay of one study. Raises RadiographError, naming `path`, for a
    file whose picture cannot be taken out.
    """
    with reading_quietly(path):
        check_before_parsing(data, path)
        found = pydicom.dcmread(BytesIO(data), force=True)
        syntax = declared_syntax(found)
        kept = pydicom.Dataset()
        kept.update({element.tag: element for element in _kept(found)})
        kept.PixelData = _picture(found, syntax)
        kept["PixelData"].VR = found["PixelData"].VR
        _name(kept, found, sha256_bytes(data), key)
        kept.file_meta = pydicom.dataset.FileMetaDataset()
        kept.file_meta.TransferSyntaxUID = syntax
        kept.preamble = bytes(128)
        file = BytesIO()
        pydicom.dcmwrite(file, kept, enforce_file_format=True)
    return file.getvalue()


def says_burned_in(data: bytes, path: Path) -> bool:
    """Whether a DICOM file says that text stands on its pixels."""
    with reading_quietly(path):
        found = pydicom.dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        return str(found.get("BurnedInAnnotation")).strip().upper() == "YES"


def _kept(found: Any) -> Iterator[Any]:
    """The elements that are kept of a data set, each in the form in which it came."""
    for keyword in (*NUMBERS, *SCALES):
        if keyword in found and _is_number(found[keyword].value, MOST_SCALE if keyword in SCALES else math.inf):
            yield found[keyword]
    for keyword in PALETTES:
        if keyword in found:
            yield found[keyword]
    for keyword in TERMS:
        term = known_term(keyword, found.get(keyword))
        if term is not None:
            yield pydicom.DataElement(pydicom.datadict.tag_for_keyword(keyword), "CS", term)
    for keyword in TABLES:
        if found.get(keyword):
            yield pydicom.DataElement(found[keyword].tag, "SQ", [_table(found[keyword].value[0], keyword)])


def _is_number(value: Any, most: float) -> bool:
    """Whether it is a number of at most `most`, or several; what is empty says nothing."""
    values = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    try:
        return bool(values) and all(math.isfinite(float(one)) and abs(float(one)) <= most for one in values)
    except (TypeError, ValueError):
        return False


def _table(item: Any, keyword: str) -> Any:
    """The first look-up table, which is the one in use, without its explanation."""
    table = pydicom.Dataset()
    for name in ("LUTDescriptor", "LUTData"):
        table.add(item[name])
    if keyword == "ModalityLUTSequence":
        table.ModalityLUTType = "US"
    return table


def _picture(found: Any, syntax: UID) -> bytes:
    """The pixel data, without what a compressed frame says beside its samples, and without what lies behind them."""
    data = bytes(found.PixelData)
    if not syntax.is_encapsulated:
        needed = _uncompressed_bytes(found)
        if len(data) < needed - 1:
            raise ValueError("samples are missing")
        return data[:needed]
    frame = bytes(get_frame(data, 0, number_of_frames=1))
    if syntax in JPEG2000TransferSyntaxes:
        cleaned = without_comments(frame)
    elif syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        cleaned = jpeg_without_metadata(frame)
    else:
        return bytes(encapsulate([frame]))
    return bytes(encapsulate([cleaned]))


def _uncompressed_bytes(found: Any) -> int:
    """How long the samples are, to an even number of bytes."""
    samples = int(found.Rows) * int(found.Columns) * int(found.get("SamplesPerPixel") or 1)
    if found.PhotometricInterpretation == "YBR_FULL_422":  # two pixels share their colour (PS3.3 C.7.6.3.1.2)
        samples = samples * 2 // 3
    needed = -(-samples * int(found.BitsAllocated) // 8)
    return needed + needed % 2


def _name(kept: Any, found: Any, original: str, key: bytes) -> None:
    """Say what a Secondary Capture image must say of itself, and by what it was de-identified (PS3.15 E.1.1).

    `original` stands for a UID that is missing.
    """
    for keyword in EMPTY:
        setattr(kept, keyword, "")
    for keyword in REPLACED_UIDS:
        setattr(kept, keyword, _replaced(str(found.get(keyword) or original), keyword, key))
    kept.SOPClassUID = SecondaryCaptureImageStorage
    kept.ConversionType = "WSD"
    kept.ImageType = ["DERIVED", "SECONDARY"]
    if "RescaleSlope" in kept or "RescaleIntercept" in kept:
        kept.RescaleType = "US"
    kept.PatientIdentityRemoved = "YES"
    kept.DeidentificationMethod = METHOD
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = BASIC_PROFILE
    kept.DeidentificationMethodCodeSequence = [code]
    kept.LongitudinalTemporalInformationModified = "REMOVED"


def _replaced(uid: str, keyword: str, key: bytes) -> str:
    """Another UID, of 64 bits that stand for the one before and 64 that tell that it was made with this key.

    One that was is left as it is.
    """
    made = uid.removeprefix(UUID_ROOT)
    if uid != made and made.isdecimal() and made == str(_number(int(made) >> 8 * HALF_BYTES, key)):
        return uid
    digest = hmac.digest(key, f"{keyword} {uid}".encode(), "sha256")
    return f"{UUID_ROOT}{_number(int.from_bytes(digest[:HALF_BYTES], 'big'), key)}"


def _number(half: int, key: bytes) -> int:
    """The half, of 64 bits, before as many that prove it; of more there is no proof."""
    if half.bit_length() > 8 * HALF_BYTES:
        return -1
    data = half.to_bytes(HALF_BYTES, "big")
    return int.from_bytes(data + hmac.digest(key, data, "sha256")[:HALF_BYTES], "big")
