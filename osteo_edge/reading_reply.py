"""What a confined process answers about a file: a short JSON document of a fixed form, then the pixels as they are.

The answer lies in memory that both processes map, and is looked at when the process that wrote it has ended. Nothing of
it is trusted, since the file may have taken that process over: it can give wrong pixels, as the file itself could, and
no more.
"""

import fcntl
import json
import mmap
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.image_header import FORMATS
from osteo_edge.radiograph import MAX_PIXELS, Pixels, Radiograph, Source, check_size
from osteo_edge.strict import from_dict, to_dict

PIXELS_AT: Final = 65_536
"""Where the pixels begin, in bytes; before it lie the length of the document and the document."""
FULL_BYTE: Final = np.float32(255)
BLOCK_PIXELS: Final = 2**14
"""How many pixels are tried at a time whether bytes can hold them: few enough for a processor's cache."""
LENGTH: Final = struct.Struct("=I")
SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

Problem = Literal["file", "package", "memory"]


class BadReplyError(Exception):
    """The answer is cut short, or none that a sound process gives."""


@dataclass(frozen=True)
class Decoded:
    """`radiograph.Source` without its path; and whether the pixels are bytes, to be divided by 255.

    They are float32 in the machine's byte order otherwise, row by row in both cases.
    """

    format: str
    height: int
    width: int
    bits: int
    chroma: float
    modality: str | None
    body_part: str | None
    view_position: str | None
    in_bytes: bool = False

    def __post_init__(self) -> None:
        if self.format not in ("dicom", *FORMATS):
            raise ValueError("format must be one that is read")
        if not 0 <= self.chroma <= 1:
            raise ValueError("chroma must be from 0 to 1")


@dataclass(frozen=True)
class Refused:
    """Why there are no pixels: the file, a package that is missing, or the memory."""

    problem: Problem
    text: str


@dataclass(frozen=True)
class Reply:
    """One of the two."""

    decoded: Decoded | None = None
    refused: Refused | None = None

    def __post_init__(self) -> None:
        if (self.decoded is None) == (self.refused is None):
            raise ValueError("decoded or refused must be there, and not both")


def memory_for_reply() -> int:
    """A descriptor of memory for the largest answer, of which only what is written is taken; nobody can resize it."""
    memory = os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(memory, PIXELS_AT + MAX_PIXELS * np.dtype(np.float32).itemsize)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, SEALS)
    except OSError:
        os.close(memory)
        raise
    return memory


def write_reply(decode: Callable[[], Radiograph], memory: int) -> None:
    """Leave what `decode` gives, or why it gives nothing."""
    reply, pixels = _reply_of(decode)  # by now what a failed decoding had taken is free
    answer = mmap.mmap(memory, PIXELS_AT + pixels.nbytes)
    if reply.decoded is not None and _write_pixels(answer, pixels):
        reply = Reply(replace(reply.decoded, in_bytes=True))
    document = json.dumps(to_dict(reply)).encode("ascii")
    answer[: LENGTH.size + len(document)] = LENGTH.pack(len(document)) + document


def read_reply(memory: int, path: Path, sha256: str) -> Radiograph:
    """The radiograph of the file `path`, whose bytes have the digest `sha256`; or the error that reading it gives.

    Raises RadiographError, MissingExtraError, MemoryError; BadReplyError for an answer that is none.
    """
    reply = _document(memory)
    if reply.decoded is None:
        raise _error_of(reply.refused, path)
    shape = reply.decoded.height, reply.decoded.width
    try:
        check_size(*shape, path)
    except RadiographError as error:
        raise BadReplyError from error
    about = vars(reply.decoded).copy()
    pixels = _pixels(memory, shape, in_bytes=about.pop("in_bytes"))
    return Radiograph(pixels, sha256, Source(path, **about))


class _MissingError(MissingExtraError):
    """The same error, whose text was made elsewhere."""

    def __init__(self, text: str) -> None:
        OsteoEdgeError.__init__(self, text)


def _reply_of(decode: Callable[[], Radiograph]) -> tuple[Reply, Pixels]:
    nothing = np.empty((0, 0), np.float32)
    try:
        radiograph = decode()
    except RadiographError as error:
        return Reply(refused=Refused("file", str(error))), nothing
    except MissingExtraError as error:
        return Reply(refused=Refused("package", str(error))), nothing
    except MemoryError:
        return Reply(refused=Refused("memory", "")), nothing
    about = {name: value for name, value in vars(radiograph.source).items() if name != "path"}
    return Reply(decoded=Decoded(**about)), radiograph.pixels


def _write_pixels(answer: mmap.mmap, pixels: Pixels) -> bool:
    """Leave the pixels; as bytes, and true, where these divided by 255 are the pixels to the bit, as of most files.

    New memory is what costs most about an answer, and bytes take a quarter of it.
    """
    in_bytes = np.frombuffer(answer, np.uint8, pixels.size, PIXELS_AT).reshape(pixels.shape)
    rows = max(1, BLOCK_PIXELS // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        block, written = pixels[top : top + rows], in_bytes[top : top + rows]
        with np.errstate(invalid="ignore"):  # what is no number is no byte, either
            np.rint(block * FULL_BYTE, out=written, casting="unsafe")
        again = np.divide(written, FULL_BYTE, dtype=np.float32)
        if not np.array_equal(again.view(np.uint32), block.view(np.uint32)):
            np.copyto(np.frombuffer(answer, np.float32, offset=PIXELS_AT).reshape(pixels.shape), pixels)
            return False
    return True


def _pixels(memory: int, shape: tuple[int, int], *, in_bytes: bool) -> Pixels:
    """The pixels of an answer, which stay where they are unless they are bytes; BadReplyError for one out of range."""
    dtype = np.dtype(np.uint8 if in_bytes else np.float32)
    length = PIXELS_AT + shape[0] * shape[1] * dtype.itemsize
    mapped = mmap.mmap(memory, length, mmap.MAP_SHARED | mmap.MAP_POPULATE)  # all at once: less than one by one
    samples = np.frombuffer(mapped, dtype, offset=PIXELS_AT).reshape(shape)
    if in_bytes:
        return np.divide(samples, FULL_BYTE, dtype=np.float32)
    if not (samples.min() >= 0 and samples.max() <= 1):
        raise BadReplyError
    return samples


def _document(memory: int) -> Reply:
    with mmap.mmap(memory, PIXELS_AT) as answer:
        (length,) = LENGTH.unpack_from(answer)
        document = answer[LENGTH.size : LENGTH.size + min(length, PIXELS_AT)]
    try:
        return from_dict(Reply, json.loads(document))
    except (ValueError, RecursionError) as error:
        raise BadReplyError from error


def _error_of(refused: Refused | None, path: Path) -> Exception:
    if refused is None or (refused.problem == "file" and not refused.text.startswith(f"{path}: ")):
        return BadReplyError()
    if refused.problem == "memory":
        return MemoryError()
    return _MissingError(refused.text) if refused.problem == "package" else RadiographError(refused.text)
