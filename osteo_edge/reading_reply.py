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
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.image_header import FORMATS
from osteo_edge.radiograph import MAX_PIXELS, Pixels, Radiograph, Source, check_size
from osteo_edge.strict import from_dict, to_dict

PIXELS_AT: Final = 65_536
"""Where the pixels begin, in bytes; before it lie the length of the document and the document."""
LENGTH: Final = struct.Struct("=I")
SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL

Problem = Literal["file", "package", "memory"]


class BadReplyError(Exception):
    """The answer is cut short, or none that a sound process gives."""


@dataclass(frozen=True)
class Decoded:
    """`radiograph.Source` without its path; the pixels are float32 in the machine's byte order, row by row."""

    format: str
    height: int
    width: int
    bits: int
    chroma: float
    modality: str | None
    body_part: str | None
    view_position: str | None

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
    document = json.dumps(to_dict(reply)).encode("ascii")
    with _mapped(memory, pixels.shape) as answer:
        answer[: LENGTH.size + len(document)] = LENGTH.pack(len(document)) + document
        np.copyto(np.frombuffer(answer, np.float32, offset=PIXELS_AT).reshape(pixels.shape), pixels)


def read_reply(memory: int, path: Path, sha256: str) -> Radiograph:
    """The radiograph of the file `path`, whose bytes have the digest `sha256`; or the error that reading it gives.

    The pixels stay where they are. Raises RadiographError, MissingExtraError, MemoryError; BadReplyError for an answer
    that is none.
    """
    reply = _document(memory)
    if reply.decoded is None:
        raise _error_of(reply.refused, path)
    shape = reply.decoded.height, reply.decoded.width
    try:
        check_size(*shape, path)
    except RadiographError as error:
        raise BadReplyError from error
    pixels = np.frombuffer(_mapped(memory, shape), np.float32, offset=PIXELS_AT).reshape(shape)
    if not (pixels.min() >= 0 and pixels.max() <= 1):
        raise BadReplyError
    return Radiograph(pixels, sha256, Source(path, **vars(reply.decoded)))


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


def _document(memory: int) -> Reply:
    with _mapped(memory, (0, 0)) as answer:
        (length,) = LENGTH.unpack_from(answer)
        document = answer[LENGTH.size : LENGTH.size + min(length, PIXELS_AT)]
    try:
        return from_dict(Reply, json.loads(document))
    except (ValueError, RecursionError) as error:
        raise BadReplyError from error


def _mapped(memory: int, shape: tuple[int, ...]) -> mmap.mmap:
    """The answer so far as it is as large; all its pages at once, which takes less than one by one."""
    length = PIXELS_AT + shape[0] * shape[1] * np.dtype(np.float32).itemsize
    return mmap.mmap(memory, length, mmap.MAP_SHARED | mmap.MAP_POPULATE)


def _error_of(refused: Refused | None, path: Path) -> Exception:
    if refused is None or (refused.problem == "file" and not refused.text.startswith(f"{path}: ")):
        return BadReplyError()
    if refused.problem == "memory":
        return MemoryError()
    return _MissingError(refused.text) if refused.problem == "package" else RadiographError(refused.text)
