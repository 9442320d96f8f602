from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.benchmarks.measuring.lineage import UNKNOWN, Lineage, Pruning, read_lineage
from osteo_edge.manifest import Manifest, Parent

TRAINED = {"train": {"backbone": "mobilenet_v2", "alpha": 0.35}}
HALF = {"prune": {"method": "channel", "amount": 0.5}}


@pytest.fixture
def lineage_of(manifest: Manifest) -> Callable[..., Lineage]:
    return lambda recipe: read_lineage(replace(manifest, parent=Parent("a" * 64, recipe)))


def test_the_training_is_found_behind_all_that_came_after(lineage_of: Callable[..., Lineage]) -> None:
    recipe = {"convert": {"precision": "int8"}, "parent": {"qat": {"epochs": 5}, "parent": {**HALF, "parent": TRAINED}}}
    found = lineage_of(recipe)
    assert found == Lineage("mobilenet_v2", 0.35, Pruning("channel", 0.5), is_trained_for_int8=True)
    assert not found.is_plain
    assert str(found) == "MobileNetV2 0.35, channels pruned 50%, trained for int8"


def test_of_two_prunings_the_later_one_counts(lineage_of: Callable[..., Lineage]) -> None:
    sparse = {"prune": {"method": "magnitude", "amount": 0.8}}
    found = lineage_of({**sparse, "parent": {**HALF, "parent": TRAINED}})
    assert found.pruning == Pruning("magnitude", 0.8)


def test_a_conversion_leaves_a_network_plain(lineage_of: Callable[..., Lineage]) -> None:
    assert lineage_of({"convert": {"precision": "float16"}, "parent": TRAINED}).is_plain


@pytest.mark.parametrize("recipe", [{}, {"convert": {}, "parent": {"weights": "by hand"}}, {"train": "by hand"}])
def test_a_recipe_without_a_training_is_of_an_unknown_network(
    recipe: dict[str, Any], lineage_of: Callable[..., Lineage]
) -> None:
    assert lineage_of(recipe) == Lineage(UNKNOWN, None)
