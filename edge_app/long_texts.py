"""Long texts as a window can show them: of a bounded length, and in pieces, each of them small enough for a picture.

A text is drawn as one picture, and no graphics chip has room for one of any height.
"""

import textwrap
from typing import Final

CUT: Final = "…"
"""What stands where something was left out."""
MAX_SHOWN: Final = 4000
MAX_PIECE: Final = 600
"""So many letters fit below 2,048 pixels even where the window is narrow, the text large and every letter wide."""


def shortened(text: str, most: int = MAX_SHOWN) -> str:
    """The text on one line, or its beginning with a sign where more would follow.

    >>> shortened("one\\ntwo  three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}{CUT}"


def pieces(text: str, most: int = MAX_PIECE) -> tuple[str, ...]:
    """The text in pieces of `most` letters at most, divided between words where it can be; () for an empty one.

    >>> pieces("one two three", 8)
    ('one two', 'three')
    """
    return tuple(textwrap.wrap(text, most, break_on_hyphens=False))
