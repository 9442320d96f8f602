"""The letters that the window and the reports can show: what is typed to tell patients apart must not become boxes."""

from typing import Final

RANGES: Final = (
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x017F),  # Latin
    (0x0384, 0x03CE),  # Greek
    (0x0400, 0x0481),  # Cyrillic
    (0x048A, 0x0513),
    (0x1EA0, 0x1EF9),  # Vietnamese
    (0x2010, 0x2011),  # dashes and quotation marks
    (0x2013, 0x2014),
    (0x2018, 0x201E),
    (0x20AC, 0x20AC),  # euro
    (0x2116, 0x2116),  # number
)
"""First and last code point. Both fonts have all that is printable of it: Kivy's Roboto, and that of the reports."""

OTHER_LETTERS: Final = "Use Latin, Greek or Cyrillic letters and digits: others cannot be printed."


def is_shown(text: str) -> bool:
    """Whether all letters of a text, in NFC, can be shown and printed.

    >>> is_shown("Hôpital Nº 7"), is_shown("Больница"), is_shown("患者1")
    (True, True, False)
    """
    return all(letter.isprintable() and any(first <= ord(letter) <= last for first, last in RANGES) for letter in text)
