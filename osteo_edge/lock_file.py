"""A lock: what one way of installing installs, each package with its version and the hashes of its files.

The format is pip's requirements file as uv writes it; `pip install --require-hashes --requirement LOCK` installs it.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.errors import OsteoEdgeError

PINNED: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]+?))?\s*\\?$")
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})\s*\\?$")
VIA: Final = re.compile(r"#\s+(?:via\s*)?([A-Za-z0-9][A-Za-z0-9._-]*)?$")
AGAIN: Final = "make it again with `python -m osteo_edge.locks`"


@dataclass(frozen=True)
class Pin:
    """One package in one version, where `marker` (PEP 508; empty: everywhere) holds.

    `sha256s` are those of its files, any of which pip may choose; `via` names the packages that ask for it.
    """

    name: str
    version: str
    marker: str
    sha256s: tuple[str, ...]
    via: tuple[str, ...]


def read_lock(path: Path) -> tuple[Pin, ...]:
    """The pins of a lock in their order; `OsteoEdgeError` names the line that is none, or has no hash."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error}); name a file below locks/") from error
    return parse_lock(path, text)


def parse_lock(path: Path, text: str) -> tuple[Pin, ...]:
    """The pins in the text of the lock `path`, as `read_lock`."""
    blocks: list[list[tuple[int, str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line and not line.startswith(("#", " ")):
            blocks.append([])
        if line.strip() and blocks:
            blocks[-1].append((number, line.strip()))
    if not blocks:
        raise OsteoEdgeError(f"{path}: pins nothing; {AGAIN}")
    return tuple(_pin(path, block) for block in blocks)


def plain(name: str) -> str:
    """A package's name as the index spells it (PEP 503).

    >>> plain("Kivy_Garden")
    'kivy-garden'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _pin(path: Path, block: list[tuple[int, str]]) -> Pin:
    (first, head), *rest = block
    found = PINNED.fullmatch(head)
    if found is None:
        raise OsteoEdgeError(f"{path}: line {first} pins no version: {head[:80]!r}; {AGAIN}")
    hashes, via = [], []
    for number, line in rest:
        if match := HASH.fullmatch(line):
            hashes.append(match[1])
        elif match := VIA.fullmatch(line):
            via.extend([plain(match[1])] if match[1] else [])
        elif not line.startswith("#"):
            raise OsteoEdgeError(f"{path}: line {number} is no SHA-256: {line[:80]!r}; {AGAIN}")
    if not hashes:
        raise OsteoEdgeError(f"{path}: line {first}, {found[1]}, has no hash; {AGAIN}")
    return Pin(plain(found[1]), found[2], found[3] or "", tuple(hashes), tuple(via))
