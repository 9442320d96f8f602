import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from osteo_edge.errors import DatasetError
from osteo_edge.train.linear_head import Span, choose_linear, fit_linear, mean_auroc


def _problem(n: int = 60, width: int = 200, n_labels: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features in which the first few tell the label, labels, and a group for each two images."""
    rng = np.random.default_rng(0)
    classes = rng.permutation(np.arange(n) // 2 % n_labels)
    features = rng.normal(size=(n, width)).astype(np.float32)
    features[np.arange(n), classes] += 3
    return features, classes, np.array([str(number // 2) for number in range(n)])


@pytest.mark.parametrize("strength", [1e-3, 1e-1])
def test_a_fit_in_the_span_of_the_images_is_the_fit_on_all_features(strength: float) -> None:
    features, classes, _ = _problem()
    span = Span(features[:40])
    assert span.turn(features).shape == (60, 40)
    found = span.undo(fit_linear(span.turn(features[:40]), classes[:40], 3, strength)).logits(features)
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=5000, tol=1e-8)
    expected = model.fit(features[:40], classes[:40]).predict_log_proba(features)
    np.testing.assert_allclose(
        found - found.mean(1, keepdims=True), expected - expected.mean(1, keepdims=True), atol=0.02
    )


def test_standardized_features_weigh_alike_whatever_their_unit() -> None:
    features, classes, _ = _problem()
    stretched = features * np.logspace(-2, 2, 200, dtype=np.float32) + 3

    def logits(of: np.ndarray) -> np.ndarray:
        span = Span(of[:40], standardize=True)
        return span.undo(fit_linear(span.turn(of[:40]), classes[:40], 3, 1.0)).logits(of)

    np.testing.assert_allclose(logits(stretched), logits(features), atol=0.01)


def test_a_head_in_the_span_and_its_undoing_answer_alike() -> None:
    features, classes, _ = _problem()
    span = Span(features[:40], standardize=True)
    head = fit_linear(span.turn(features[:40]), classes[:40], 3, 1.0)
    np.testing.assert_allclose(span.undo(head).logits(features), head.logits(span.turn(features)), atol=1e-4)


def test_two_labels_give_two_logits_with_the_same_probability() -> None:
    features, classes, _ = _problem(n_labels=2)
    logits = fit_linear(features, classes, 2, 0.1).logits(features)
    model = LogisticRegression(C=0.2, class_weight="balanced", max_iter=2000).fit(features, classes)  # of one kernel
    np.testing.assert_allclose(
        1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), model.predict_proba(features)[:, 1], rtol=1e-2
    )


def test_held_out_logits_come_from_heads_that_saw_no_image_of_the_group() -> None:
    """Groups of two whose labels are drawn at random, each with a feature of its own: only a leak could tell them."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), 2)
    classes = np.repeat(np.arange(40) % 2, 2)
    features = np.eye(40, dtype=np.float32)[groups] * 5 + rng.normal(0, 0.01, (80, 40)).astype(np.float32)
    chosen = choose_linear(features, classes, groups.astype(str), 2, seed=0, strengths=(1.0,))
    within = (chosen.head.logits(features).argmax(1) == classes).mean()
    held_out = (chosen.held_out.argmax(1) == classes).mean()
    assert within == 1
    assert held_out < 0.7


def test_the_strength_that_ranks_best_held_out_is_chosen() -> None:
    features, classes, groups = _problem()
    chosen = choose_linear(features, classes, groups, 3, seed=0)
    alone = [choose_linear(features, classes, groups, 3, seed=0, strengths=(s,)).held_out for s in (1e-4, 1e-1)]
    assert mean_auroc(chosen.held_out, classes) >= max(mean_auroc(logits, classes) for logits in alone)


def test_the_mean_auroc_does_not_see_a_temperature() -> None:
    rng = np.random.default_rng(2)
    logits, classes = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    assert mean_auroc(logits * 7, classes) == pytest.approx(mean_auroc(logits, classes))


def test_a_missing_label_is_a_clear_error() -> None:
    features, classes, _ = _problem()
    with pytest.raises(DatasetError, match="only 2 of 3 labels"):
        fit_linear(features[classes < 2], classes[classes < 2], 3, 0.1)


def test_a_label_with_one_group_is_too_few_to_choose_on() -> None:
    features, _, _ = _problem(n=8)
    classes, groups = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array(list("abcdeeee"))
    with pytest.raises(DatasetError, match="1 group of images is too few"):
        choose_linear(features, classes, groups, 2, seed=0)
