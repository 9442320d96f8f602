import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.benchmarks.bench.answering import (
    ask,
    describe_answers,
    find_reference,
    hash_images,
    measure_fidelity,
)
from osteo_edge.benchmarks.compression.measurement import Sample, choose_sample
from osteo_edge.benchmarks.measuring.results import Fidelity
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.dataset import read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.split import read_split

LOW = "osteopenia or osteoporosis"


@pytest.fixture
def sample(films: Path) -> Sample:
    """The nine test films."""
    labels = ("normal", "osteopenia", "osteoporosis")
    return choose_sample(read_dataset(films), read_split(films.parent / "split.csv"), "test", labels)


@pytest.fixture
def network(network_bundle: Callable[..., Path]) -> Callable[..., Bundle]:
    return lambda *names, **changes: read_bundle(network_bundle(*names, **changes))


def test_a_bundle_is_measured_beside_its_float_one(network: Callable[..., Bundle], sample: Sample, films: Path) -> None:
    float32, int8 = network("float", "float32"), network("int8")
    seen: list[tuple[int, int]] = []
    found = measure_fidelity(
        (int8, float32), sample, sha256_file(films.parent / "split.csv"), on_progress=lambda *done: seen.append(done)
    )
    own, plain = found[str(int8.path)], found[str(float32.path)]
    assert isinstance(own, Fidelity)
    assert isinstance(plain, Fidelity)
    assert (own.part, own.n, own.on_trained_split) == ("test", 9, True)
    assert set(own.aurocs) == {LOW, "osteoporosis"}
    assert own.aurocs[LOW].value == 1.0, "the golden model scores bright films higher, and the labels are by brightness"
    assert 0 <= own.calibration_error.value <= 1
    assert own.reference == str(float32.path)
    assert own.auroc_changes is not None
    assert own.auroc_changes[LOW].value == 0.0
    assert own.decisions_agree is not None
    assert own.decisions_agree.value == 1.0
    assert own.mean_difference is not None
    assert 0 < own.mean_difference < 0.05
    assert (plain.reference, plain.auroc_changes, plain.decisions_agree, plain.mean_difference) == (None,) * 4
    assert seen[-1] == (18, 18)


def test_images_that_have_changed_since_the_split_give_no_figures(
    network: Callable[..., Bundle], sample: Sample, draw_film: Callable[..., Path]
) -> None:
    changed = sample.cases[2]
    changed.path.write_bytes(draw_film("another.png", brightness=0.9).read_bytes())
    (found,) = measure_fidelity((network("int8"),), sample, "f" * 64).values()
    assert isinstance(found, str)
    assert found.startswith(f"1 of 9 films have changed since the split was made, the first of them {changed.name};")


def test_images_are_known_again_by_their_files_and_labels(
    network: Callable[..., Bundle], sample: Sample, draw_film: Callable[..., Path]
) -> None:
    float32, int8 = network("float", "float32"), network("int8")
    own, plain = measure_fidelity((int8, float32), sample, "f" * 64).values()
    assert isinstance(own, Fidelity)
    assert isinstance(plain, Fidelity)
    known = hash_images(sample.cases)
    assert own.images_sha256 == plain.images_sha256 == known
    first, *others = sample.cases
    elsewhere = replace(first, name="other.png", path=first.path.rename(first.path.with_name("moved.png")))
    assert hash_images((*others, elsewhere)) == known
    assert hash_images((*others, replace(elsewhere, label="osteoporosis"))) != known
    assert hash_images(others) != known
    elsewhere.path.write_bytes(draw_film("another.png", brightness=0.9).read_bytes())
    assert hash_images((*others, elsewhere)) != known
    with pytest.raises(DatasetError, match=r"0\.png: has gone while it was measured on"):
        hash_images(sample.cases)


def test_another_split_than_that_of_the_training_is_told(bundle: Bundle, sample: Sample) -> None:
    found = measure_fidelity([bundle], sample, "f" * 64)[str(bundle.path)]
    assert isinstance(found, Fidelity)
    assert not found.on_trained_split


def test_a_bundle_that_cannot_answer_leaves_the_others_measured(network: Callable[..., Bundle], sample: Sample) -> None:
    float32, int8 = network("float", "float32"), network("int8")
    float32.model_path.write_bytes(b"no model")
    found = measure_fidelity((float32, int8), sample, "f" * 64)
    assert "not a TFLite model" in str(found[str(float32.path)])
    own = found[str(int8.path)]
    assert isinstance(own, Fidelity)
    assert own.reference is None


def test_the_reference_is_the_float_bundle_of_the_same_parent(network: Callable[..., Bundle]) -> None:
    other, float32 = network("other", "float32", sha256="b" * 64), network("float", "float32")
    int8 = network("int8")
    assert find_reference(int8, (other, int8, float32)) is float32
    assert find_reference(float32, (other, int8, float32)) is None


def test_a_pruned_model_stands_in_for_its_network_as_it_was_trained(network: Callable[..., Bundle]) -> None:
    float32, wide = network("float", "float32"), network("wide", "float32", alpha=1.4, sha256="c" * 64)
    pruned = network("pruned", prune=("channel", 0.5), sha256="b" * 64)
    assert find_reference(pruned, (wide, pruned, float32)) is float32
    assert find_reference(pruned, (wide, pruned)) is None


def test_a_model_of_unknown_origin_stands_in_for_none(golden_bundle: Callable[..., Bundle], bundle: Bundle) -> None:
    stranger = golden_bundle("stranger", precision="float32", parent=replace(bundle.manifest.parent, sha256="d" * 64))
    assert find_reference(bundle, (stranger, bundle)) is None


def test_models_of_other_questions_are_not_compared(network: Callable[..., Bundle], manifest: Manifest) -> None:
    narrow = replace(manifest.decision, positive_labels=("osteoporosis",))
    assert find_reference(network("int8"), (network("float", "float32", decision=narrow),)) is None


def test_a_measure_that_the_images_do_not_define_is_not_a_number(bundle: Bundle, sample: Sample) -> None:
    answers = ask(bundle, sample, threads=1).answers
    only = describe_answers(answers.take(answers.truth == 0), "test", on_trained_split=True)
    assert only.n == 3
    assert math.isnan(only.aurocs[LOW].value)
