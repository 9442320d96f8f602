"""Every recipe by its name: what it does, where it comes from, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipe import Recipe
from osteo_edge.train.recipes.presets import PRESETS


@dataclass(frozen=True)
class Entry:
    """A recipe that can be named. One that is not `on_device` needs a workstation, and is there to compare with."""

    title: str
    source: str
    on_device: bool
    make: Callable[[TrainConfig], Recipe]


def make_recipe(name: str, config: TrainConfig) -> Recipe:
    """The recipe called `name`, with its own changes to `config`. `OsteoEdgeError` for a name that is none."""
    if name not in RECIPES:
        raise OsteoEdgeError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    return RECIPES[name].make(config)


def _of_preset(name: str) -> Entry:
    preset = PRESETS[name]

    def make(config: TrainConfig) -> Recipe:
        from osteo_edge.train.recipes.network import network_recipe

        return network_recipe(preset.apply(config))

    return Entry(preset.title, preset.source, True, make)


RECIPES = {name: _of_preset(name) for name in PRESETS}
