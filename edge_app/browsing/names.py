"""File names as people read and sort them."""

import os
import re
import unicodedata

SortKey = tuple[tuple[int, int, str], ...]


def natural_key(name: str) -> SortKey:
    """What to sort names by: numbers by their value, letters whatever their case and accents.

    >>> sorted(["knee 10.png", "Knee 9.png", "étude.png", "film.png"], key=natural_key)
    ['étude.png', 'film.png', 'Knee 9.png', 'knee 10.png']
    """
    if not name.isascii():
        plain = unicodedata.normalize("NFKD", name)
        name = "".join(character for character in plain if not unicodedata.combining(character))
    words = re.split("([0-9]+)", name.casefold())
    return tuple((0, int(word), word) if at % 2 else (1, 0, word) for at, word in enumerate(words) if word)


def shown(name: str) -> str:
    """A name that any font and any log can take: what is no character, or none that is seen, becomes a sign.

    >>> shown("knee\\n.png"), shown("knee\\udcff.png")
    ('knee\ufffd.png', 'knee\ufffd.png')
    """
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
