"""The name of a file that another app has named: any text at all may come."""

import unicodedata
from typing import Final

from osteo_edge.edge_app.browsing.listing import OTHER_SUFFIXES, READ_SUFFIXES

LONGEST_BYTES: Final = 120
NAMELESS: Final = "film"

_SUFFIXES: Final = (
    (128, b"DICM", ".dcm"),
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"BM", ".bmp"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
)


def safe_name(claimed: str | None, head: bytes) -> str:
    """A name for a file of our own, from what another app calls it and the first bytes of its content.

    No path, nothing hidden, nothing that is not seen or that turns the reading direction, at most `LONGEST_BYTES`.
    A name without an image's suffix gets that of the content.

    >>> safe_name("../../files/history.db", b""), safe_name("..", b"BM"), safe_name("knee", b"\\xff\\xd8\\xff")
    ('history.db', 'film.bmp', 'knee.jpg')
    """
    name = unicodedata.normalize("NFC", claimed or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(one if one.isprintable() else " " for one in name)
    stem, dot, ending = name.rpartition(".")
    suffix = f"{dot}{ending}".rstrip() if dot else ""
    if suffix.lower() not in READ_SUFFIXES | OTHER_SUFFIXES:
        stem, suffix = name, _suffix_of(head) if not dot else ""
    stem = _shortened(" ".join(stem.split()).strip(". "), LONGEST_BYTES - len(suffix))
    return (stem or NAMELESS) + (suffix if stem else suffix or _suffix_of(head))


def _suffix_of(head: bytes) -> str:
    return next((suffix for at, mark, suffix in _SUFFIXES if head[at : at + len(mark)] == mark), "")


def _shortened(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore").strip(". ")
