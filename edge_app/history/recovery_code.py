"""The code that opens an encrypted history when its PIN is forgotten: 130 random bits, to be written down on paper.

    7KQM-X2PA-…    seven groups of four: 26 letters and digits, and two that tell a slip of the pen

No letter is like a digit: there is neither O nor 0, neither I nor 1.
"""

import hashlib
import secrets
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHARACTERS: Final = 26
CHECK: Final = 2
GROUP: Final = 4

INCOMPLETE: Final = "A recovery code has 28 letters and digits"
NO_SUCH_LETTER: Final = "A recovery code has no 0, O, 1 or I, and no other signs"
SLIP: Final = "This is no recovery code: look for a letter that was read or typed wrong"


def new_code() -> str:
    """A code that nobody can guess, in its groups."""
    return _grouped(_checked("".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))))


def code_problem(typed: str) -> str | None:
    """What is wrong with a code as somebody typed it, as a message to translate; None if it can be tried.

    >>> code_problem("7kqm")
    'A recovery code has 28 letters and digits'
    """
    code = plain(typed)
    if not set(code) <= set(ALPHABET):
        return NO_SUCH_LETTER
    if len(code) != CHARACTERS + CHECK:
        return INCOMPLETE
    return None if _checked(code[:CHARACTERS]) == code else SLIP


def plain(typed: str) -> str:
    """A code without what may be typed between its groups, in capital letters.

    >>> plain(" 7kqm-x2pa ")
    '7KQMX2PA'
    """
    return "".join(typed.replace("-", " ").split()).upper()


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def _checked(code: str) -> str:
    """The code with its check characters: the first ten bits of its SHA-256, so that one in 1024 slips goes unseen."""
    high, low = hashlib.sha256(code.encode()).digest()[:2]
    bits = (high << 8 | low) >> 6
    return code + ALPHABET[bits >> 5] + ALPHABET[bits & 31]
