"""A history to encrypt, and what may not be read of it afterwards."""

from pathlib import Path

from tests.edge_app.history.made import make_record

PIN = "719305"
MARKERS = (b"K-1042", b"hip fracture", b"A FILM OF SOMEBODY", b"WHERE IT LOOKED", b"K-draft")
ONE = make_record(b"A FILM OF SOMEBODY" * 300, b"WHERE IT LOOKED" * 20, code="K-1042", note="hip fracture")


def everything(folder: Path) -> bytes:
    """The bytes of all files around a history, their names among them."""
    files = sorted(path for path in folder.parent.rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)


def found(folder: Path) -> list[bytes]:
    """The markers that can be read there."""
    there = everything(folder)
    return [marker for marker in MARKERS if marker in there]
