"""DXA results in words, as the clinic enters them: the only place that has these words, for screens and paper alike."""

from typing import Final

from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.translation import Translate

DXA_WORDS: Final[dict[Dxa, str]] = {
    "normal": "T-score -1 or above",
    "osteopenia": "osteopenia",
    "osteoporosis": "osteoporosis",
}
"""No patient is called normal, not even in the name of a category: one measurement is no all-clear."""
T_SCORE: Final = "T-score {score}"


def dxa_words(dxa: Dxa | None, t_score: float | None, translate: Translate = str) -> str:
    """What the clinic entered, in a few words; "" where it is nothing.

    >>> dxa_words("osteopenia", -1.8), dxa_words("normal", -0.5), dxa_words("normal", None)
    ('osteopenia, T-score -1.8', 'T-score -0.5', 'T-score -1 or above')
    """
    says_it_all = t_score is not None and dxa == category_of(t_score) == "normal"
    words = [] if dxa is None or says_it_all else [translate(DXA_WORDS[dxa])]
    if t_score is not None:
        words.append(translate(T_SCORE).format(score=f"{round(t_score, 1) + 0.0:.1f}"))  # no "-0.0"
    return ", ".join(words)


def category_of(t_score: float) -> Dxa:
    """The category of a T-score after the WHO (Technical Report Series 843, 1994).

    >>> category_of(-1.0), category_of(-1.1), category_of(-2.5)
    ('normal', 'osteopenia', 'osteoporosis')
    """
    if t_score <= -2.5:
        return "osteoporosis"
    return "osteopenia" if t_score < -1 else "normal"
