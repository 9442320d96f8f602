"""The form for a note: what may be typed."""

from typing import Final

from osteo_edge.edge_app.translation import Translate

MAX_LETTERS: Final = 2000
TOO_LONG: Final = "At most {most} letters, not {count}: shorten it"


def note_problem(note: str, translate: Translate) -> str:
    """What keeps a note from being saved; "" where nothing does."""
    if len(note) <= MAX_LETTERS:
        return ""
    return translate(TOO_LONG).format(most=MAX_LETTERS, count=len(note))
