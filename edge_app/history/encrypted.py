"""Whether a history is encrypted, and can be. Light to import, since the app's start asks it."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

VAULT: Final = "vault.json"
COPY: Final = "vault-copy.json"
NEEDED: Final = ("cryptography", "sqlcipher3")


def is_encrypted(folder: Path) -> bool:
    """Whether the history in `folder` is: the files with its keys tell."""
    return (folder / VAULT).exists() or (folder / COPY).exists()


def can_encrypt() -> bool:
    """Whether the packages that encryption needs are installed."""
    return all(find_spec(name) is not None for name in NEEDED)
