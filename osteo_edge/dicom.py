"""DICOM files: stored values become grey in [0, 1], bone bright, in the order of PS3.3 C.11 and PS3.4 N.2.

Modality LUT or rescale, then VOI LUT or window, then the photometric interpretation. Imported only when such a file
is met, since it needs pydicom. No message quotes a value from the file: it could be a patient's name.
"""

import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.dicom_terms import known_term
from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.radiograph import MAX_FILE_BYTES, Pixels, Source, check_size, grey_and_chroma, refusing_damage
from osteo_edge.raster import FORM
from osteo_edge.raster.damage import UnsupportedImageError

try:
    import pydicom
    from pydicom.filereader import read_dataset, read_preamble

    from osteo_edge.dicom_frames import is_readable, samples_of
    from osteo_edge.dicom_palette import looked_up
except ImportError as missing:
    raise MissingExtraError("reading DICOM", "pydicom", "dicom") from missing

Samples = npt.NDArray[Any]

INFLATED_AT_ONCE = 1 << 20
PREAMBLE_BYTES = 128
PROGRAMS_AND_ARCHIVES = (b"MZ", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"#!", b"PK", b"%PDF", b"<")
"""What a preamble must not begin as (CVE-2019-11687). It may begin as TIFF, as the standard has it (PS3.10, 7.1)."""


def decode_dicom(data: bytes, path: Path) -> tuple[Pixels, Source]:
    """Decode the bytes of a single-frame DICOM image, with or without its preamble and file meta information.

    The pixels are float32 (rows, columns) in [0, 1]. The first window is used, or the full range where there is none.
    Raises RadiographError, or MissingExtraError where the compression needs a decoder that is not installed.
    """
    with reading_quietly(path):
        check_before_parsing(data, path)
        dataset = pydicom.dcmread(BytesIO(data), force=True)
        _check_image(dataset, path)
        _check_decoder(dataset, path)
        samples = _samples(dataset, path)
        pixels, chroma = _grey(dataset, samples, path)
        if not np.isfinite(pixels.sum()):
            raise ValueError("numbers too large for a picture")
        return pixels, _source(dataset, path, pixels, chroma)


@contextmanager
def reading_quietly(path: Path) -> Iterator[None]:
    """Keep pydicom's warnings and log lines, which quote values, to ourselves; turn what it raises into one line."""
    log = logging.getLogger("pydicom")
    propagate, log.propagate = log.propagate, False
    try:
        with warnings.catch_warnings(), refusing_damage(path, "dicom"):
            warnings.simplefilter("ignore")
            yield
    except (OsteoEdgeError, MemoryError):
        raise
    except Exception as error:  # a damaged file makes pydicom raise nearly anything
        problem = "the DICOM data are damaged or incomplete; send or export the file again"
        raise RadiographError(f"{path}: {problem}") from error
    finally:
        log.propagate = propagate


def check_before_parsing(data: bytes, path: Path) -> None:
    """Refuse what is more than DICOM, and what would fill the memory."""
    _check_preamble(data, path)
    _check_deflated_size(data, path)


def _check_preamble(data: bytes, path: Path) -> None:
    """Refuse a file that is a program or an archive as well, which would be kept and passed on as a radiograph."""
    if data.startswith(PROGRAMS_AND_ARCHIVES) and data.startswith(b"DICM", PREAMBLE_BYTES):
        problem = "is a program or an archive as well as DICOM; do not open it, and export the radiograph again"
        raise RadiographError(f"{path}: {problem}")


def _check_deflated_size(data: bytes, path: Path) -> None:
    """Refuse a deflated data set that would fill the memory when inflated (PS3.5 A.5)."""
    file = BytesIO(data)
    read_preamble(file, force=True)
    meta = read_dataset(file, False, True, stop_when=lambda tag, *_: tag.group != 2)
    if meta.get("TransferSyntaxUID") != pydicom.uid.DeflatedExplicitVRLittleEndian:
        return
    inflater, left, inflated = zlib.decompressobj(-zlib.MAX_WBITS), file.read(), 0
    while left and inflated <= MAX_FILE_BYTES:
        inflated += len(inflater.decompress(left, INFLATED_AT_ONCE))
        left = inflater.unconsumed_tail
    if inflated > MAX_FILE_BYTES:
        raise RadiographError(f"{path}: inflates to more than {MAX_FILE_BYTES // 2**20} MiB; export it uncompressed")


def _check_image(dataset: Any, path: Path) -> None:
    """Refuse what is no single image of an acceptable size, before anything is decoded."""
    if not len(dataset):
        raise RadiographError(f"{path}: holds no DICOM data that can be read; export the file again")
    if "PixelData" not in dataset:
        what = {"RTPLAN": "a treatment plan", "SR": "a report", "PR": "a presentation state"}
        kind = what.get(str(dataset.get("Modality")), "a DICOM file")
        raise RadiographError(f"{path}: {kind} without complete pixel data; export the radiograph itself")
    frames = _whole_number(dataset, "NumberOfFrames", path, default=1)
    if frames > 1:
        raise RadiographError(f"{path}: holds {frames} frames; export one radiograph a file")
    if _whole_number(dataset, "SamplesPerPixel", path, default=1) not in (1, 3):
        raise RadiographError(f"{path}: has neither 1 nor 3 samples a pixel; export it as grey or RGB")
    check_size(_whole_number(dataset, "Rows", path), _whole_number(dataset, "Columns", path), path)


def _whole_number(dataset: Any, keyword: str, path: Path, default: int | None = None) -> int:
    try:
        value = dataset.get(keyword)
        return int(default if value is None and default is not None else value)
    except (TypeError, ValueError) as error:
        raise RadiographError(f"{path}: {keyword} is missing or not a number; export the file again") from error


def _check_decoder(dataset: Any, path: Path) -> None:
    """Fill in a transfer syntax that the file does not name, and see that its compression can be decoded here."""
    syntax = dataset.file_meta.TransferSyntaxUID = declared_syntax(dataset)
    name = _name_of(syntax)
    uncompressed = RadiographError(f"{path}: compressed as {name}; export it uncompressed")
    try:
        readable = is_readable(dataset)
    except NotImplementedError as error:
        raise uncompressed from error
    if not readable and FORM == "plain":  # as on Android, where nothing can be installed beside
        raise uncompressed
    if not readable:
        raise MissingExtraError(f"{path}: reading DICOM compressed as {name}", "python-gdcm", "dicom")


def declared_syntax(dataset: Any) -> Any:
    """The transfer syntax that the file names, or the uncompressed one that it is written in where it names none."""
    if "TransferSyntaxUID" in dataset.file_meta:
        return dataset.file_meta.TransferSyntaxUID
    implicit, little_endian = dataset.original_encoding
    explicit = pydicom.uid.ExplicitVRLittleEndian if little_endian else pydicom.uid.ExplicitVRBigEndian
    return pydicom.uid.ImplicitVRLittleEndian if implicit else explicit


def _name_of(syntax: Any) -> str:
    """What the standard calls a transfer syntax; what else stands in the file is not quoted."""
    return str(syntax.name) if syntax.name != syntax else "an unknown transfer syntax"


def _samples(dataset: Any, path: Path) -> Samples:
    try:
        return samples_of(dataset)
    except UnsupportedImageError as error:
        name = _name_of(dataset.file_meta.TransferSyntaxUID)
        raise RadiographError(f"{path}: compressed as {name}; export it uncompressed") from error


def _grey(dataset: Any, samples: Samples, path: Path) -> tuple[Pixels, float]:
    """Return pixels in [0, 1], bone bright, and the mean chroma."""
    photometric = dataset.get("PhotometricInterpretation")
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        return _monochrome(dataset, samples, white_is_low=photometric == "MONOCHROME1"), 0.0
    if photometric == "PALETTE COLOR":
        samples = looked_up(samples, dataset)
    if samples.ndim != 3 or samples.dtype not in (np.uint8, np.uint16):
        raise RadiographError(f"{path}: neither a grey nor a colour image of 8 or 16 bits; export it as MONOCHROME2")
    full_scale = int(np.iinfo(samples.dtype).max)
    if photometric != "PALETTE COLOR":
        full_scale = 2 ** int(dataset.BitsStored) - 1
    grey, chroma = grey_and_chroma(np.ascontiguousarray(samples[..., ::-1]), full_scale)
    return np.divide(grey, np.float32(full_scale), dtype=np.float32), chroma


def _monochrome(dataset: Any, stored: Samples, *, white_is_low: bool) -> Pixels:
    """Apply the modality transformation, the window and the photometric interpretation (PS3.3 C.7.6.3.1.2).

    Presentation LUT Shape only repeats the photometric interpretation (PS3.3 C.8.11.3), so it is not looked at.
    Padding is background: it does not widen the range and ends black.
    """
    padding = _padding(dataset, stored)
    values = _rescale(dataset, stored)
    window = _first_window(dataset)
    if "VOILUTSequence" in dataset and len(dataset.VOILUTSequence):
        pixels = _voi_lut(dataset, values)
    elif window is not None:
        pixels = apply_window(values, *window)
    else:
        pixels = _full_range(values, padding)
    if white_is_low:
        np.subtract(np.float32(1), pixels, out=pixels)
    if padding is not None:
        pixels[padding] = 0
    return pixels


def _padding(dataset: Any, stored: Samples) -> npt.NDArray[np.bool_] | None:
    """Return where the stored values are padding (PS3.3 C.7.5.1.1.2), or None where nothing is."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return None
    last = dataset.get("PixelPaddingRangeLimit", first)
    padding = np.asarray((stored >= min(first, last)) & (stored <= max(first, last)))
    return padding if padding.any() and not padding.all() else None


def _rescale(dataset: Any, stored: Samples) -> Pixels:
    """Apply the Modality LUT, or slope and intercept (PS3.3 C.11.1)."""
    if "ModalityLUTSequence" in dataset and len(dataset.ModalityLUTSequence):
        return _look_up(dataset, dataset.ModalityLUTSequence[0], stored)
    values = stored.astype(np.float32)
    slope, intercept = _first_number(dataset, "RescaleSlope"), _first_number(dataset, "RescaleIntercept")
    values *= np.float32(1 if slope is None else slope)
    values += np.float32(intercept or 0)
    return values


def _first_window(dataset: Any) -> tuple[float, float, str] | None:
    """Return centre, width and function of the first window, or None where there is none that the standard allows."""
    centre, width = _first_number(dataset, "WindowCenter"), _first_number(dataset, "WindowWidth")
    function = str(dataset.get("VOILUTFunction") or "LINEAR")
    if centre is None or width is None or width <= 0 or (function == "LINEAR" and width < 1):
        return None
    return centre, width, function


def _first_number(dataset: Any, keyword: str) -> float | None:
    """Return the first of the element's values, or None where it is absent or empty; ValueError unless it is finite."""
    value = dataset.get(keyword)
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if len(value) else None
    if value in (None, ""):
        return None
    if not np.isfinite(float(value)):
        raise ValueError(f"{keyword} is not finite")
    return float(value)


def apply_window(values: Pixels, centre: float, width: float, function: str = "LINEAR") -> Pixels:
    """Map values to [0, 1] by LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1.2, C.11.2.1.3).

    >>> apply_window(np.float32([0, 1, 2, 3]), 2, 4, "LINEAR_EXACT").tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    if function == "SIGMOID":
        exponent = np.clip((values - np.float32(centre)) * np.float32(-4 / width), -80, 80)
        return np.asarray(1 / (1 + np.exp(exponent)), np.float32)
    if function == "LINEAR":
        centre, width = centre - 0.5, width - 1
    if width == 0:
        return np.asarray(values > centre, np.float32)
    pixels = (values - np.float32(centre)) / np.float32(width)
    pixels += np.float32(0.5)
    return np.asarray(np.clip(pixels, 0, 1, out=pixels), np.float32)


def _voi_lut(dataset: Any, values: Pixels) -> Pixels:
    """Look the values up in the first VOI LUT, whose descriptor gives the bits of its output (PS3.3 C.11.2.1.1)."""
    item = dataset.VOILUTSequence[0]
    full_scale = 2 ** int(item.LUTDescriptor[2]) - 1
    return np.asarray((_look_up(dataset, item, values) / np.float32(full_scale)).clip(0, 1), np.float32)


def _look_up(dataset: Any, item: Any, values: Samples) -> Pixels:
    """Map values by a LUT item; what lies outside takes its first or last entry (PS3.3 C.11.1.1).

    Not pydicom's function: that indexes with the bits of the output, and so wraps a table of 4096 8-bit entries.
    """
    table = item.LUTData
    if isinstance(table, bytes):
        table = np.frombuffer(table, "<u2" if dataset.original_encoding[1] else ">u2")
    table = np.asarray(table, np.float32)
    indices = np.rint(values - np.float32(item.LUTDescriptor[1])).clip(0, len(table) - 1)
    return np.asarray(table[indices.astype(np.intp)])


def _full_range(values: Pixels, padding: npt.NDArray[np.bool_] | None) -> Pixels:
    """Scale the smallest value that is not padding to 0 and the largest to 1; a constant image is 0."""
    image = values if padding is None else values[~padding]
    low, high = image.min(), image.max()
    values -= low
    values /= max(high - low, np.finfo(np.float32).tiny)
    return np.asarray(np.clip(values, 0, 1, out=values), np.float32)


def _source(dataset: Any, path: Path, pixels: Pixels, chroma: float) -> Source:
    codes = (known_term(keyword, dataset.get(keyword)) for keyword in ("Modality", "BodyPartExamined", "ViewPosition"))
    height, width = pixels.shape
    return Source(path, "dicom", height, width, int(dataset.BitsStored), chroma, *codes)
