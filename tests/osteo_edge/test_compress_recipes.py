from pathlib import Path

import click
import pytest

from osteo_edge.compress_recipes import RECIPES, REFERENCE, STEPS, choose_recipes


def words_of(name: str, epochs: int | None = None) -> str:
    return " ".join(STEPS[name].words(Path("from"), Path("to"), Path("data"), Path("split.csv"), epochs))


def test_the_reference_comes_first_and_conversion_alone_before_training() -> None:
    names = list(RECIPES)
    assert names[0] == REFERENCE
    lengths = [len(recipe.steps) for recipe in RECIPES.values()]
    assert lengths == sorted(lengths)


def test_a_step_is_the_command_that_a_user_would_type() -> None:
    assert words_of("int8") == "convert from --precision int8 --out to"
    assert words_of("qat", 3) == "qat from data --split split.csv --no-test --epochs 3 --distill --out to"
    pruned = "prune from data --split split.csv --no-test --method channel --amount 0.25 --distill --out to"
    assert words_of("pruned-25") == pruned
    assert "--epochs" not in words_of("int8", 3)


def test_every_step_is_understood_by_its_command() -> None:
    from osteo_edge.cli import cli

    for step in STEPS.values():
        command = cli.get_command(click.Context(cli), step.command)
        assert command is not None
        words = step.words(Path("from"), Path("to"), Path("data"), Path("split.csv"), 2)
        assert command.make_context(step.command, list(words[1:])).params["out"] == Path("to")


def test_recipes_that_begin_alike_share_steps() -> None:
    assert RECIPES["pruned-50-qat-int8"].steps[0] == RECIPES["pruned-50-int8"].steps[0]
    assert [step.kind for step in RECIPES["pruned-50-qat-int8"].steps] == ["prune", "qat", "convert --precision int8"]


def test_the_reference_is_always_among_the_chosen() -> None:
    assert [recipe.name for recipe in choose_recipes(["int8", "float16"])] == ["float32", "float16", "int8"]
    assert len(choose_recipes(None)) == len(RECIPES)


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(click.BadParameter, match="no recipe is called 'int4'; there are float32, float16"):
        choose_recipes(["int8", "int4"])
