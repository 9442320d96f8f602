from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.benchmarks.baselines.answers import agree, answer_images, choose_images
from osteo_edge.benchmarks.baselines.comparison import find_network, set_beside, why_no_agreement
from osteo_edge.benchmarks.baselines.file import RANDOM_WEIGHTS, Baseline, ImageAnswer
from osteo_edge.benchmarks.measuring.results import Measurement, Memory, Size, Variant
from osteo_edge.benchmarks.measuring.summaries import latency_of
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest, Parent

PATH = Path("gpu.json")
FOUR_MS = latency_of([4.0] * 40)


def from_training(manifest: Manifest, alpha: float = 1.0, parent: str = "a" * 64) -> Manifest:
    recipe = {"convert": {}, "parent": {"train": {"backbone": "mobilenet_v2", "alpha": alpha}}}
    return replace(manifest, parent=Parent(parent, recipe))


@pytest.fixture
def measurement() -> Measurement:
    variant = Variant("int8", "knee-int8", "MobileNetV2 1.0", "int8", "a" * 64, "LiteRT", 1, "XNNPACK", False)
    memory = Memory(1 << 25, 1 << 24, None, None, None)
    return Measurement(variant, latency=FOUR_MS, memory=memory, size=Size(100, 90, 100, 0, 6528))


def test_a_variant_stands_beside_each_precision_of_batch_one(measurement: Measurement, baseline: Baseline) -> None:
    first, second = set_beside(measurement, baseline, baseline.networks[0])
    assert (first.precision, second.precision) == ("float32", "float16")
    assert first.latency_ratio.value == pytest.approx(2.0)
    assert second.latency_ratio.value == pytest.approx(4.0)
    assert first.images_per_second == 250
    assert (first.memory_ratio, first.size_ratio) == (0.5, 0.25)
    assert (first.device, first.on_accelerator) == ("Imaginary GPU (JAX 0.10)", True)
    assert first.decisions_agree is None


def test_the_throughput_beside_is_that_of_the_best_batch(measurement: Measurement, baseline: Baseline) -> None:
    first, second = set_beside(measurement, baseline, baseline.networks[0])
    assert (first.baseline_batch, first.baseline_images_per_second) == (8, 1000)
    assert (second.baseline_batch, second.baseline_images_per_second) == (1, 1000)


def test_answers_are_compared_on_the_images_that_both_have_seen(measurement: Measurement, baseline: Baseline) -> None:
    answers = [
        ImageAnswer("1" * 64, (0.5, 0.5, 0.0), False),
        ImageAnswer("2" * 64, (0.1, 0.1, 0.8), True),
        ImageAnswer("9" * 64, (1.0, 0.0, 0.0), False),
    ]
    first, second = set_beside(measurement, baseline, baseline.networks[0], answers)
    assert first.decisions_agree is not None
    assert (first.decisions_agree.value, first.decisions_agree.n) == (0.5, 2)
    assert first.mean_difference == pytest.approx((1.2 / 3 + 0.0) / 2)
    assert second.decisions_agree is None


def test_a_variant_without_times_stands_beside_nothing(measurement: Measurement, baseline: Baseline) -> None:
    assert set_beside(replace(measurement, latency=None), baseline, baseline.networks[0]) == ()


def test_answers_over_other_labels_do_not_compare() -> None:
    assert agree([ImageAnswer("1" * 64, (0.5, 0.5), True)], [ImageAnswer("1" * 64, (0.2, 0.3, 0.5), True)]) is None


def test_another_architecture_is_refused_with_what_the_file_holds(baseline: Baseline, manifest: Manifest) -> None:
    with pytest.raises(OsteoEdgeError) as caught:
        find_network(baseline, PATH, from_training(manifest, 0.35))
    assert str(caught.value) == (
        "gpu.json: a baseline of MobileNetV2 1.0 at 32 x 32, not of MobileNetV2 0.35 at 32 x 32; record one with "
        "`osteo-edge bench baseline` on its Keras bundle"
    )


def test_a_bundle_that_does_not_say_what_it_is_is_refused(baseline: Baseline, bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match="not of unknown network at 32 x 32"):
        find_network(baseline, PATH, bundle.manifest)


def test_the_network_of_the_same_weights_is_preferred(baseline: Baseline, manifest: Manifest) -> None:
    (own,) = baseline.networks
    others = (replace(own, weights=RANDOM_WEIGHTS), replace(own, weights="d" * 64), own)
    found = find_network(replace(baseline, networks=others), PATH, from_training(manifest, parent=own.weights))
    assert found is own
    found = find_network(replace(baseline, networks=others), PATH, from_training(manifest, parent="e" * 64))
    assert found.weights == "d" * 64


ANSWERS = [ImageAnswer("1" * 64, (0.5, 0.5, 0.0), False)]


@pytest.mark.parametrize(
    ("weights", "with_answers", "given", "reason"),
    [
        ("c" * 64, True, ANSWERS, None),
        (RANDOM_WEIGHTS, False, ANSWERS, "recorded with random weights; record it on the Keras bundle, with --data"),
        ("c" * 64, False, ANSWERS, "recorded without images; record it with --data"),
        ("c" * 64, True, None, "no images were given; give --data with the images that gpu.json was recorded with"),
        ("c" * 64, True, [], "recorded with other images; give --data with the same ones at both ends"),
    ],
)
def test_why_there_is_no_agreement_is_told(
    baseline: Baseline,
    weights: str,
    with_answers: bool,
    given: list[ImageAnswer] | None,
    reason: str | None,
) -> None:
    (network,) = baseline.networks
    rows = network.rows if with_answers else tuple(replace(row, answers=None) for row in network.rows)
    found = why_no_agreement(replace(network, weights=weights, rows=rows), given, PATH)
    assert found is None if reason is None else reason in str(found)


def test_a_bundle_and_images_give_answers_by_hash(films: Path, network_bundle: Callable[..., Path]) -> None:
    bundle = read_bundle(network_bundle("int8"))
    cases = choose_images(films, films.parent / "split.csv", bundle.manifest)
    answers = answer_images(bundle, cases)
    assert len(answers) == len(cases) == 9
    assert len({answer.sha256 for answer in answers}) == 9
    bright = answers[-1]
    assert bright.is_positive
    assert sum(bright.probabilities) == pytest.approx(1)
