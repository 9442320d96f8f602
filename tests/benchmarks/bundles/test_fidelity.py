import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.bundles.fidelity import WHOLE, choose, fidelity, measure_fidelity
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest
from osteo_edge.split import Split, SplitRow, write_split

LABELS = ("normal", "osteopenia", "osteoporosis")
BRIGHTNESS = (0.15, 0.25, 0.35, 0.45, 0.6, 0.8)
PARTS = ("train", "test")


@pytest.fixture
def knees(draw_film: Callable[..., Path]) -> Dataset:
    """Twelve drawn films; the brighter two thirds of them are labelled as low bone density."""
    for number, brightness in enumerate(BRIGHTNESS):
        for part in PARTS:
            film = draw_film(f"knees/{LABELS[number // 2]}/{part}{number}.png", brightness=brightness)
    return read_dataset(film.parent.parent)


@pytest.fixture
def split(knees: Dataset) -> Split:
    """By the first half of the file name; the darkest film of the training part is excluded."""
    rows = [SplitRow(case.name, case.label, case.name, case.path.stem[:-1], "a" * 64) for case in knees.cases]
    badly = {"normal/train0.png": {"part": "excluded", "reason": "drawn badly"}}
    return Split(tuple(replace(row, **badly.get(row.name, {})) for row in rows))


def strict(manifest: Manifest, threshold: float) -> Manifest:
    return replace(manifest, decision=replace(manifest.decision, threshold=threshold, abstain_high=threshold))


def test_without_a_split_every_image_is_its_own_group(knees: Dataset) -> None:
    chosen = choose(knees, None)
    assert len(chosen) == 12
    assert {image.part for image in chosen} == {WHOLE}
    assert len({image.group for image in chosen}) == 12


def test_with_a_split_the_excluded_images_stay_out(knees: Dataset, split: Split) -> None:
    chosen = choose(knees, split)
    assert [image.part for image in chosen] == ["train"] * 5 + ["test"] * 6
    assert "normal/train0.png" not in {image.case.name for image in chosen}


def test_a_bundle_agrees_with_itself_in_everything(bundle: Bundle, knees: Dataset, split: Split) -> None:
    found = measure_fidelity(bundle, bundle, choose(knees, split))
    assert found.decision_agreement.value == found.outcome_agreement.value == 1
    assert found.largest_difference == found.mean_difference == 0
    assert {part: agreement.n for part, agreement in found.by_part.items()} == {"train": 5, "test": 6}
    assert [auroc.difference.value for auroc in found.aurocs.values()] == [0, 0]
    assert found.reference_bytes == found.bundle_bytes == bundle.model_path.stat().st_size
    assert found.checks[0].passed


def test_the_golden_int8_model_decides_as_the_float_one(golden_bundle: Callable[..., Bundle], knees: Dataset) -> None:
    found = measure_fidelity(golden_bundle("float", precision="float32"), golden_bundle(), choose(knees, None))
    assert found.decision_agreement.value == 1
    assert 0 < found.mean_difference <= found.largest_difference < 0.05
    assert {question: auroc.after.value for question, auroc in found.aurocs.items()} == {
        "osteopenia or osteoporosis": 1,
        "osteoporosis": 1,
    }


def test_decisions_and_outcomes_are_those_of_each_bundles_own_manifest(
    golden_bundle: Callable[..., Bundle], knees: Dataset, manifest: Manifest
) -> None:
    """Of six brightnesses, those whose score lies between the two thresholds are decided otherwise."""
    reference, stricter = golden_bundle(), golden_bundle("stricter", decision=strict(manifest, 0.99).decision)
    found = measure_fidelity(reference, stricter, choose(knees, None))
    between = [0.6 <= score < 0.99 for score in found.answers.scores]
    assert found.answers.scores == found.answers.reference_scores
    assert 0 < sum(between) < 12
    assert found.decision_agreement.value == pytest.approx(1 - sum(between) / 12)
    assert found.outcome_agreement.value == pytest.approx(1 - sum(between) / 12)
    assert found.largest_difference == 0
    assert not found.checks[0].passed


def test_an_image_that_cannot_be_read_is_listed_and_left_out(bundle: Bundle, knees: Dataset) -> None:
    knees.cases[0].path.write_bytes(b"no image")
    found = measure_fidelity(bundle, bundle, choose(knees, None))
    assert found.decision_agreement.n == 11
    assert len(found.skipped) == 1
    assert knees.cases[0].name not in found.answers.images


def test_bundles_of_other_labels_are_not_compared(golden_bundle: Callable[..., Bundle], knees: Dataset) -> None:
    renamed = golden_bundle("renamed", labels=("healthy", "osteopenia", "osteoporosis"))
    with pytest.raises(BundleError, match="its labels are not those of"):
        measure_fidelity(golden_bundle(), renamed, choose(knees, None))


def test_progress_runs_once_over_both_bundles(bundle: Bundle, knees: Dataset) -> None:
    seen: list[tuple[int, int]] = []
    measure_fidelity(bundle, bundle, choose(knees, None), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 24) for number in range(1, 25)]


def test_the_command_prints_the_verdict_and_exits_with_it(
    golden_bundle: Callable[..., Bundle], knees: Dataset, split: Split, manifest: Manifest, tmp_path: Path
) -> None:
    write_split(split, tmp_path / "split.csv")
    reference, stricter = golden_bundle(), golden_bundle("stricter", decision=strict(manifest, 0.99).decision)
    options = [str(knees.root), "--split", str(tmp_path / "split.csv")]
    same = CliRunner().invoke(fidelity, [str(reference.path), str(reference.path), *options])
    assert same.exit_code == 0
    assert "PASS  agreement of decisions: 1.000" in same.output
    other = CliRunner().invoke(fidelity, [str(reference.path), str(stricter.path), *options, "--json"])
    assert other.exit_code == 1
    plain = json.loads(other.output)
    assert plain["checks"][0]["passed"] is False
    assert len(plain["answers"]["scores"]) == 11
