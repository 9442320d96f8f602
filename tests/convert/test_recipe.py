"""A recipe: what goes together, and how it is read."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.convert.recipe import END_TYPES, PLAIN, Recipe, choose_recipe
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import from_dict, to_dict


def _write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_recipe_comes_back_from_what_a_manifest_holds_of_it() -> None:
    recipe = Recipe("mixed", ranges="percentile", percentile=99.9, mixed=("block_1",), input_type="uint8")
    assert from_dict(Recipe, to_dict(recipe)) == recipe


def test_options_count_more_than_the_file_and_the_file_more_than_what_is_usual(tmp_path: Path) -> None:
    file = _write(tmp_path, 'precision = "int8"\nranges = "mse"\nequalize = false\n')
    recipe = choose_recipe(file, {"ranges": "percentile"})
    assert recipe == Recipe("int8", ranges="percentile", equalize=False)


def test_the_word_auto_has_layers_chosen(tmp_path: Path) -> None:
    named = _write(tmp_path, 'precision = "mixed"\nmixed = ["block_1", "activation_map"]\n')
    assert choose_recipe(named, {}).mixed == ("block_1", "activation_map")
    assert choose_recipe(named, {"mixed": "auto"}).mixed is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('precision = "int4"', "precision must be one of float32, float16, dynamic, int8, int16x8, mixed, not 'int4'"),
        ('precision = "int8"\nrange = "mse"', "unknown field 'range'"),
        ('precision = "int8"\npercentile = "all"', "percentile must be a number, not a text"),
        ('precision = "int8"\npercentile = 100', "percentile must lie between 50 and 100, not 100"),
        ('precision = "mixed"\nmixed_share = 1.0', "mixed_share must lie between 0 and 1, not 1"),
        ('precision = "mixed"\nmixed_difference = 0', "mixed_difference must lie between 0 and 1, not 0"),
        ('precision = "mixed"\nmixed = []', "mixed names no layer"),
        ('precision = "int8"\nmixed = ["block_1"]', "mixed names layers for precision mixed; int8 knows none"),
        ('precision = "mixed"\nengine = "tflite-converter"', "tflite-converter makes no mixed models"),
        ('precision = "int8"\nengine = "tflite-converter"\nranges = "mse"', "ranges mse need engine ai-edge-quantizer"),
        ('precision = "float16"\ninput_type = "int8"', "input_type of float16 can be float32, not int8"),
        ('precision = "int16x8"\noutput_type = "uint8"', "output_type of int16x8 can be int16 or int8 or float32"),
        ("precision = ", "is no TOML"),
        ("", "no precision: give --precision"),
    ],
)
def test_what_does_not_go_together_is_one_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=problem) as caught:
        choose_recipe(_write(tmp_path, text), {})
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(OsteoEdgeError, match=r"no\.toml: cannot be read"):
        choose_recipe(tmp_path / "no.toml", {})


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
