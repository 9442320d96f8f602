"""A recipe from options and a file: which counts, and what is refused before anything is begun."""

from pathlib import Path
from typing import Any

import pytest

from osteo_edge.convert.recipe import PLAIN, Recipe
from osteo_edge.convert.recipe_choice import choose_recipe
from osteo_edge.errors import OsteoEdgeError


def _write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, "utf-8")
    return path


def test_options_count_more_than_the_file_and_the_file_more_than_what_is_usual(tmp_path: Path) -> None:
    file = _write(tmp_path, 'precision = "int8"\nranges = "mse"\nequalize = false\n')
    recipe = choose_recipe(file, {"ranges": "percentile"}).recipe
    assert recipe == Recipe("int8", ranges="percentile", equalize=False)


def test_the_word_auto_has_layers_chosen(tmp_path: Path) -> None:
    named = _write(tmp_path, 'precision = "mixed"\nmixed = ["block_1", "activation_map"]\n')
    assert choose_recipe(named, {}).recipe.mixed == ("block_1", "activation_map")
    assert choose_recipe(named, {"mixed": "auto"}).recipe.mixed is None


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


def test_what_is_asked_for_is_what_is_named_to_have_something_done(tmp_path: Path) -> None:
    file = _write(tmp_path, 'precision = "int8"\nequalize = true\ncompensate = false\nranges = "auto"\n')
    assert choose_recipe(file, {"rescale": True}).asked == ("precision", "equalize", "rescale")
    assert choose_recipe(None, {"precision": "int8"}).asked == ("precision",)


def test_the_plain_recipe_counts_more_than_the_file(tmp_path: Path) -> None:
    file = _write(tmp_path, 'precision = "int8"\nrescale = true\nequalize = true\n')
    choice = choose_recipe(file, {}, plain=True)
    assert (choice.recipe, choice.asked) == (Recipe("int8", **PLAIN), ("precision",))


@pytest.mark.parametrize(
    ("given", "plain", "problem"),
    [
        ({"precision": "float16", "mixed": "auto"}, False, "mixed does nothing here: float16 leaves no layer in float"),
        ({"precision": "float32", "mixed_share": 0.1}, False, "mixed_share does nothing here: float32 leaves no layer"),
        ({"precision": "float16", "ranges": "mse"}, False, "ranges does nothing here: float16 rounds nothing"),
        ({"precision": "float16", "equalize": True}, False, "equalize does nothing here: float16 rounds nothing"),
        ({"precision": "float32", "engine": "tflite-converter"}, False, "engine does nothing here: float32 rounds"),
        ({"precision": "dynamic", "ranges": "mse"}, False, "ranges does nothing here: dynamic finds ranges on the"),
        ({"precision": "dynamic", "percentile": 99.9}, False, "percentile does nothing here: dynamic finds ranges"),
        (
            {"precision": "dynamic", "rescale": True},
            False,
            "rescale does nothing here: dynamic has no int8 activations",
        ),
        ({"precision": "int16x8", "rescale": True}, False, "rescale does nothing here: int16x8 has no int8 activat"),
        ({"precision": "int16x8", "percentile": 99.9}, False, "percentile does nothing here: ranges are chosen by min"),
        ({"precision": "int8", "percentile": 99.9}, False, "percentile does nothing here: ranges are chosen by mse"),
        ({"precision": "int8", "percentile": 99.9}, True, "percentile does nothing here: engine tflite-converter"),
        ({"precision": "int8", "mixed": "auto"}, False, "mixed does nothing here: int8 leaves no layer in floating"),
        (
            {"precision": "mixed", "mixed": ["block_1"], "mixed_share": 0.3},
            False,
            "mixed_share does nothing here: the layers in floating point are named",
        ),
    ],
)
def test_a_setting_that_would_do_nothing_is_one_line(given: dict[str, Any], plain: bool, problem: str) -> None:
    with pytest.raises(OsteoEdgeError, match=problem) as caught:
        choose_recipe(None, given, plain=plain)
    assert str(caught.value).endswith("; leave it out")
    assert len(str(caught.value).splitlines()) == 1


def test_the_file_is_named_when_a_setting_in_it_would_do_nothing(tmp_path: Path) -> None:
    file = _write(tmp_path, 'precision = "dynamic"\nranges = "mse"\n')
    with pytest.raises(OsteoEdgeError, match=r"recipe\.toml: ranges does nothing here"):
        choose_recipe(file, {})


@pytest.mark.parametrize(
    "given",
    [
        {"precision": "int8", "ranges": "percentile", "percentile": 99.9, "rescale": True, "equalize": True},
        {"precision": "int8", "compensate": False, "percentile": 99.9},
        {"precision": "int8", "engine": "tflite-converter", "ranges": "min-max"},
        {"precision": "mixed", "mixed": "auto", "mixed_share": 0.3, "mixed_difference": 0.01, "percentile": 99.9},
        {"precision": "dynamic", "engine": "ai-edge-quantizer", "compensate": True, "ranges": "auto", "rescale": False},
        {"precision": "int16x8", "ranges": "percentile", "percentile": 99.9},
        {"precision": "float16", "equalize": False, "compensate": False, "split_heads": True},
    ],
)
def test_settings_that_do_something_are_taken(given: dict[str, Any]) -> None:
    assert choose_recipe(None, given).recipe.precision == given["precision"]
