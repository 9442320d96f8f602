import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.answers import Answers
from osteo_edge.conformal import fit_limit, fit_limits, fit_limits_by_label, measure_sets, prediction_sets

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Drawn = tuple[Floats, Indices]
ALPHA = 0.1
LABELS = ("normal", "osteopenia", "osteoporosis")


def draw(rng: np.random.Generator, n: int, skill: float, *, groups_of: int = 1) -> Drawn:
    """Probabilities of three labels by a model of some `skill`, too sure of itself, and the true labels.

    Films of one group have the same label and nearly the same logits.
    """
    truth = rng.choice(3, n // groups_of, p=[0.6, 0.3, 0.1])
    logits = 3 * (rng.normal(0, 1, (truth.size, 3)) + skill * np.eye(3)[truth])
    truth, logits = np.repeat(truth, groups_of), np.repeat(logits, groups_of, axis=0)
    if groups_of > 1:
        logits += rng.normal(0, 0.1, logits.shape)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), truth


def coverage_of(limits: Floats, drawn: Drawn) -> float:
    probabilities, truth = drawn
    return float(prediction_sets(probabilities, limits)[np.arange(truth.size), truth].mean())


def mean_coverage(
    fit: Callable[[Floats, Indices, float], Floats], n: int, skill: float, draws: int
) -> tuple[float, float]:
    """The mean coverage over draws of both parts, and its standard error."""
    rng = np.random.default_rng(0)
    found = [coverage_of(fit(*draw(rng, n, skill), 1 - ALPHA), draw(rng, 40, skill)) for _ in range(draws)]
    return float(np.mean(found)), float(np.std(found) / np.sqrt(draws))


@pytest.mark.parametrize("skill", [0.0, 1.0, 3.0], ids=["guesses", "fair", "good"])
@pytest.mark.parametrize("n", [19, 25, 60])
def test_over_many_draws_coverage_is_as_promised_for_models_good_and_bad(n: int, skill: float) -> None:
    """Within [1 - a, 1 - a + 1 / (n + 1)], give or take four standard errors (Lei et al. 2018, theorem 2)."""
    mean, error = mean_coverage(fit_limits, n, skill, 1500)
    assert 1 - ALPHA - 4 * error <= mean <= 1 - ALPHA + 1 / (n + 1) + 4 * error


def test_hardly_any_coverage_asks_for_the_most_probable_film() -> None:
    assert fit_limit(np.array([0.2, 0.6, 0.4]), 1e-12) == 0.6


@pytest.mark.parametrize("off_by", [-1, 1])
def test_a_limit_that_is_one_film_off_breaks_the_promise(off_by: int) -> None:
    """So the test above can fail."""
    n = 25

    def wrong(probabilities: Floats, truth: Indices, coverage: float) -> Floats:
        ordered = np.sort(probabilities[np.arange(truth.size), truth])
        right = int(np.searchsorted(ordered, fit_limits(probabilities, truth, coverage)[0]))
        return np.full(3, ordered[right + off_by])

    mean, error = mean_coverage(wrong, n, 1.0, 1500)
    assert not 1 - ALPHA - 4 * error <= mean <= 1 - ALPHA + 1 / (n + 1) + 4 * error


def test_one_limit_may_fail_a_rare_label_and_a_limit_for_each_does_not() -> None:
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {"one": [], "each": []}
    for _ in range(300):
        fitted, (probabilities, truth) = draw(rng, 300, 1.0), draw(rng, 300, 1.0)
        harder = probabilities[truth == 2], truth[truth == 2]
        found["one"].append(coverage_of(fit_limits(_blind(fitted[0]), fitted[1]), (_blind(harder[0]), harder[1])))
        found["each"].append(
            coverage_of(fit_limits_by_label(_blind(fitted[0]), fitted[1]), (_blind(harder[0]), harder[1]))
        )
    assert np.mean(found["one"]) < 0.8
    assert np.mean(found["each"]) >= 1 - ALPHA - 4 * np.std(found["each"]) / np.sqrt(300)


def _blind(probabilities: Floats) -> Floats:
    """As by a model that hardly sees the last label."""
    dimmed = probabilities * [1.0, 1.0, 0.1]
    return np.asarray(dimmed / dimmed.sum(axis=1, keepdims=True), np.float64)


def test_films_in_groups_keep_the_coverage_on_average_as_on_the_drawn_knees() -> None:
    """As many films as in the demo, in pairs of one patient."""
    rng = np.random.default_rng(2)
    found = [
        coverage_of(fit_limits(*draw(rng, 96, 2.0, groups_of=2)), draw(rng, 96, 2.0, groups_of=2)) for _ in range(800)
    ]
    assert np.mean(found) == pytest.approx(1 - ALPHA, abs=0.02)


@pytest.mark.parametrize(("n", "limit"), [(8, 0.0), (9, 0.1), (18, 0.05), (19, 0.1)])
def test_the_limit_is_the_finite_sample_quantile(n: int, limit: float) -> None:
    """Of 9 films all must be covered for 90 %, of 8 not even that would do."""
    assert fit_limit(np.arange(1, n + 1) / (10 if n < 10 else 20), 0.9) == pytest.approx(limit)


def test_too_few_films_put_every_label_in_every_set() -> None:
    limits = fit_limits_by_label(np.array([[0.9, 0.1, 0.0]]), np.array([0]))
    assert limits.tolist() == [0, 0, 0]
    assert prediction_sets(np.array([[1.0, 0.0, 0.0]]), limits).all()


def test_without_a_number_nothing_is_ruled_out() -> None:
    assert prediction_sets(np.full((1, 3), np.nan), np.full(3, 0.5)).all()


def answers(probabilities: Floats, truth: Indices) -> Answers:
    groups = np.arange(truth.size).astype(str)
    return Answers(truth, probabilities, LABELS, LABELS[1:], np.full(truth.size, 0.5), groups)


def test_sets_are_measured_as_worked_out_by_hand() -> None:
    fitted = answers(np.tile([0.5, 0.3, 0.2], (9, 1)), np.zeros(9, np.intp))
    measured = answers(
        np.array([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6], [0.5, 0.5, 0.0], [0.4, 0.3, 0.3]]), np.array([0, 1, 1, 2])
    )
    found = measure_sets(measured, fitted, "validation", replicates=100)
    one, each = found.figures
    assert one.limits == dict.fromkeys(LABELS, 0.5)
    assert (one.coverage.value, one.coverage.n) == (0.5, 4)
    assert one.size.value == 1.0
    assert one.sizes == (1, 2, 1, 0)
    assert {label: (share.value, share.n) for label, share in one.by_label.items()} == {
        "normal": (1.0, 1),
        "osteopenia": (0.5, 2),
        "osteoporosis": (0.0, 1),
    }
    assert each.limits == {"normal": 0.5, "osteopenia": 0.0, "osteoporosis": 0.0}
    assert each.coverage.value == 1.0
    assert (found.n_fitted, found.part, found.asked) == (9, "validation", 0.9)
    plain = found.to_dict()
    json.dumps(plain)
    assert [rule["films_by_size"] for rule in plain["rules"]] == [list(one.sizes), list(each.sizes)]
