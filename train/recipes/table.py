"""Every recipe by its name: what it does, where it comes from, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipe import Recipe
from osteo_edge.train.recipes.presets import CASCADES, PRESETS


@dataclass(frozen=True)
class Entry:
    """A recipe that can be named. One that is not `on_device` needs a workstation, and is there to compare with."""

    title: str
    source: str
    on_device: bool
    make: Callable[[TrainConfig], Recipe]


def make_recipe(name: str, config: TrainConfig) -> Recipe:
    """The recipe called `name`, with its own changes to `config`.

    `OsteoEdgeError` for a name that is none, and for a configuration that the recipe cannot be made of.
    """
    if name not in RECIPES:
        raise OsteoEdgeError(f"no recipe is called {name!r}; there are {', '.join(RECIPES)}")
    try:
        return RECIPES[name].make(config)
    except OsteoEdgeError as error:
        raise OsteoEdgeError(f"recipe {name}: {error}") from error


def _of_preset(name: str) -> Entry:
    preset = PRESETS[name]

    return Entry(preset.title, preset.source, True, lambda config: _network(preset.apply(config)))


def _classical(*kinds: str) -> Callable[[TrainConfig], Recipe]:
    def make(config: TrainConfig) -> Recipe:
        from osteo_edge.train.recipes.classical import CLASSIFIERS, ClassicalRecipe

        return ClassicalRecipe(config, kinds or tuple(CLASSIFIERS))

    return make


def _boosted(config: TrainConfig) -> Recipe:
    from osteo_edge.train.recipes.boosted import BoostedRecipe

    return BoostedRecipe(config)


def _ensemble(config: TrainConfig) -> Recipe:
    from osteo_edge.train.recipes.ensemble import EnsembleRecipe

    member = PRESETS["frozen-features"].apply(config)
    return EnsembleRecipe([_network(member), _network(replace(member, backbone="efficientnet_b0"))])


def _two_stage(config: TrainConfig) -> Recipe:
    from osteo_edge.train.recipes.two_stage import TwoStageRecipe

    return TwoStageRecipe(PRESETS["two-stage"].apply(config))


def _network(config: TrainConfig) -> Recipe:
    from osteo_edge.train.recipes.network import network_recipe

    return network_recipe(config)


STUDENT_WORK = "common in public student work on knee radiographs"
TEXTURE = "histogram, co-occurrence and local-binary-pattern features"
RECIPES = {name: _of_preset(name) for name in PRESETS if name not in ("two-stage", *CASCADES)} | {
    "two-stage": Entry(PRESETS["two-stage"].title, PRESETS["two-stage"].source, True, _two_stage),
    "ensemble": Entry(
        "The mean of the probabilities of MobileNetV2 and EfficientNet-B0, a head on frozen features each",
        "Lakshminarayanan et al. 2017",
        True,
        _ensemble,
    ),
    "classical": Entry(f"{TEXTURE}; SVM, forest or neighbours, as inner folds say", STUDENT_WORK, False, _classical()),
    "classical-svm": Entry(f"{TEXTURE}; support vector machine", STUDENT_WORK, False, _classical("svm")),
    "classical-forest": Entry(f"{TEXTURE}; random forest", STUDENT_WORK, False, _classical("forest")),
    "classical-knn": Entry(f"{TEXTURE}; k nearest neighbours", STUDENT_WORK, False, _classical("knn")),
    "resnet50-xgboost": Entry("ResNet50 features and gradient-boosted trees", STUDENT_WORK, False, _boosted),
}
