"""The follow-up in words: shares with their intervals and cases, and what may not be said of a few."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osteo_edge.edge_app.history.drift import SMALLEST_MONTH, Drift, Month
from osteo_edge.edge_app.history.followup import Agreement, FollowUp
from osteo_edge.edge_app.history.overrides import Overrides
from osteo_edge.edge_app.history.query import UsedModel
from osteo_edge.edge_app.translation import Translate
from osteo_edge.intervals import Estimate
from osteo_edge.wording import Outcome

ENOUGH: Final = 10
"""Cases below which no percentage is shown: of 9 cases, Wilson's interval is more than half of the scale wide."""

NOTHING_YET: Final = "Nothing has been screened yet."
NO_RESULTS: Final = (
    "No DXA result has been entered for this model yet. When one comes back, open the screening in the history and "
    "enter it there."
)
OTHER_LABELS: Final = "DXA does not measure what this model looks for, so its answers cannot be compared with DXA."
ONE_PATIENT: Final = "1 patient with a DXA result: too few to say anything"
FEW_PATIENTS: Final = "{count} patients with a DXA result: too few to say anything"
PATIENTS: Final = "{count} patients with a DXA result"
SHARE: Final = "{percent} % ({low} to {high} %), {hits} of {n}"
FEW: Final = "{hits} of {n}: too few for a percentage"
NO_CASE: Final = "no case yet"
DEMONSTRATION: Final = "{name} (demonstration)"

QUESTIONS: Final[dict[tuple[str, ...], str]] = {
    ("osteopenia", "osteoporosis"): "Osteopenia or osteoporosis in DXA",
    ("osteopenia",): "Osteopenia in DXA",
    ("osteoporosis",): "Osteoporosis in DXA",
}
ANSWERED: Final = "Films that got an answer"
SENSITIVITY: Final = "Sensitivity: of those whom DXA found positive, the share that was referred"
SPECIFICITY: Final = "Specificity: of those whom DXA found negative, the share with no finding"
CONFIRMED: Final = "Of those who were referred, the share that DXA confirmed"

OVERRIDDEN: Final[dict[Outcome, str]] = {
    "refer": "Of the answers to refer, the share on which it was decided otherwise",
    "no_finding": "Of the answers of no finding, the share on which it was decided otherwise",
}
NO_DECISION: Final = (
    "No decision has been entered on an answer of this model yet. Open a screening in the history and enter it there."
)
ABOUT_DECISIONS: Final = (
    "Only answers count on which somebody entered what was decided, one a patient. Whether a decision was right is not "
    "known here."
)

STATISTICS: Final[dict[str, str]] = {"mean": "Brightness of the films", "contrast": "Contrast of the films"}
SAME: Final = "The films of {month} are like the first ones."
DIFFERENT: Final[dict[tuple[str, bool], str]] = {
    ("mean", True): "The films of {month} are brighter than the first ones.",
    ("mean", False): "The films of {month} are darker than the first ones.",
    ("contrast", True): "The films of {month} have more contrast than the first ones.",
    ("contrast", False): "The films of {month} have less contrast than the first ones.",
}
WHAT_TO_DO: Final = (
    "Find out what has changed at the X-ray machine or in the way the films get here. The model was not made for films "
    "that look different."
)
NO_FILMS: Final = "No films yet. Demonstrations and rejected pictures do not count."
NO_REFERENCE: Final = "There are not enough films yet to see a change: {n} of 50."
NO_MONTH: Final = "The first {n} films are what later months are compared with. No later month has {least} films yet."
BIN_OF_ONE: Final = "Of 1 film with a score of about {score} %, DXA found {percent} % positive ({low} to {high} %)."
BIN: Final = "Of {n} films with a score of about {score} %, DXA found {percent} % positive ({low} to {high} %)."


@dataclass(frozen=True)
class Line:
    """A share with what it is a share of."""

    title: str
    words: str


@dataclass(frozen=True)
class Point:
    """A point of the calibration plot: mean score, and the share that DXA found positive with its interval."""

    score: float
    share: float
    low: float
    high: float
    n: int


def model_words(model: UsedModel, translate: Translate) -> str:
    """The model's name; a demonstration is told apart."""
    return translate(DEMONSTRATION).format(name=model.name) if model.is_demo else model.name


def summary(found: FollowUp, translate: Translate) -> str:
    """How many patients count, and whether they are enough to say anything."""
    if found.n == 0:
        return translate(NO_RESULTS)
    if found.n == 1:
        return translate(ONE_PATIENT)
    return translate(FEW_PATIENTS if found.n < ENOUGH else PATIENTS).format(count=found.n)


def share_words(estimate: Estimate, translate: Translate = str) -> str:
    """A share in per cent with its interval and cases; of few cases only the cases.

    >>> share_words(Estimate(0.8125, 0.57, 0.934, 16)), share_words(Estimate(0.5, 0.09, 0.9, 2))
    ('81 % (57 to 93 %), 13 of 16', '1 of 2: too few for a percentage')
    """
    if estimate.n == 0:
        return translate(NO_CASE)
    hits = round(estimate.value * estimate.n)
    if estimate.n < ENOUGH:
        return translate(FEW).format(hits=hits, n=estimate.n)
    percent, low, high = _percents(estimate.value, estimate.low, estimate.high)
    return translate(SHARE).format(percent=percent, low=low, high=high, hits=hits, n=estimate.n)


def answered_line(found: FollowUp, translate: Translate) -> Line:
    """The share of films that were neither uncertain nor rejected."""
    return Line(translate(ANSWERED), share_words(found.answered, translate))


def override_lines(found: Overrides, translate: Translate) -> tuple[Line, ...]:
    """How often it was decided otherwise, for each answer that can be followed."""
    return tuple(
        Line(translate(OVERRIDDEN[outcome]), share_words(share, translate)) for outcome, share in found.shares.items()
    )


def agreement_title(agreement: Agreement, translate: Translate) -> str:
    """What counts as positive in DXA."""
    return translate(QUESTIONS[agreement.question.labels])


def agreement_lines(agreement: Agreement, translate: Translate) -> tuple[Line, ...]:
    """Sensitivity, specificity, and the share of the referred that DXA confirmed."""
    rows = (
        (SENSITIVITY, agreement.sensitivity),
        (SPECIFICITY, agreement.specificity),
        (CONFIRMED, agreement.confirmed),
    )
    return tuple(Line(translate(title), share_words(estimate, translate)) for title, estimate in rows)


def calibration_points(found: FollowUp) -> tuple[Point, ...]:
    """The points of the calibration plot; none where there are too few cases."""
    of = found.calibration
    if int(of.n.sum()) < ENOUGH:
        return ()
    rows = zip(of.predicted, of.observed, of.n, found.calibration_intervals, strict=True)
    return tuple(Point(float(p), float(o), interval.low, interval.high, int(n)) for p, o, n, interval in rows)


def point_words(point: Point, translate: Translate) -> str:
    """A point of the calibration plot as a sentence."""
    score, percent, low, high = _percents(point.score, point.share, point.low, point.high)
    words = translate(BIN_OF_ONE if point.n == 1 else BIN)
    return words.format(n=point.n, score=score, percent=percent, low=low, high=high)


def drift_title(drift: Drift, translate: Translate) -> str:
    """What the plot shows."""
    return translate(STATISTICS.get(drift.statistic, drift.statistic))


def drift_words(drift: Drift, translate: Translate) -> tuple[str, ...]:
    """Whether the newest month differs and how, and what to do then; or why that cannot be said."""
    if drift.reference_n == 0:
        return (translate(NO_REFERENCE).format(n=sum(month.n for month in drift.months)),)
    tested = [month for month in drift.months if month.p is not None]
    if not tested:
        return (translate(NO_MONTH).format(n=drift.reference_n, least=SMALLEST_MONTH),)
    newest = tested[-1]
    if not newest.drifted:
        return (translate(SAME).format(month=newest.month),)
    return (_difference(drift, newest, translate), translate(WHAT_TO_DO))


def drift_scale(drift: Drift, months: Sequence[Month]) -> tuple[float, float]:
    """The lowest and the highest value that the plot of these months shows, with some air; never the same."""
    values = [value for month in months for value in (month.lower_quartile, month.upper_quartile)]
    values += drift.reference_quartiles or ()
    low, high = min(values, default=0.0), max(values, default=1.0)
    air = max(0.1 * (high - low), 0.01)
    return math.floor((low - air) * 100) / 100, math.ceil((high + air) * 100) / 100


def _difference(drift: Drift, month: Month, translate: Translate) -> str:
    is_higher = month.higher is not None and month.higher > 0.5
    return translate(DIFFERENT[drift.statistic, is_higher]).format(month=month.month)


def _percents(*shares: float) -> tuple[int, ...]:
    return tuple(round(100 * share) for share in shares)
