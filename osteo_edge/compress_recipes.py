"""The ways to compress that `osteo-edge compress` tries, as the project's own commands, from cheap to dear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import click

REFERENCE = "float32"
"""The recipe that changes nothing: what AUROC and latency are held against."""


@dataclass(frozen=True)
class Step:
    """One command that makes one bundle from another, and the name of that bundle's folder.

    `kind` is shared by steps that take about as long. A step that `trains` needs the data set.
    """

    name: str
    command: str
    options: tuple[str, ...]
    trains: bool

    @property
    def kind(self) -> str:
        return self.command if self.trains else " ".join((self.command, *self.options))

    def words(self, source: Path, out: Path, data: Path, split: Path, epochs: int | None) -> tuple[str, ...]:
        """The command line after `osteo-edge`; `epochs` None leaves their number to the command."""
        fitting = ["--epochs", str(epochs)] if epochs else []
        inputs = [str(data), "--split", str(split), "--no-test", *fitting] if self.trains else []
        return (self.command, str(source), *inputs, *self.options, "--out", str(out))


@dataclass(frozen=True)
class Recipe:
    """A chain of steps, each from what the one before made; the last converts, and its bundle is called as the recipe.

    Recipes that begin alike share those steps.
    """

    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return self.steps[-1].name


def _convert(precision: str, *before: Step) -> Recipe:
    name = f"{before[-1].name}-{precision}" if before else precision
    return Recipe((*before, Step(name, "convert", ("--precision", precision), trains=False)))


def _prune(percent: int) -> Step:
    amount = ("--method", "channel", "--amount", f"{percent / 100:g}", "--distill")
    return Step(f"pruned-{percent}", "prune", amount, trains=True)


def _qat(*before: Step) -> Step:
    return Step("-".join([*(step.name for step in before), "qat"]), "qat", ("--distill",), trains=True)


_QUARTER, _HALF = _prune(25), _prune(50)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            _convert(REFERENCE),
            _convert("float16"),
            _convert("dynamic"),
            _convert("int8"),
            _convert("mixed"),
            _convert("int8", _qat()),
            _convert("int8", _QUARTER),
            _convert("int8", _HALF),
            _convert("int8", _QUARTER, _qat(_QUARTER)),
            _convert("int8", _HALF, _qat(_HALF)),
        )
    }
)
"""By name, in the order in which they are tried."""

STEPS: Mapping[str, Step] = MappingProxyType({step.name: step for recipe in RECIPES.values() for step in recipe.steps})


def choose_recipes(names: Sequence[str] | None) -> tuple[Recipe, ...]:
    """The recipes of these names, or all, in the order in which they are tried; the reference is always among them.

    `click.BadParameter` for a name that is none.
    """
    wanted = set(RECIPES if names is None else names)
    unknown = sorted(wanted - set(RECIPES))
    if unknown:
        raise click.BadParameter(
            f"no recipe is called {unknown[0]!r}; there are {', '.join(RECIPES)}", param_hint="--recipes"
        )
    return tuple(recipe for name, recipe in RECIPES.items() if name in wanted or name == REFERENCE)
