"""A language that nobody speaks: every message in ⟦ ⟧ and 35 % longer, so that what escapes translation is seen."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from osteo_edge.edge_app.languages.catalogue import Catalogue
from osteo_edge.edge_app.languages.messages import find_messages

LONGER: Final = 0.35
OPEN, CLOSE, VALUE, END_VALUE, PADDING = "⟦", "⟧", "⟨", "⟩", "·"
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")


@cache
def pseudo() -> Catalogue:
    """The catalogue; values within a message stand in ⟨ ⟩, for they must be data or messages themselves."""
    return Catalogue({message.text: pseudo_words(message.text) for message in find_messages()})


def pseudo_words(message: str) -> str:
    """A message in the pseudo language.

    >>> pseudo_words("{count} films")
    '⟦⟨{count}⟩ films ·····⟧'
    """
    marked = re.sub(r"\{[^{}]*\}", lambda found: f"{VALUE}{found[0]}{END_VALUE}", message)
    return f"{OPEN}{marked} {PADDING * round(LONGER * len(message))}{CLOSE}".replace(f" {CLOSE}", CLOSE)


def untranslated(text: str, data: Iterable[str] = ()) -> list[str]:
    """The words of a text that are neither of a message nor data.

    >>> untranslated("⟦Model: ⟨knee 1⟩ ···⟧ is new", ["knee"]), untranslated("⟦Sex: ⟨⟦female ··⟧⟩ ··⟧, 12")
    (['is', 'new'], [])
    """
    left = "".join(_outside(text))
    for one in sorted(data, key=len, reverse=True):
        left = left.replace(one, " ")
    return _LETTERS.findall(left)


def _outside(text: str) -> Iterator[str]:
    """What stands in no message, and the values in messages."""
    depth = [False]
    for character in text:
        if character in (OPEN, VALUE):
            depth.append(character == OPEN)
        elif character in (CLOSE, END_VALUE) and len(depth) > 1:
            depth.pop()
            yield " "
        elif not depth[-1]:
            yield character
