"""Whether a second look tells wrong answers: how far a film's versions differ, beside how sure its own answer was."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from osteo_edge import metrics
from osteo_edge.answers import Bools, Floats, Indices
from osteo_edge.evaluation import Predictions, SecondLooks, answers_of
from osteo_edge.intervals import REPLICATES, Estimate, as_share, estimate_many, paired_difference
from osteo_edge.manifest import Manifest
from osteo_edge.screening import score_of
from osteo_edge.second_look import answer_of
from osteo_edge.selective import decided


@dataclass(frozen=True)
class Consistency:
    """What a second look is worth on films whose labels are known.

    An error is a wrong decision, refer or no finding, as if there were no abstain band; there are `errors` of them.
    `disagreeing` is the share of the films of which a version is answered otherwise, and `risk_disagreeing` and
    `risk_agreeing` are the shares of errors among these and among the others. `auroc` is how well the spread, the
    largest difference of a version's score from the film's own, tells errors from right decisions; `auroc_of_doubt` is
    how well the nearness of the film's own score to the threshold tells them, which costs nothing, and `difference` is
    the first less the second, paired. `first_ms` and `again_ms` are medians in milliseconds: preparing and answering a
    film, and its versions.
    """

    errors: int
    disagreeing: Estimate
    risk_disagreeing: Estimate
    risk_agreeing: Estimate
    auroc: Estimate
    auroc_of_doubt: Estimate
    difference: Estimate
    first_ms: float
    again_ms: float

    @property
    def verdict(self) -> str:
        """In words, whether disagreement tells errors."""
        if not self.auroc.low > 0.5:
            return "it is not shown that disagreement tells wrong decisions here"
        more = "and more" if self.difference.low > 0 else "but not shown to tell more"
        return f"disagreement tells wrong decisions, {more} than the film's own score does"

    def to_dict(self) -> dict[str, Any]:
        """The figures for machines."""
        plain = {name: value.to_dict() if isinstance(value, Estimate) else value for name, value in vars(self).items()}
        return {**plain, "verdict": self.verdict}


def measure_consistency(
    predictions: Predictions, manifest: Manifest, *, replicates: int = REPLICATES
) -> Consistency | None:
    """What the second look tells of errors, intervals over groups; None where none was taken."""
    looks = predictions.looks
    if looks is None:
        return None
    answers = answers_of(predictions, manifest)
    wrong, confidence = decided(answers)
    spread = spread_of(predictions.probabilities, looks, manifest)
    differing = disagreeing(predictions.probabilities, looks, manifest)
    groups, n = answers.groups, wrong.size

    def shares(cases: Indices) -> list[float]:
        own_wrong, own_differing = wrong[cases], differing[cases]
        risks = (metrics.share(own_wrong[own_differing]), metrics.share(own_wrong[~own_differing]))
        return [metrics.share(own_differing), *risks]

    share, risk_differing, risk_alike = estimate_many(shares, n, groups=groups, replicates=replicates)
    auroc, of_doubt, difference = paired_difference(
        lambda cases: metrics.auroc(wrong[cases], spread[cases]),
        lambda cases: metrics.auroc(wrong[cases], -confidence[cases]),
        n,
        groups=groups,
        replicates=replicates,
    )
    return Consistency(
        errors=int(wrong.sum()),
        disagreeing=as_share(share, groups),
        risk_disagreeing=as_share(risk_differing, groups[differing]),
        risk_agreeing=as_share(risk_alike, groups[~differing]),
        auroc=auroc,
        auroc_of_doubt=of_doubt,
        difference=difference,
        first_ms=float(np.median(looks.first_ms)),
        again_ms=float(np.median(looks.again_ms)),
    )


def spread_of(probabilities: Floats, looks: SecondLooks, manifest: Manifest) -> Floats:
    """The largest difference of a version's score from the film's own, (n,); 1 where one of them is no number."""
    own, again = score_of(probabilities, manifest), score_of(looks.probabilities, manifest)
    return np.asarray(np.nan_to_num(np.abs(again - own[:, np.newaxis]).max(axis=1), nan=1.0), np.float64)


def disagreeing(probabilities: Floats, looks: SecondLooks, manifest: Manifest) -> Bools:
    """Of which films a version is answered otherwise: another outcome, or the head of another bone; (n,)."""
    return np.array(
        [
            any(answer_of(look, manifest) != answer_of(row, manifest) for look in versions)
            for row, versions in zip(probabilities, looks.probabilities, strict=True)
        ],
        bool,
    )
