"""The texts of the window in the user's language: `say` is what every screen calls for a text."""

import re
from typing import Any, Final

from osteo_edge.edge_app.translation import Translate

NO_CHARACTER: Final = re.compile("[\ud800-\udfff]")
"""What Python has in place of the bytes of a file name that are no text; nothing can draw or encode it."""

_current: list[Translate] = [str]


def use(translate: Translate) -> None:
    """Say everything through `translate` from now on; what is on a screen already stays as it is."""
    _current[0] = translate


def say(message: str, **values: Any) -> str:
    """A message in the user's language, with the values in its {names}.

    >>> say("{count} films", count=3)
    '3 films'
    """
    text = _current[0](message) if message else ""
    return text.format(**values) if values else text


def drawable(text: str) -> str:
    """A text that can be drawn: what is no character becomes a sign.

    >>> drawable("d\\udce9t.jpg is\\nbroken")
    'd\ufffdt.jpg is\\nbroken'
    """
    return NO_CHARACTER.sub("\ufffd", text)
