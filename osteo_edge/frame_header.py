"""What a compressed DICOM frame claims to hold, looked at before a decoder makes room for it.

Decoders believe the frame, not the data set around it: a few hundred bytes can claim a thousand megapixels.
"""

import struct
from typing import Final, NamedTuple

from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLETransferSyntaxes,
)

from osteo_edge.raster.damage import DamagedImageError

CODESTREAM: Final = b"\xff\x4f\xff\x51"
"""How JPEG 2000 begins, whatever box it lies in (ITU-T T.800, A.5.1)."""
JPEG_LS_FRAME: Final = 0xF7
RLE_HEADER_BYTES: Final = 64
PADDING_BYTES: Final = 64
"""Some writers fill up what a run-length encoded segment holds."""


class Claim(NamedTuple):
    """The sides of a frame in pixels, and its samples a pixel."""

    height: int
    width: int
    samples: int


def check_frame(frame: bytes, syntax: str, claim: Claim, sample_bytes: int) -> None:
    """Raise DamagedImageError unless the frame is of the size that the data set around it claims.

    `sample_bytes` are those of a stored sample. Nothing is said of transfer syntaxes that are not read here.
    """
    try:
        if syntax in RLETransferSyntaxes:
            sound = _is_rle(frame, claim.height * claim.width, claim.samples * sample_bytes)
        elif syntax in JPEG2000TransferSyntaxes:
            sound = _jpeg_2000_claim(frame) == claim
        elif syntax in JPEGTransferSyntaxes or syntax in JPEGLSTransferSyntaxes:
            sound = _jpeg_claim(frame) == claim
        else:
            sound = True
    except (struct.error, LookupError, ValueError) as error:
        raise DamagedImageError from error
    if not sound:
        raise DamagedImageError


def _jpeg_claim(frame: bytes) -> Claim:
    """The frame header of JPEG or JPEG-LS (ITU-T T.81, B.2.2)."""
    at = 2
    while True:
        marker = frame[at + 1]
        if marker == JPEG_LS_FRAME or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            return Claim(*struct.unpack_from(">HHB", frame, at + 5))
        at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", frame, at + 2)[0]


def _jpeg_2000_claim(frame: bytes) -> Claim:
    """The SIZ segment, the first of a codestream."""
    right, bottom, left, top = struct.unpack_from(">4I", frame, frame.index(CODESTREAM) + 8)
    (samples,) = struct.unpack_from(">H", frame, frame.index(CODESTREAM) + 40)
    return Claim(bottom - top, right - left, samples)


def _is_rle(frame: bytes, pixels: int, segments: int) -> bool:
    """Whether so many segments lie in the frame, each of a byte for each pixel (PS3.5 annex G)."""
    count, *offsets = struct.unpack_from("<16I", frame)
    ends = [*offsets[1:count], len(frame)]
    return count == segments and all(
        pixels <= _run_length(frame[start:end], pixels + PADDING_BYTES) <= pixels + PADDING_BYTES
        for start, end in zip(offsets[:count], ends, strict=True)
    )


def _run_length(segment: bytes, most: int) -> int:
    """How many bytes a segment expands to, told no further than `most`."""
    at = length = 0
    while at < len(segment) and length <= most:
        run = segment[at]
        if run < 128:
            length += min(run + 1, len(segment) - at - 1)
            at += run + 2
        else:
            length += 257 - run if run > 128 and at + 1 < len(segment) else 0
            at += 2 if run > 128 else 1
    return length
