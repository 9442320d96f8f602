"""What decoders raise, and how what they only report on stderr becomes an error, too."""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What OpenCV's decoders write to stderr, and nowhere else, when they make up the pixels that they could not read.
_DAMAGE_REPORT = re.compile(rb"Corrupt JPEG data|Premature end of JPEG|\[ERROR:\d")
_stderr_lock = threading.RLock()


class DamagedImageError(Exception):
    """Pixels of an image are missing: its file is cut short or altered."""


class UnsupportedImageError(Exception):
    """The image may be sound, but no decoder here reads its kind of file, which is what the message names."""


@contextmanager
def refusing_reports() -> Iterator[None]:
    """Raise DamagedImageError if a native decoder reports damage on file descriptor 2 while the block runs.

    A damaged JPEG is reported in no other way, and no user should meet such a line. A full pipe does not block. One
    thread at a time, in which it may be nested; what other threads write to stderr meanwhile is dropped.
    """
    with _stderr_lock:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        stderr = os.dup(2)
        os.dup2(writer, 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            os.close(writer)
            with os.fdopen(reader, "rb") as pipe:
                reports = pipe.read() or b""
    if _DAMAGE_REPORT.search(reports):
        raise DamagedImageError
