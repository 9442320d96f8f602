"""How the model does on this site's own patients: its answers beside the DXA results that came back.

Not an accuracy study. Mostly those who were referred have a DXA, so sensitivity comes out too high and specificity too
low (verification bias, Begg and Greenes 1983). The share of referred patients whom DXA confirms is not bent that way.
Whoever shows the numbers shows `CAUTION` with them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from osteo_edge.answers import Bools, Question, questions_about
from osteo_edge.curves import Reliability, reliability
from osteo_edge.edge_app.history.entry import Dxa, Entry
from osteo_edge.intervals import Estimate, Interval, wilson, wilson_interval
from osteo_edge.wording import Outcome

CAUTION = (
    "Only patients with a DXA result count here, and those are mostly the referred ones: the sensitivity looks better "
    "than it is, the specificity worse."
)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
DXA_RESULTS: tuple[Dxa, ...] = get_args(Dxa)
ANSWERED = ("refer", "no_finding")
CALIBRATION_BINS = 5


@dataclass(frozen=True)
class Agreement:
    """Answers against one question to DXA, such as "osteoporosis".

    Sensitivity and specificity are of those with an answer, refer or no finding; `confirmed` is the share of the
    referred whom DXA found positive. Wilson's intervals; NaN where there is no case.
    """

    question: Question
    sensitivity: Estimate
    specificity: Estimate
    confirmed: Estimate


@dataclass(frozen=True, eq=False)
class FollowUp:
    """The site's own numbers for one model, one screening a patient.

    `table` counts them by outcome and DXA result. `answered` is the share with an answer, neither uncertain nor
    rejected. `calibration` has the mean score and the share that DXA found positive in each bin of the score, with
    Wilson's interval of that share in `calibration_intervals`.
    """

    table: dict[Outcome, dict[Dxa, int]]
    answered: Estimate
    agreements: tuple[Agreement, ...]
    calibration: Reliability
    calibration_intervals: tuple[Interval, ...]

    @property
    def n(self) -> int:
        return sum(sum(row.values()) for row in self.table.values())


def follow_up(entries: Iterable[Entry], positive_labels: Sequence[str]) -> FollowUp:
    """Compare the screenings that have a DXA result with it; they must be of one model, newest or oldest first.

    `positive_labels` are the model's, of which the DXA results know osteopenia and osteoporosis.
    """
    cases = one_per_patient(entry for entry in entries if entry.dxa is not None)
    if len({entry.model_sha256 for entry in cases}) > 1:
        raise ValueError("the screenings are of several models")
    answered = [entry for entry in cases if entry.outcome in ANSWERED]
    calibration, intervals = _calibrate(cases, positive_labels)
    return FollowUp(
        table=_table(cases),
        answered=wilson(np.array([entry.outcome in ANSWERED for entry in cases], bool)),
        agreements=tuple(_agree(answered, question) for question in questions_about(positive_labels)),
        calibration=calibration,
        calibration_intervals=intervals,
    )


def one_per_patient(entries: Iterable[Entry]) -> list[Entry]:
    """The newest entry of each patient code, and of each film where there is none, the oldest first.

    Intervals of shares hold for independent cases, and two films of one patient are not.
    """
    ordered = sorted(entries, key=lambda entry: (entry.taken_at, entry.id))
    newest = {_whose(entry): entry for entry in ordered}
    return sorted(newest.values(), key=lambda entry: (entry.taken_at, entry.id))


def _whose(entry: Entry) -> str:
    code = (entry.patient.code or "").strip().casefold()
    return f"code {code}" if code else f"film {entry.image_sha256}"


def _table(cases: Sequence[Entry]) -> dict[Outcome, dict[Dxa, int]]:
    return {
        outcome: {dxa: sum((case.outcome, case.dxa) == (outcome, dxa) for case in cases) for dxa in DXA_RESULTS}
        for outcome in OUTCOMES
    }


def _agree(answered: Sequence[Entry], question: Question) -> Agreement:
    positive = _positive(answered, question.labels)
    referred = np.array([entry.outcome == "refer" for entry in answered], bool)
    return Agreement(
        question=question,
        sensitivity=wilson(referred[positive]),
        specificity=wilson(~referred[~positive]),
        confirmed=wilson(positive[referred]),
    )


def _calibrate(cases: Sequence[Entry], positive_labels: Sequence[str]) -> tuple[Reliability, tuple[Interval, ...]]:
    """The score of all that have one, the uncertain ones too: a calibrated score is right there as well."""
    scored = [entry for entry in cases if entry.score is not None]
    score = np.array([entry.score for entry in scored], np.float64)
    found = reliability(_positive(scored, positive_labels), score, CALIBRATION_BINS)
    shares = zip(found.observed, found.n, strict=True)
    return found, tuple(wilson_interval(float(share), int(n)) for share, n in shares)


def _positive(entries: Sequence[Entry], labels: Sequence[str]) -> Bools:
    return np.array([entry.dxa in labels for entry in entries], bool)
