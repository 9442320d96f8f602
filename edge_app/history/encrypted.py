"""Whether a history is encrypted, and can be. Light to import, since the app's start asks it."""

import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

VAULT: Final = "vault.json"
COPY: Final = "vault-copy.json"
NEEDED: Final = ("cryptography", "sqlcipher3")
PLAIN: Final = b"SQLite format 3\0"
"""How a database begins that is not encrypted."""
PAGE_BYTES: Final = 8192
"""Of an encrypted database."""
PAGES: Final = 16
"""Of the first so many, one that was not overwritten is enough."""


def is_encrypted(folder: Path) -> bool:
    """Whether the history in `folder` is: the files with its keys tell."""
    return (folder / VAULT).exists() or (folder / COPY).exists()


def looks_encrypted(database: Path) -> bool:
    """Whether a file holds an encrypted database, whether or not the file with its keys is there.

    Its bytes are as if drawn by chance and no compression makes them fewer; those of a damaged plain one are not.
    Raises `OSError`.

    >>> looks_encrypted(Path("no such file"))
    False
    """
    try:
        with database.open("rb") as file:
            data = file.read(PAGES * PAGE_BYTES)
    except FileNotFoundError:
        return False
    whole = len(data) // PAGE_BYTES * PAGE_BYTES
    pages = (data[start : start + PAGE_BYTES] for start in range(0, whole, PAGE_BYTES))
    return not data.startswith(PLAIN) and any(len(zlib.compress(page, 1)) >= PAGE_BYTES for page in pages)


def can_encrypt() -> bool:
    """Whether the packages that encryption needs are installed."""
    return all(find_spec(name) is not None for name in NEEDED)
