"""Names of files that are the same file on every system: on a stick in FAT, on Windows, on a phone."""

import re
from collections.abc import Iterable

MAX_LETTERS = 255
"""Of one part of a path (NAME_MAX on Linux, and FAT's longest)."""

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._+@~-]*(?<!\.)")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""What Windows opens in place of a file of that name, whatever its ending and folder."""


def is_portable(path: str) -> bool:
    """Whether each part of a path, divided by "/", is a plain name that no system takes for something else.

    >>> is_portable("wheels/any.tar.xz"), is_portable("../any"), is_portable("aux.txt"), is_portable("C:any")
    (True, False, False, False)
    """
    return all(
        _PLAIN.fullmatch(part) and len(part) <= MAX_LETTERS and not _DEVICE.fullmatch(part) for part in path.split("/")
    )


def clashing(names: Iterable[str]) -> str | None:
    """The first name that differs from an earlier one in its capitals alone, or not at all; None where none does.

    >>> clashing(["model.tflite", "card.md", "Model.tflite"])
    'Model.tflite'
    """
    there = set[str]()
    for name in names:
        if name.lower() in there:
            return name
        there.add(name.lower())
    return None
