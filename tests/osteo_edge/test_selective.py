import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.evaluation import Predictions
from osteo_edge.manifest import Manifest
from osteo_edge.selective import COVERAGES, Selective, confidence_of, measure_selective
from tests.routed import routed

FEW = 200
SCORES = {"normal": (0.1, 0.3, 0.7), "osteoporosis": (0.5, 0.8, 0.9)}


def predicted(films: Sequence[tuple[str, Sequence[float]]], groups: Sequence[str] | None = None) -> Predictions:
    """Films by label and probabilities, each a group of its own unless said otherwise."""
    cases = tuple(Case(Path("x.png"), f"{number}.png", label) for number, (label, _) in enumerate(films))
    names = np.array(groups or [str(number) for number in range(len(films))])
    return Predictions(cases, names, np.array([values for _, values in films], np.float64), ())


def by_score(copies: int = 1, *, same_group: bool = False) -> Predictions:
    """The films of `SCORES`, each so many times."""
    films = [(label, (1 - score, 0.0, score)) for label, scores in SCORES.items() for score in scores]
    groups = [str(number) for number in range(len(films)) for _ in range(copies)] if same_group else None
    return predicted([film for film in films for _ in range(copies)], groups)


@pytest.fixture
def six(manifest: Manifest) -> Selective:
    return measure_selective(by_score(), manifest, replicates=FEW)


def test_the_curve_is_as_worked_out_by_hand(six: Selective) -> None:
    """The threshold is 0.6: 0.7 of a normal film and 0.5 of the other are wrong, and nearest to it."""
    assert six.coverage.tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert six.risk.tolist() == pytest.approx([0, 0, 0, 0, 1 / 5, 2 / 6])
    assert six.aurc.value == six.best.value == pytest.approx((1 / 5 + 2 / 6) / 6)
    assert {share: found.value for share, found in six.at.items()} == pytest.approx(
        {1.0: 2 / 6, 0.9: 2 / 6, 0.8: 1 / 5, 0.7: 1 / 5, 0.6: 0, 0.5: 0}
    )
    assert [six.at[share].n for share in COVERAGES] == [6, 6, 5, 5, 4, 3]


def test_the_bundles_own_band_is_a_point_of_its_own(six: Selective) -> None:
    """It goes from 0.4 to 0.6, so 0.5 is left to a person."""
    assert (six.band.coverage.value, six.band.coverage.n) == pytest.approx((5 / 6, 6))
    assert (six.band.risk.value, six.band.risk.n) == pytest.approx((1 / 5, 5))
    assert (six.band.missed.value, six.band.missed.n) == (0.0, 3)
    assert 0 < six.band.missed.high < 1, "no miss among 3 films is no proof that there is none"


def test_a_positive_film_below_the_band_is_missed(manifest: Manifest) -> None:
    low = replace(manifest, decision=replace(manifest.decision, threshold=0.85, abstain_low=0.55, abstain_high=0.85))
    band = measure_selective(by_score(), low, replicates=FEW).band
    assert band.missed.value == pytest.approx(1 / 3)
    assert band.coverage.value == pytest.approx(4 / 6)
    assert band.risk.value == pytest.approx(1 / 4)


def test_the_rate_that_the_band_was_chosen_for_stands_beside_the_one_reached(manifest: Manifest) -> None:
    parent = replace(manifest.parent, recipe={"train": {"abstain_sensitivity": 0.95}})
    assert measure_selective(by_score(), replace(manifest, parent=parent), replicates=FEW).band.stated == 0.05
    assert measure_selective(by_score(), manifest, replicates=FEW).band.stated is None


def test_copies_of_a_film_make_nothing_surer_when_they_are_one_group(manifest: Manifest) -> None:
    once, alike, apart = (
        measure_selective(found, manifest, replicates=2000)
        for found in (by_score(), by_score(9, same_group=True), by_score(9))
    )
    widths = [found.at[1.0].high - found.at[1.0].low for found in (once, alike, apart)]
    assert widths[1] == pytest.approx(widths[0], abs=0.05)
    assert widths[2] < widths[0] / 2


def test_a_film_without_a_number_is_the_least_sure(manifest: Manifest) -> None:
    nothing = ("osteoporosis", (np.nan, np.nan, np.nan))
    found = measure_selective(predicted([("normal", (0.5, 0.0, 0.5)), nothing]), manifest, replicates=FEW)
    assert found.risk.tolist() == [0.0, 0.5]
    assert found.band.coverage.value == 0.0
    assert np.isnan(found.band.risk.value)


def test_confidence_is_that_of_the_decision_and_not_of_the_likeliest_label() -> None:
    confidence = confidence_of(np.array([0.2, 0.3, 0.9, 1.0]), np.array([0.2, 0.2, 0.2, 0.2]))
    assert confidence[0] == 0.0
    assert (np.diff(confidence) > 0).all()
    assert np.isfinite(confidence).all()


def test_a_film_whose_bone_is_not_clear_is_not_answered(manifest: Manifest) -> None:
    limbs = routed(manifest, elbow="abnormality", hand="abnormality")
    clear, unclear = (0.1, 0.8, 0.05, 0.05), (0.05, 0.5, 0.0, 0.45)
    films = predicted([("elbow abnormal", clear), ("elbow abnormal", unclear)])
    found = measure_selective(films, limbs, replicates=FEW)
    assert found.band.coverage.value == 0.5
    assert found.risk.tolist() == [0.0, 0.0]


def test_everything_is_there_for_machines(six: Selective) -> None:
    plain = six.to_dict()
    json.dumps(plain)
    assert plain["curve"]["risk"] == six.risk.tolist()
    assert plain["abstain_band"]["coverage"]["n"] == 6
    assert [row["coverage"] for row in plain["risk_at_coverage"]] == list(COVERAGES)
