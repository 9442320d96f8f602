"""How sure a bundle's answers are, as `evaluate` tells it: risk and coverage, prediction sets, a second look."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from osteo_edge.conformal import PredictionSets, measure_sets
from osteo_edge.consistency import Consistency, measure_consistency
from osteo_edge.evaluation import Predictions, answers_of
from osteo_edge.manifest import Manifest
from osteo_edge.selective import Selective, measure_selective
from osteo_edge.train.calibrating import FITTED_ON

RISK_COLUMNS = ("Films answered, the surest first", "Wrong decisions among them, 95 % interval")
LOOK_COLUMNS = ("Second look: five more versions of each film, mirrored and shifted", "Value, 95 % interval")
Row = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Uncertainty:
    """What was measured; `no_sets` says why there are no prediction sets where there are none."""

    selective: Selective
    sets: PredictionSets | None
    no_sets: str
    consistency: Consistency | None

    def to_dict(self) -> dict[str, Any]:
        """The figures for machines."""
        return {
            "risk_coverage": self.selective.to_dict(),
            "prediction_sets": None if self.sets is None else self.sets.to_dict(),
            "second_look": None if self.consistency is None else self.consistency.to_dict(),
        }


def measure_uncertainty(
    predictions: Predictions, fitted_on: Predictions | str, manifest: Manifest, coverage: float
) -> Uncertainty:
    """Measure all of it; the sets are fitted on the answers to the validation films, or there are none for a reason."""
    sets, answers = None, answers_of(predictions, manifest)
    if isinstance(fitted_on, Predictions):
        sets = measure_sets(answers, answers_of(fitted_on, manifest), FITTED_ON, coverage)
    return Uncertainty(
        selective=measure_selective(predictions, manifest),
        sets=sets,
        no_sets=fitted_on if isinstance(fitted_on, str) else "",
        consistency=measure_consistency(predictions, manifest),
    )


def risk_rows(selective: Selective) -> Iterator[Row]:
    """The cells of the risk-coverage table."""
    for share, found in selective.at.items():
        yield f"{share:.0%}".replace("%", " %"), str(found)


def risk_sentences(selective: Selective) -> Iterator[str]:
    """What the curve and the bundle's own abstain band come to."""
    everything = selective.at[1.0].value
    yield (
        f"AURC, the mean of that over all shares: {selective.aurc}; {selective.best.value:.3f} if the wrong ones came "
        f"last, {everything:.3f} if sureness told nothing."
    )
    band = selective.band
    yield f"The abstain band answers {band.coverage} of the films, of these wrongly {band.risk}."
    told = (
        "the bundle's record does not say for what rate it was chosen"
        if band.stated is None
        else f"the band was chosen for at most {band.stated:.3f} on {band.chosen_on}"
    )
    yield f"Positive films that it answers with no finding: {band.missed}; {told}."


def set_columns(sets: PredictionSets) -> Row:
    """The head of the table of prediction sets."""
    return f"Sets to hold the true label of {sets.asked:.0%}".replace("%", " %"), *(each.name for each in sets.figures)


def set_rows(sets: PredictionSets) -> Iterator[Row]:
    """The cells of that table: coverage, size and coverage by label, a column for each rule."""
    labels = sets.figures[0].by_label
    yield "hold it, of all films", *(str(each.coverage) for each in sets.figures)
    for label in labels:
        yield f"hold it, of {label}", *(str(each.by_label[label]) for each in sets.figures)
    yield "labels in a set, mean", *(str(each.size) for each in sets.figures)
    for size in range(len(labels) + 1):
        yield f"films with {size} label{'' if size == 1 else 's'}", *(str(each.sizes[size]) for each in sets.figures)


def set_sentence(sets: PredictionSets) -> str:
    """Where the sets come from."""
    return (
        f"Split conformal sets (LAC, Sadinle et al. 2019), fitted on this bundle's answers to {sets.n_fitted} films of "
        f"the part {sets.part}. That part also chose the temperature and the threshold: see the intervals, not the "
        "promise."
    )


def look_rows(found: Consistency) -> Iterator[Row]:
    """The cells of the table of the second look."""
    yield "films of which a version is answered otherwise", str(found.disagreeing)
    yield "wrong decisions among these", str(found.risk_disagreeing)
    yield "wrong decisions among the others", str(found.risk_agreeing)
    yield f"AUROC of the scores' spread for a wrong decision ({found.errors} wrong)", str(found.auroc)
    yield "AUROC of the score's nearness to the threshold, which costs nothing", str(found.auroc_of_doubt)
    yield "the first less the second, paired", str(found.difference)


def look_sentence(found: Consistency) -> str:
    """What the second look costs, and what it tells."""
    cost = f"{found.again_ms:.0f} ms a film beside {found.first_ms:.0f} ms for the film itself (medians, prepared too)"
    return f"It takes {cost}. {found.verdict[0].upper()}{found.verdict[1:]}."
