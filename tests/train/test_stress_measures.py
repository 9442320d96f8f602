from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge import metrics
from osteo_edge.dataset import Case
from osteo_edge.intervals import estimate
from osteo_edge.train.disturbances import Disturbance
from osteo_edge.train.stress import Level, Reply, StressTest
from osteo_edge.train.stress_measures import (
    LevelMeasures,
    StressFigures,
    auroc_among,
    drawn_counts,
    in_percent,
    measure,
    measure_level,
    share_among,
    turns_of,
)
from osteo_edge.wording import Outcome

KIND = Disturbance("fog", "percent", (1, 2, 3, 4, 5), lambda film, amount, chance: film)
LABELS = ("normal", "normal", "normal", "weak", "weak", "weak")
SCORES = (0.1, 0.2, 0.5, 0.4, 0.8, 0.9)
OUTCOMES: tuple[Outcome, ...] = ("no_finding", "no_finding", "uncertain", "uncertain", "refer", "refer")


def replies(
    outcomes: tuple[Outcome, ...] = OUTCOMES,
    scores: tuple[float, ...] = SCORES,
    refused: tuple[int, ...] = (),
    bones: tuple[str | None, ...] = (None,) * 6,
) -> tuple[Reply, ...]:
    return tuple(
        Reply(score, outcome, "blurred" if place in refused else None, bone)
        for place, (score, outcome, bone) in enumerate(zip(scores, outcomes, bones, strict=True))
    )


def stressed(
    *levels: tuple[Reply, ...],
    groups: tuple[str, ...] = tuple("abcdef"),
    untouched: tuple[Reply, ...] = replies(),
    bones: tuple[str | None, ...] = (None,) * 6,
) -> StressTest:
    cases = tuple(Case(Path(f"{place}.png"), f"{place}.png", label) for place, label in enumerate(LABELS))
    numbered = tuple(Level(KIND, strength, found) for strength, found in enumerate(levels, 1))
    return StressTest("weak", ("weak",), cases, groups, untouched, numbered, (), 0, bones)


def measured(test: StressTest, found: tuple[Reply, ...]) -> LevelMeasures:
    return measure_level(test, found, ~test.refused, drawn_counts(np.array(test.groups)))


def test_of_untouched_films_nothing_is_turned_or_refused() -> None:
    found = measured(stressed(), replies())
    assert found.auroc.value == pytest.approx(8 / 9)
    assert found.auroc == found.auroc_shown
    for share in (found.reversed, found.wavered, found.refused, found.unnoticed):
        assert (share.value, share.low, share.n) == (0, 0, 6)
        assert share.high > 0.3
    assert found.caught.n == 0
    assert np.isnan(found.caught.value)


def test_reversed_and_wavered_are_told_apart() -> None:
    after: tuple[Outcome, ...] = ("refer", "uncertain", "uncertain", "refer", "no_finding", "refer")
    found = measured(stressed(), replies(after))
    assert found.reversed.value == pytest.approx(2 / 6)
    assert found.wavered.value == pytest.approx(2 / 6)
    assert found.unnoticed == found.reversed
    assert (found.caught.value, found.caught.n) == (0, 2)


def test_a_reversed_answer_that_is_refused_is_caught() -> None:
    after: tuple[Outcome, ...] = ("refer", "no_finding", "uncertain", "uncertain", "no_finding", "no_finding")
    found = measured(stressed(), replies(after, refused=(0, 1, 4)))
    assert found.reversed.value == pytest.approx(3 / 6)
    assert found.refused.value == pytest.approx(3 / 6)
    assert found.caught.value == pytest.approx(2 / 3)
    assert found.caught.n == 3
    assert found.unnoticed.value == pytest.approx(1 / 6)
    assert 0 <= found.unnoticed.low <= found.unnoticed.value <= found.unnoticed.high <= 1


def test_what_the_gate_refuses_untouched_is_neither_refused_nor_caught() -> None:
    opposite: tuple[Outcome, ...] = ("refer", "refer", "refer", "refer", "no_finding", "no_finding")
    figures = measure(stressed(replies(opposite, refused=(0, 1, 4)), untouched=replies(refused=(0, 4))))
    (found,) = figures.by_level
    assert (figures.untouched.refused.value, figures.untouched.refused.n) == pytest.approx((2 / 6, 6))
    assert (found.refused.value, found.refused.n) == pytest.approx((1 / 4, 4))
    assert (found.caught.value, found.caught.n) == pytest.approx((1 / 2, 2))
    assert (found.reversed.value, found.reversed.n) == pytest.approx((4 / 6, 6))
    assert (found.unnoticed.value, found.unnoticed.n) == pytest.approx((1 / 6, 6))


def test_where_the_gate_refuses_every_film_untouched_no_share_is_made_up() -> None:
    everything = replies(refused=tuple(range(6)))
    (found,) = measure(stressed(everything, untouched=everything)).by_level
    assert found.refused.n == 0
    assert in_percent(found.refused) == "-"


BONES = ("elbow", "wrist", "elbow", "wrist", "elbow", "wrist")


def test_a_film_that_another_bones_head_answers_counts_as_changed_whatever_it_says() -> None:
    after = replies(bones=("wrist", "wrist", None, "elbow", "elbow", "elbow"), refused=(5,))
    (found,) = measure(stressed(after, untouched=replies(bones=BONES), bones=BONES)).by_level
    assert found.rerouted.value == pytest.approx(3 / 6)
    assert found.reversed.value == 0
    assert (found.caught.value, found.caught.n) == pytest.approx((1 / 3, 3))
    assert found.unnoticed.value == pytest.approx(2 / 6)


def test_a_film_that_is_reversed_and_rerouted_counts_once() -> None:
    after = replies(("refer", *OUTCOMES[1:]), bones=("wrist", *BONES[1:]))
    figures = measure(stressed(after, untouched=replies(bones=BONES), bones=BONES))
    (found,) = figures.by_level
    assert [share.value for share in (found.reversed, found.rerouted, found.unnoticed)] == [pytest.approx(1 / 6)] * 3
    assert figures.verdict.startswith("Most reversed or re-routed decisions go unnoticed under fog 1")


def test_scores_of_different_bones_are_not_compared() -> None:
    """All of each bone in order; of one bone all scores are above those of the other."""
    scores = (0.1, 0.6, 0.2, 0.7, 0.3, 0.8)
    pooled = measured(stressed(), replies(scores=scores)).auroc
    apart = measured(stressed(bones=BONES), replies(scores=scores)).auroc
    assert (apart.value, apart.low, apart.high) == (1, 1, 1)
    assert pooled.value < 0.9


def test_which_way_decisions_turned_is_counted() -> None:
    after: tuple[Outcome, ...] = ("refer", "refer", "uncertain", "refer", "no_finding", "refer")
    assert turns_of(stressed(), replies(after)) == {
        "no finding to refer": 2,
        "uncertain to refer": 1,
        "refer to no finding": 1,
    }
    assert turns_of(stressed(), replies()) == {}


def test_auroc_is_over_all_films_and_over_those_let_through() -> None:
    wrong = (0.95, 0.2, 0.3, 0.05, 0.8, 0.9)
    found = measured(stressed(), replies(scores=wrong, refused=(0, 3)))
    assert found.auroc.value == pytest.approx(4 / 9)
    assert (found.auroc_shown.value, found.auroc_shown.n) == (1, 4)
    everything = measured(stressed(), replies(refused=tuple(range(6))))
    assert np.isnan(everything.auroc_shown.value)
    assert everything.auroc.value == pytest.approx(8 / 9)


def test_a_model_that_gives_no_number_has_no_auroc() -> None:
    found = measured(stressed(), replies(scores=(float("nan"), *SCORES[1:])))
    assert np.isnan(found.auroc.value)


def test_intervals_are_over_groups() -> None:
    after: tuple[Outcome, ...] = ("refer", "refer", *OUTCOMES[2:])
    alone = measured(stressed(), replies(after)).reversed
    joined = measured(stressed(groups=("a", "a", "c", "c", "e", "e")), replies(after)).reversed
    assert alone.value == joined.value
    assert joined.high > alone.high


def test_the_verdict_names_the_weakest_of_the_worst_levels() -> None:
    after: tuple[Outcome, ...] = ("refer", *OUTCOMES[1:])
    same = replies(after)
    caught = replies(("refer", "refer", *OUTCOMES[2:]), refused=(0, 1))
    figures = measure(stressed(replies(), same, same, caught, replies()))
    assert isinstance(figures, StressFigures)
    assert figures.verdict.startswith("Most reversed decisions go unnoticed under fog 2 (percent): 17 % [")
    assert measure(stressed(replies(), caught)).verdict == "No decision was reversed without being refused."


def test_the_intervals_are_those_of_the_bootstrap_that_draws_case_by_case() -> None:
    chance = np.random.default_rng(0)
    positive, score = chance.random(40) < 0.5, np.round(chance.random(40), 1)
    among, hits = chance.random(40) < 0.7, chance.random(40) < 0.3
    groups = np.array([f"patient {number // 2}" for number in range(40)])
    counts, strata = drawn_counts(groups), chance.integers(0, 3, 40)
    area = auroc_among(among, positive, score, counts, strata)

    def of_drawn(drawn: npt.NDArray[np.intp]) -> float:
        i = drawn[among[drawn]]
        return metrics.auroc(positive[i], score[i], strata[i])

    expected = estimate(of_drawn, 40, groups=groups)
    assert (area.value, area.low, area.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert area.n == among.sum()
    share = share_among(among, hits, groups, counts)
    expected = estimate(lambda i: metrics.share(hits[i][among[i]]), 40, groups=groups)
    assert (share.value, share.low, share.high) == pytest.approx((expected.value, expected.low, expected.high))
    assert share.n == among.sum()
