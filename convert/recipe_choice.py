"""A recipe from the command line or a TOML file, and what of it was asked for."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from osteo_edge.convert.heeding import require_heeded
from osteo_edge.convert.recipe import AUTO, PLAIN, Recipe
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.strict import FieldError, from_dict
from osteo_edge.toml import read_toml


@dataclass(frozen=True)
class Choice:
    """A recipe, and the fields of it that somebody named to have something done, which then must be done."""

    recipe: Recipe
    asked: tuple[str, ...]


def choose_recipe(file: Path | None, given: Mapping[str, Any], *, plain: bool = False) -> Choice:
    """The recipe in a TOML file whose keys are `Recipe`'s fields, changed by `given`; what neither names is usual.

    With `plain` it is `PLAIN` besides. `mixed = "auto"` is understood. `OsteoEdgeError` names the file, if there is
    one, and what is wrong; a setting that would not be heeded is wrong, too.
    """
    named = {**({} if file is None else read_toml(file)), **given}
    settings = {**_usual(), **named, **(PLAIN if plain else {})}
    if settings.get("mixed") == AUTO:
        settings["mixed"] = None
    if "precision" not in settings:
        raise OsteoEdgeError("no precision: give --precision, or say it in the file of --config")
    where = "" if file is None else f"{file}: "
    try:
        recipe = from_dict(Recipe, settings)
    except FieldError as error:
        raise OsteoEdgeError(f"{where}{error}; osteo-edge convert --help tells what there is") from error
    asked = tuple(name for name, value in named.items() if _asks(name, value) and not (plain and name in PLAIN))
    try:
        require_heeded(recipe, asked)
    except OsteoEdgeError as error:
        raise OsteoEdgeError(f"{where}{error}") from error
    return Choice(recipe, asked)


def _asks(name: str, value: object) -> bool:
    """Whether a setting asks for something to be done, and not for a step to be left out or for what is usual."""
    return value is not False and (name, value) != ("ranges", AUTO)


def _usual() -> dict[str, Any]:
    return {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}
