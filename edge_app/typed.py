"""What was typed or chosen in a field, whatever form it is in."""

import unicodedata
from collections.abc import Iterable
from typing import Final, TypeVar

Option = TypeVar("Option", bound=str)

NOT_IN_LIST: Final = "Choose from the list, or leave it empty"


def chosen(text: str, options: Iterable[Option]) -> Option | None:
    """The option that a field names, None if it names none of them.

    >>> chosen("female", ("female", "male")), chosen("", ("female", "male"))
    ('female', None)
    """
    return next((option for option in options if option == text), None)


def plain_number(text: str) -> str:
    """A typed number with the digits 0 to 9 of any script, and its sign, as ASCII; its decimal sign may be a comma.

    >>> plain_number(" \u0667\u0662\u066b\u0665 "), plain_number("\u22121.8")
    ('72,5', '-1.8')
    """
    folded = unicodedata.normalize("NFKC", text).strip().lower().replace("\u066b", ",").replace("\u2212", "-")
    return "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in folded)
