"""A recipe: what goes together, and what follows from it."""

from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.convert.recipe import END_TYPES, PLAIN, Recipe
from osteo_edge.strict import from_dict, to_dict


def test_a_recipe_comes_back_from_what_a_manifest_holds_of_it() -> None:
    recipe = Recipe("mixed", ranges="percentile", percentile=99.9, mixed=("block_1",), input_type="uint8")
    assert from_dict(Recipe, to_dict(recipe)) == recipe


@pytest.mark.parametrize("precision", END_TYPES)
def test_every_precision_has_usual_types_at_its_ends(precision: Any) -> None:
    recipe = Recipe(precision)
    assert recipe.ends == (END_TYPES[precision][0],) * 2
    assert replace(recipe, output_type="float32").ends[1] == "float32"


def test_alone_the_converter_needs_images_for_ranges_only() -> None:
    assert Recipe("int8", **PLAIN).needs_images
    assert not Recipe("dynamic", **PLAIN).needs_images
    assert Recipe("dynamic").needs_images
    assert not Recipe("float16").needs_images


def test_the_converter_alone_cannot_do_what_only_the_quantizer_can() -> None:
    with pytest.raises(ValueError, match="makes no mixed models"):
        Recipe("mixed", **PLAIN)


def test_the_engine_is_the_better_one_for_the_precision_unless_it_is_named() -> None:
    assert Recipe("dynamic").maker == "tflite-converter"
    assert Recipe("int8").maker == Recipe("int16x8").maker == "ai-edge-quantizer"
    assert Recipe("dynamic", engine="ai-edge-quantizer").maker == "ai-edge-quantizer"
