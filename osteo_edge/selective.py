"""How wrong a model's decisions are when it may leave the least sure ones to a person: risk against coverage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteo_edge import metrics
from osteo_edge.abstaining import stated_miss
from osteo_edge.answers import Answers, Bools, Indices
from osteo_edge.curves import at_coverage, risk_coverage
from osteo_edge.evaluation import Predictions, answers_of
from osteo_edge.intervals import REPLICATES, Estimate, Floats, as_share, estimate_many
from osteo_edge.manifest import Manifest
from osteo_edge.screening import answer_to

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Where the risk is estimated."""


@dataclass(frozen=True)
class Band:
    """What a bundle's own abstain band gives: the films that it answers, and how often it is wrong about them.

    `missed` is the share of the positive films that are answered "no finding", which is the error that the band is
    chosen for: at most `stated` of those that it was chosen on, where the bundle's record says so.
    """

    coverage: Estimate
    risk: Estimate
    missed: Estimate
    stated: float | None
    chosen_on: str


@dataclass(frozen=True, eq=False)
class Selective:
    """Films sorted by the confidence of the decision, refer or no finding: the share that is answered, and its risk.

    `risk` is the share of wrong decisions among the most confident films, at each `coverage`, (n,) each. `aurc` is the
    area below (Geifman and El-Yaniv 2017): with the films in the best order it would be `best`, and with a confidence
    that tells nothing the risk at full coverage. `at` are the risks at `COVERAGES`.
    """

    coverage: Floats
    risk: Floats
    aurc: Estimate
    best: Estimate
    at: Mapping[float, Estimate]
    band: Band

    def to_dict(self) -> dict[str, Any]:
        """The curve for machines."""
        band = {name: getattr(self.band, name).to_dict() for name in ("coverage", "risk", "missed")}
        return {
            "aurc": self.aurc.to_dict(),
            "aurc_of_the_best_order": self.best.to_dict(),
            "risk_at_coverage": [{"coverage": share, "risk": found.to_dict()} for share, found in self.at.items()],
            "abstain_band": {**vars(self.band), **band},
            "curve": {"coverage": self.coverage.tolist(), "risk": self.risk.tolist()},
        }


def confidence_of(score: Floats, threshold: Floats) -> Floats:
    """How far the log-odds of each score lie from those of its threshold, (n,); 0 for a score that is no number.

    So the confidence is that of the decision, and not of the most probable label.

    >>> confidence_of(np.array([0.5, 0.9]), np.array([0.5, 0.5])).round(2).tolist()
    [0.0, 2.2]
    """
    return np.nan_to_num(np.abs(_log_odds(score) - _log_odds(threshold)), nan=0.0)


def decided(answers: Answers) -> tuple[Bools, Floats]:
    """Which decisions, refer or no finding as if there were no abstain band, are wrong, and how sure each is; (n,)."""
    positive, score = answers.asked(answers.positive_labels)
    return (score >= answers.threshold) != positive, confidence_of(score, answers.threshold)


def measure_selective(predictions: Predictions, manifest: Manifest, *, replicates: int = REPLICATES) -> Selective:
    """The risk-coverage curve of a bundle's decisions, and what its abstain band gives; intervals are over groups.

    Of a model that tells bones apart a film counts as positive by its label, whichever bone it was taken for.
    """
    answers = answers_of(predictions, manifest)
    wrong, confidence = decided(answers)
    positive, _ = answers.asked(answers.positive_labels)
    outcomes = np.array([answer_to(row, manifest)[0] for row in predictions.probabilities])
    answered, cleared = outcomes != "uncertain", outcomes == "no_finding"
    shares = np.array(COVERAGES)

    def values(cases: Indices) -> list[float]:
        own_wrong = wrong[cases]
        _, own_risk = risk_coverage(own_wrong, confidence[cases])
        return [
            metrics.mean_of_known(own_risk),
            metrics.mean_of_known(_best_risk(own_wrong)),
            metrics.share(answered[cases]),
            metrics.share(own_wrong[answered[cases]]),
            metrics.share(cleared[cases][positive[cases]]),
            *at_coverage(own_risk, shares),
        ]

    groups, n = answers.groups, wrong.size
    aurc, best, coverage, risk, missed, *risks = estimate_many(values, n, groups=groups, replicates=replicates)
    surest = np.argsort(-confidence, kind="stable")
    counts = [max(1, int(np.ceil(share * n - 1e-9))) for share in COVERAGES]
    shares_answered, curve = risk_coverage(wrong, confidence)
    return Selective(
        coverage=shares_answered,
        risk=curve,
        aurc=aurc,
        best=best,
        at={
            share: as_share(found, groups[surest[:count]])
            for share, found, count in zip(COVERAGES, risks, counts, strict=True)
        },
        band=Band(
            coverage=as_share(coverage, groups),
            risk=as_share(risk, groups[answered]),
            missed=as_share(missed, groups[positive]),
            stated=stated_miss(manifest),
            chosen_on=manifest.decision.chosen_on,
        ),
    )


def _best_risk(wrong: Bools) -> Floats:
    """The risk of the k surest cases if the wrong ones came last, for k from 1 to n, (n,)."""
    covered, right = np.arange(1, wrong.size + 1), np.count_nonzero(~wrong)
    return np.asarray(np.maximum(0, covered - right) / covered, np.float64)


def _log_odds(probability: Floats) -> Floats:
    kept = np.clip(probability, metrics.SMALLEST_PROBABILITY, 1 - metrics.SMALLEST_PROBABILITY)
    return np.asarray(np.log(kept / (1 - kept)), np.float64)
