"""What was decided on an answer, in words for screens and paper, and what may be typed as the reason."""

from typing import Final

from osteo_edge.edge_app.history.entry import Decided, Entry
from osteo_edge.edge_app.note_form import TOO_LONG
from osteo_edge.edge_app.translation import Translate

MAX_LETTERS: Final = 500
DECISION_WORDS: Final[dict[Decided, str]] = {"followed": "as the answer says", "otherwise": "otherwise"}
FOLLOWED: Final = "Decided by the clinic: as the answer says"
OTHERWISE: Final = "Decided by the clinic: otherwise than the answer says, because: {reason}"
NO_REASON: Final = "Say why it was decided otherwise"


def decision_words(entry: Entry, translate: Translate = str) -> str:
    """What was decided, in a line; "" where nobody said so."""
    if entry.decided is None:
        return ""
    if entry.decided == "followed":
        return translate(FOLLOWED)
    return translate(OTHERWISE).format(reason=" ".join(entry.override_reason.split()))


def reason_problem(decided: str, reason: str, translate: Translate) -> str:
    """What keeps a decision from being saved; "" where nothing does."""
    if decided != "otherwise":
        return ""
    if not reason.strip():
        return translate(NO_REASON)
    if len(reason) > MAX_LETTERS:
        return translate(TOO_LONG).format(most=MAX_LETTERS, count=len(reason))
    return ""
