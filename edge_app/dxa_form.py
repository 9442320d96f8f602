"""The form for a DXA result that came back: what was chosen and typed, or one line for each field to be mended."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from osteo_edge.edge_app.dxa import DXA_WORDS, category_of
from osteo_edge.edge_app.history.entry import Dxa
from osteo_edge.edge_app.translation import Translate
from osteo_edge.edge_app.typed import NOT_IN_LIST, chosen, plain_number

Field = Literal["result", "t_score"]

MAX_T_SCORE: Final = 10.0

T_SCORE_NO_NUMBER: Final = "T-score with a sign, such as -1.8"
T_SCORE_OUT_OF_RANGE: Final = "T-score must be from -{most} to {most}"
T_SCORE_WITHOUT_MINUS: Final = "This T-score has no minus sign. Check it."
RESULT_DIFFERS: Final = "This T-score alone means: {category}. Check both."


@dataclass(frozen=True)
class DxaFields:
    """The fields as they stand in the form; `result` is one of the categories, or empty."""

    result: str = ""
    t_score: str = ""


@dataclass(frozen=True)
class DxaReading:
    """What the form says, for `History.mark_dxa`; both None where it is empty or a field has a problem.

    `problems` and `hints` are lines by field. A hint does not keep anyone from going on.
    """

    dxa: Dxa | None
    t_score: float | None
    problems: dict[Field, str] = field(default_factory=dict)
    hints: dict[Field, str] = field(default_factory=dict)


def read_dxa_form(form: DxaFields, translate: Translate) -> DxaReading:
    """Read both fields; where only the T-score was typed, the category is that of the T-score.

    A result that its T-score contradicts is kept with a hint: the worst of several places in the body counts.
    """
    problems = dict[Field, str]()
    dxa: Dxa | None = chosen(form.result, get_args(Dxa))
    if form.result and dxa is None:
        problems["result"] = translate(NOT_IN_LIST)
    typed = plain_number(form.t_score).replace(",", ".")
    if typed and not re.fullmatch(r"[+-]?[0-9]{1,3}(\.[0-9]{1,3})?", typed):
        problems["t_score"] = translate(T_SCORE_NO_NUMBER)
    elif typed and abs(float(typed)) > MAX_T_SCORE:
        problems["t_score"] = translate(T_SCORE_OUT_OF_RANGE).format(most=f"{MAX_T_SCORE:g}")
    if problems or not typed:
        return DxaReading(None if problems else dxa, None, problems)
    t_score = round(float(typed), 1) + 0.0
    return DxaReading(dxa or category_of(t_score), t_score, problems, _hints(dxa, t_score, typed, translate))


def _hints(dxa: Dxa | None, t_score: float, typed: str, translate: Translate) -> dict[Field, str]:
    category = category_of(t_score)
    if dxa is not None and dxa != category:
        return {"result": translate(RESULT_DIFFERS).format(category=translate(DXA_WORDS[category]))}
    return {"t_score": translate(T_SCORE_WITHOUT_MINUS)} if t_score > 0 and not typed.startswith("+") else {}
