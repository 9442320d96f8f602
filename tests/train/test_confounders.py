import sys
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case
from osteo_edge.errors import MissingExtraError
from osteo_edge.metrics import auroc
from osteo_edge.train import confounders
from osteo_edge.train.confounders import Confounder, Folds, Indices, auroc_of_draws, measure_confounders
from osteo_edge.train.fingerprint import Fingerprint
from osteo_edge.train.grouped_folds import grouped_divisions

LABELS = ("a", "b", "c")


def _image(number: int, label: str, rng: np.random.Generator, **known: float) -> Fingerprint:
    values = {
        "height": int(rng.integers(400, 900)),
        "width": int(rng.integers(400, 900)),
        "file_bytes": int(rng.integers(10_000, 90_000)),
        "mean": float(rng.uniform(0.2, 0.6)),
        "deviation": float(rng.uniform(0.1, 0.3)),
    } | known
    return Fingerprint(
        name=f"{label}/{number}", label=label, patient=None, sha256="", pixels_sha256="", format="jpeg", bits=8,
        hashes=b"", **values,  # type: ignore[arg-type]
    )  # fmt: skip


def _measure(images: list[Fingerprint], cases: list[Case] | None = None) -> dict[str, Confounder]:
    cases = cases or [Case(Path(image.name), image.name, image.label) for image in images]
    groups = {image.name: image.name for image in images}
    found = measure_confounders(images, {case.name: case for case in cases}, groups)
    return {confounder.name: confounder for confounder in found}


def test_nothing_is_flagged_where_nothing_tells_the_label() -> None:
    rng = np.random.default_rng(0)
    found = _measure([_image(number, LABELS[number % 3], rng) for number in range(240)])
    assert list(found) == ["image size", "file", "brightness"]
    for confounder in found.values():
        assert confounder.auroc is not None
        assert confounder.auroc.n == 240
        assert confounder.auroc.low < 0.5 + 0.05
        assert not confounder.flagged


def test_sizes_that_differ_by_kind_are_found_to_tell_the_label() -> None:
    rng = np.random.default_rng(0)
    sizes = {"a": (300, 700, 1100), "b": (500, 900, 1300), "c": (400, 800)}
    images = [
        _image(number, label, rng, height=(side := int(rng.choice(sizes[label]))), width=side)
        for number in range(150)
        for label in [LABELS[number % 3]]
    ]
    found = _measure(images)["image size"]
    assert found.flagged
    assert found.auroc is not None
    assert found.auroc.value > 0.9
    assert set(found.by_label) == set(LABELS)


def test_age_and_ost_are_measured_where_they_are_known() -> None:
    rng = np.random.default_rng(0)
    images = [_image(number, LABELS[number % 3], rng) for number in range(120)]
    cases = [
        Case(Path(), image.name, image.label, age=40 + 12 * LABELS.index(image.label) + rng.normal(0, 8),
             weight=rng.normal(70, 10) if number < 90 else None)
        for number, image in enumerate(images)
    ]  # fmt: skip
    found = _measure(images, cases)
    assert list(found) == ["image size", "file", "brightness", "age", "weight", "OST"]
    assert found["age"].flagged
    assert found["OST"].auroc is not None
    assert found["OST"].auroc.n == 90
    assert not found["weight"].flagged


def test_what_is_the_same_in_every_image_is_not_measured() -> None:
    rng = np.random.default_rng(0)
    images = [_image(number, LABELS[number % 2], rng, height=512, width=512) for number in range(40)]
    found = _measure(images)["image size"]
    assert (found.auroc, found.flagged, found.note) == (None, False, "the same in every image")


@pytest.mark.parametrize("labels", ["a", "aaaa", "aaab"])
def test_too_few_images_are_not_measured(labels: str) -> None:
    rng = np.random.default_rng(0)
    found = _measure([_image(number, label, rng) for number, label in enumerate(labels)])
    assert all(confounder.auroc is None for confounder in found.values())
    assert found["brightness"].note == "needs two labels with two independent images each"


def test_no_images_have_no_confounders() -> None:
    assert measure_confounders([], {}, {}) == ()


def test_copies_of_one_image_never_stand_on_both_sides_of_a_fold() -> None:
    """Six copies of each of forty images: on both sides, their brightness would tell the group and so the label."""
    rng = np.random.default_rng(0)
    images, groups = [], {}
    for group in range(40):
        mean = float(rng.uniform(0.2, 0.6))
        for copy in range(6):
            image = _image(group * 6 + copy, "ab"[group % 2], rng, mean=mean, deviation=mean / 2)
            images.append(image)
            groups[image.name] = str(group)
    cases = {image.name: Case(Path(), image.name, image.label) for image in images}
    found = {each.name: each for each in measure_confounders(images, cases, groups)}["brightness"]
    assert found.auroc is not None
    assert found.auroc.low < 0.55


def test_a_draw_is_counted_to_the_auroc_that_sorting_it_gives() -> None:
    rng = np.random.default_rng(0)
    positive, score = rng.random(80) < 0.3, rng.random(80).round(1)
    of = auroc_of_draws(positive, score)
    for _ in range(50):
        drawn = rng.integers(0, 80, 80)
        assert of(drawn) == auroc(positive[drawn], score[drawn])
    assert np.isnan(of(np.flatnonzero(positive)))


def test_suspects_known_of_the_same_images_share_their_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counting(truth: Indices, groups: Indices, count: int, seed: int) -> Folds:
        made.append(truth.size)
        return grouped_divisions(truth, groups, count, seed)

    monkeypatch.setattr(confounders, "grouped_divisions", counting)
    rng = np.random.default_rng(0)
    images = [_image(number, LABELS[number % 3], rng) for number in range(60)]
    cases = [
        Case(Path(), image.name, image.label, age=60.0 + number % 7, weight=70.0 + number % 5 if number < 45 else None)
        for number, image in enumerate(images)
    ]
    assert len(_measure(images, cases)) == 6
    assert made == [60, 45]


def test_measuring_twice_gives_the_same() -> None:
    images = [_image(number, LABELS[number % 3], np.random.default_rng(number)) for number in range(60)]
    assert _measure(images) == _measure(images)


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    images = [_image(number, LABELS[number % 3], np.random.default_rng(number)) for number in range(60)]
    with pytest.raises(MissingExtraError, match=r"the audit needs scikit-learn: pip install 'osteo-edge\[train\]'"):
        _measure(images)


def test_a_label_that_cannot_be_held_out_is_not_measured() -> None:
    rng = np.random.default_rng(0)
    images = [_image(number, "aab"[number % 3], rng) for number in range(6)]
    cases = {image.name: Case(Path(), image.name, image.label) for image in images}
    groups = {image.name: str(number // 3) for number, image in enumerate(images)}
    found = measure_confounders(images, cases, groups)
    assert all(each.auroc is not None or each.note for each in found)
