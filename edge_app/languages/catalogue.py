"""Open the catalogue of a language: English in, the language out.

A message is looked up as it is. A line that the program has made of one, with values in it, is found by the message's
template: "no film 7" by "no film {number}". What such a line is about stands before it, as in "/stick: no film 7", and
stays; so does every line that no catalogue knows.
"""

import logging
import re
import struct
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Final

from osteo_edge.edge_app.translation import Translate

FOLDER: Final = Path(__file__).parent
DOMAIN: Final = "osteo_edge"

MO_MAGIC: Final = 0x950412DE
MAX_HEADS: Final = 6
MAX_DEPTH: Final = 3
MAX_LINES: Final = 500
TELLING_LETTERS: Final = 9
"""A template with fewer letters of its own fits too many lines: its values must be known, or without spaces."""
NEVER_MESSAGES: Final = {"path", "file", "filename", "folder", "name", "id", "code", "hash", "label_source", "package"}
"""Names of values that are data, and stay even where they read like a message."""


@lru_cache(maxsize=8)
def open_catalogue(language: str) -> Translate:
    """What translates messages into `language`; English, and what no catalogue knows, stays as it is."""
    path = FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if language == "en":
        return str
    try:
        return Catalogue(read_mo(path.read_bytes()))
    except (OSError, ValueError, struct.error) as error:  # the app must start: in English then
        logging.getLogger(__name__).error("%s cannot be used: %s", path, error)
        return str


def read_mo(data: bytes) -> dict[str, str]:
    """The messages of a compiled catalogue with their translations (GNU gettext manual, "The Format of GNU MO Files").

    `gettext` reads them, too, but does not say which ones there are.
    """
    magic, _, count, originals, translations = struct.unpack_from("<5I", data)
    if magic != MO_MAGIC:
        raise ValueError("not a compiled catalogue")

    def text(table: int, number: int) -> str:
        length, start = struct.unpack_from("<2I", data, table + 8 * number)
        return data[start : start + length].decode("utf-8")

    known = {text(originals, number): text(translations, number) for number in range(count)}
    known.pop("", None)  # the header
    return known


class Catalogue:
    """Messages with their translations; to be called with a message, or with a line that was made of one.

    >>> french = Catalogue({"no film {number}": "aucun film {number}", "is {state}": "est {state}", "full": "plein"})
    >>> french("no film 7"), french("/stick: is full"), french("never heard")
    ('aucun film 7', '/stick: est plein', 'never heard')
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._line = lru_cache(maxsize=MAX_LINES)(self._translated_line)

    def __call__(self, text: str) -> str:
        known = self._known.get(text)
        return known if known is not None else self._line(text, MAX_DEPTH) or text

    def _translated(self, text: str, depth: int) -> str | None:
        known = self._known.get(text)
        return known if known is not None else self._line(text, depth)

    def _translated_line(self, line: str, depth: int) -> str | None:
        """The translation of a line with values in it; None where it is made of no known message."""
        if depth == 0 or not line:
            return None
        return self._by_template(line, depth) or self._after_head(line, depth) or self._in_parts(line, depth)

    def _by_template(self, line: str, depth: int) -> str | None:
        for template in self._templates:
            values = template.values(line)
            if values is not None:
                translated = {name: self._value(name, value, depth) for name, value in values.items()}
                if template.tells or all(
                    translated[name] is not None or " " not in value for name, value in values.items()
                ):
                    return template.fill({name: translated[name] or value for name, value in values.items()})
        return None

    def _value(self, name: str, value: str, depth: int) -> str | None:
        if name.rstrip("0123456789") in NEVER_MESSAGES:
            return None
        return self._translated(value, depth - 1) or self._list(value)

    def _list(self, value: str) -> str | None:
        """Messages with commas between, such as the bones that a model knows; None where one of them is none."""
        known = [self._known.get(one) for one in value.split(", ")]
        return ", ".join(one for one in known if one) if all(known) else None

    def _after_head(self, line: str, depth: int) -> str | None:
        """What follows what the line is about: the first ": " after which there is a message."""
        place = -1
        for _ in range(MAX_HEADS):
            place = line.find(": ", place + 1)
            if place < 1:
                return None
            translated = self._known.get(line[place + 2 :]) or self._by_template(line[place + 2 :], depth)
            if translated is not None:
                return line[: place + 2] + translated
        return None

    def _in_parts(self, line: str, depth: int) -> str | None:
        """Several lines in one, with a semicolon between."""
        parts = line.split("; ")
        translated = [self._translated(part, depth - 1) for part in parts] if len(parts) > 1 else []
        if not any(translated):
            return None
        return "; ".join(new or old for new, old in zip(translated, parts, strict=True))

    @cached_property
    def _templates(self) -> list["_Template"]:
        """Those with most letters of their own first, for they fit fewest lines."""
        found = [_Template(message, translation) for message, translation in self._known.items() if "{" in message]
        return sorted((one for one in found if one.letters), key=lambda one: -one.letters)


class _Template:
    """A message with {names} in it, to be recognized in a line."""

    def __init__(self, message: str, translation: str) -> None:
        self._parts = list(_parts(message))
        self._translation = translation
        own = [literal for literal, _ in self._parts]
        self.letters = sum(character.isalpha() for literal in own for character in literal)
        self.tells = self.letters >= TELLING_LETTERS
        self._longest = max(own, key=len, default="")

    def values(self, line: str) -> dict[str, str] | None:
        """The values that the line has in the places of the names; None if it was not made of this template."""
        found = self._pattern.fullmatch(line) if self._longest in line else None
        return None if found is None else found.groupdict()

    def fill(self, values: Mapping[str, str]) -> str:
        return "".join(literal + values.get(name, "") for literal, name in _parts(self._translation))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pattern, seen = "", set[str]()
        for place, (literal, name) in enumerate(self._parts):
            pattern += re.escape(literal)
            if name in seen:
                pattern += f"(?P={name})"
            elif name:
                any_text = r"(?:(?!: ).)+?" if place == 0 and not literal else ".+?"
                pattern += f"(?P<{name}>{any_text})"
                seen.add(name)
        return re.compile(pattern, re.DOTALL)


def _parts(template: str) -> Iterator[tuple[str, str]]:
    """The pieces of a template: a literal, and the name that follows it or "".

    >>> list(_parts("{count} of {all} %"))
    [('', 'count'), (' of ', 'all'), (' %', '')]
    """
    return ((literal, name or "") for literal, name, _, _ in Formatter().parse(template))
