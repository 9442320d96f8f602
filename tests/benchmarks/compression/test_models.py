from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.benchmarks.compression.models import Compressed, Named, find_compressed
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Parent

Make = Callable[..., Path]


def names(compressed: Compressed) -> tuple[str, str, str, str | None]:
    dense = None if compressed.dense is None else compressed.dense.path.name
    return compressed.bundle.path.name, compressed.reference.path.name, compressed.rival.path.name, dense


def test_each_model_has_its_float_model_its_rival_and_its_bounds(network_bundle: Make) -> None:
    found = find_compressed(
        Named(
            mobilenet=(network_bundle("float", "float32"), network_bundle("int8")),
            pruned=network_bundle("half", prune=("channel", 0.5)),
            small=(network_bundle("small-float", "float32", alpha=0.35), network_bundle("small", alpha=0.35)),
            efficientnet=(
                network_bundle("b0-float", "float32", backbone="efficientnet_b0"),
                network_bundle("b0", backbone="efficientnet_b0"),
            ),
            sparse=(network_bundle("sparse-b0", backbone="efficientnet_b0", prune=("magnitude", 0.8)),),
            others=(network_bundle("other", prune=("2:4", 0.5)),),
        )
    )
    assert [names(one) for one in found] == [
        ("int8", "float", "float", None),
        ("half", "float", "int8", None),
        ("small", "small-float", "int8", None),
        ("b0", "b0-float", "b0-float", None),
        ("sparse-b0", "b0-float", "b0", "b0"),
        ("other", "float", "float", None),
    ]
    assert [one.bounds.max_bytes for one in found] == [2_750_000, 1_500_000, 750_000, 5_000_000, None, None]
    assert [one.bounds.min_speed for one in found] == [1.5, 1.4, 2.0, 2.0, None, None]
    assert [one.title for one in found][1:5:3] == [
        "MobileNetV2 1.0, channels pruned 50%, int8",
        "EfficientNet-B0, magnitude-pruned 80%, int8",
    ]


def parent(sha256: str, seconds: float, *steps: str) -> Parent:
    """What a MobileNetV2 1.0 that trained for so many seconds says of itself after further steps and conversion."""
    recipe: dict[str, Any] = {"train": {"backbone": "mobilenet_v2", "alpha": 1.0}, "timing": {"seconds": seconds}}
    for step in steps:
        recipe = {step: {"method": "channel", "amount": 0.5}, "parent": recipe}
    return Parent(sha256 * 64, {"convert": {"precision": "int8"}, "parent": recipe})


def test_only_a_model_that_was_trained_further_may_come_from_another_keras_model(network_bundle: Make) -> None:
    reference = network_bundle("float", "float32", parent=parent("a", 60.0))
    aware = network_bundle("aware", parent=parent("b", 60.0, "qat"))
    assert find_compressed(Named((reference, aware)))[0].title == "MobileNetV2 1.0, trained for int8, int8"
    with pytest.raises(BundleError, match=r"stranger: was not made from the Keras model that .*float was converted"):
        find_compressed(Named((reference, network_bundle("stranger", parent=parent("b", 60.0)))))


def test_a_network_of_the_same_name_from_another_training_is_not_compared(network_bundle: Make) -> None:
    pair = (
        network_bundle("float", "float32", parent=parent("a", 60.0)),
        network_bundle("int8", parent=parent("a", 60.0)),
    )
    own = network_bundle("half", parent=parent("b", 60.0, "prune"))
    assert [one.bundle.path.name for one in find_compressed(Named(pair, own))] == ["int8", "half"]
    refused = r"stranger-\d: was not made from the Keras model that .*float was converted from"
    stranger = network_bundle("stranger-1", parent=parent("b", 61.0, "prune"))
    with pytest.raises(BundleError, match=refused):
        find_compressed(Named(pair, stranger))
    with pytest.raises(BundleError, match=refused):
        find_compressed(Named(pair, others=(network_bundle("stranger-2", parent=parent("c", 60.0)),)))
    with pytest.raises(BundleError, match=refused):
        find_compressed(Named((pair[0], network_bundle("stranger-3", parent=parent("c", 61.0, "qat")))))


@pytest.mark.parametrize(
    "unfit",
    [
        {"precision": "float32"},
        {"alpha": 0.35},
        {"backbone": "efficientnet_b0"},
        {"prune": ("channel", 0.3)},
        {"prune": ("magnitude", 0.5)},
        {},
    ],
    ids=str,
)
def test_a_bundle_that_is_not_what_its_option_is_for_is_refused(unfit: dict[str, Any], network_bundle: Make) -> None:
    pair = network_bundle("float", "float32"), network_bundle("int8")
    pruned = network_bundle("unfit", **unfit)
    with pytest.raises(BundleError, match=r"unfit: is .*: not what --pruned is for; its --help tells"):
        find_compressed(Named(mobilenet=pair, pruned=pruned))


def test_nothing_is_compared_with_what_was_not_named(network_bundle: Make) -> None:
    small = network_bundle("small-float", "float32", alpha=0.35), network_bundle("small", alpha=0.35)
    with pytest.raises(BundleError, match=r"its speed is compared with MobileNetV2 1\.0; give --mobilenet, too"):
        find_compressed(Named(small=small))
    with pytest.raises(BundleError, match=r"half: is MobileNetV2 1\.0; name its float32 and int8 bundles, too"):
        find_compressed(Named(pruned=network_bundle("half", prune=("channel", 0.5))))


def test_models_of_other_questions_and_other_input_are_not_compared(network_bundle: Make, manifest: Manifest) -> None:
    reference = network_bundle("float", "float32")
    with pytest.raises(BundleError, match="its labels are not those of"):
        find_compressed(Named((reference, network_bundle("renamed", labels=("healthy", "osteopenia", "osteoporosis")))))
    larger = replace(manifest.input, height=64, width=64)
    with pytest.raises(BundleError, match="prepares images otherwise than"):
        find_compressed(Named((reference, network_bundle("larger", input=larger))))
    small = (
        network_bundle("small-float", "float32", alpha=0.35, input=larger),
        network_bundle("small", alpha=0.35, input=larger),
    )
    with pytest.raises(BundleError, match="takes images of another size than"):
        find_compressed(Named((reference, network_bundle("int8")), small=small))
