"""What an audit keeps of one image: hashes, size, brightness, and never its pixels."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.dataset import Case
from osteo_edge.radiograph import Radiograph, read_radiograph

Floats = npt.NDArray[np.floating[Any]]

THUMBNAIL = 64
"""Side of the square that the image is averaged to, in pixels."""
KEPT = 16
"""The lowest 16 x 16 of the thumbnail's cosine coefficients make the 256 bits of a hash."""
HASH_BYTES = KEPT * KEPT // 8
ROUNDING = 1 / 255 / np.sqrt(12)
"""Standard deviation of a coefficient that stems from 8-bit rounding alone (uniform; the transform is orthonormal)."""
DECIDED_BITS = 128
"""A hash of which fewer bits stand above twice the rounding says nothing. The shared knees have 245 and more of 256."""
BLANK_DEVIATION = 1 / 255
"""Below this standard deviation (pixels in [0, 1]) there is no picture."""
VARIANTS = ("as it is", "mirrored", "upside down", "turned by 180°", "transposed", "turned by 90°", "turned by 270°",
            "transposed across")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One readable image, in less than a kilobyte.

    `hashes` holds 32 bytes for each of `VARIANTS` in turn, or nothing for a featureless image.
    """

    name: str
    label: str
    patient: str | None
    sha256: str
    pixels_sha256: str
    height: int
    width: int
    format: str
    bits: int
    file_bytes: int
    mean: float
    deviation: float
    hashes: bytes

    @property
    def blank(self) -> bool:
        """Whether every pixel has nearly the same brightness."""
        return self.deviation < BLANK_DEVIATION

    def to_dict(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "hashes"}
        return values | {"perceptual_hash": self.hashes[:HASH_BYTES].hex() or None}


def fingerprint(case: Case) -> Fingerprint:
    """Read one image and keep what the audit needs; raises `RadiographError` where it cannot be read."""
    radiograph = read_radiograph(case.path)
    pixels, source = radiograph.pixels, radiograph.source
    return Fingerprint(
        name=case.name,
        label=case.label,
        patient=case.patient,
        sha256=radiograph.sha256,
        pixels_sha256=_content_sha256(radiograph),
        height=pixels.shape[0],
        width=pixels.shape[1],
        format=source.format,
        bits=source.bits,
        file_bytes=Path(case.path).stat().st_size,
        mean=float(pixels.mean(dtype=np.float64)),
        deviation=float(pixels.std(dtype=np.float64)),
        hashes=perceptual_hashes(pixels),
    )


def _content_sha256(radiograph: Radiograph) -> str:
    """The hash of size and pixels at 16 bits, so that a film saved losslessly in another format hashes the same."""
    levels = np.rint(radiograph.pixels * 65535).astype("<u2")
    return hashlib.sha256(str(levels.shape).encode() + levels.tobytes()).hexdigest()


def perceptual_hashes(pixels: Floats) -> bytes:
    """The 256-bit hashes of the image in each of `VARIANTS`; nothing where the image has too little structure.

    `pixels` are (height, width) in [0, 1]. The image is area-averaged to 64 x 64, and a bit says whether a
    low-frequency cosine coefficient is above their median (after Zauner 2010, "Implementation and Benchmarking of
    Perceptual Image Hash Functions", with 16 x 16 instead of 8 x 8 coefficients). Brightness and contrast change a
    bit or two, a crop or a turn by a few degrees more than is looked for.

    >>> perceptual_hashes(np.zeros((80, 60), np.float32))
    b''
    """
    thumbnail = cv2.resize(pixels, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    coefficients: Floats = np.asarray(cv2.dct(thumbnail.astype(np.float32))[:KEPT, :KEPT], np.float32)
    decided = np.abs(coefficients - np.median(coefficients)) > 2 * ROUNDING
    if decided.sum() < DECIDED_BITS:
        return b""
    variants = _variants(coefficients).reshape(len(VARIANTS), -1)
    return np.packbits(variants > np.median(variants, axis=1, keepdims=True)).tobytes()


def _variants(coefficients: Floats) -> Floats:
    """The coefficients of the image mirrored and turned: the odd ones change sign, or rows and columns swap."""
    across = np.where(np.arange(KEPT) % 2, -1, 1)
    down = across[:, None]
    upright, transposed = (
        np.stack((image, image * across, image * down, image * across * down))
        for image in (coefficients, coefficients.T)
    )
    return np.concatenate((upright, transposed))
