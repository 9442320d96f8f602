import subprocess
import sys
from dataclasses import replace

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipes.presets import CASCADES, PRESETS
from osteo_edge.train.recipes.table import RECIPES, make_recipe

CONFIG = TrainConfig(side_px=64)
HEAVY = ("tensorflow", "tf_keras", "sklearn", "skimage", "xgboost", "scipy", "matplotlib")
MAKE_ALL = f"""
import sys
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipes.table import RECIPES, make_recipe
for name in RECIPES:
    make_recipe(name, TrainConfig())
print([module for module in {HEAVY} if module in sys.modules])
"""


def test_making_recipes_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", MAKE_ALL], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    assert min(len(RECIPES[name].title), len(RECIPES[name].source)) > 8
    assert make_recipe(name, CONFIG).describe()


@pytest.mark.parametrize("name", RECIPES)
def test_no_recipe_is_described_as_another_one(name: str) -> None:
    about = make_recipe(name, CONFIG).describe()
    assert about not in [make_recipe(other, CONFIG).describe() for other in RECIPES if other != name]


@pytest.mark.parametrize("name", RECIPES)
def test_each_fold_has_its_own_seed_so_the_configuration_s_is_no_part_of_a_recipe(name: str) -> None:
    one, other = (make_recipe(name, replace(CONFIG, seed=seed)).describe() for seed in (0, 1))
    assert one == other


def test_every_preset_is_a_recipe_for_the_device() -> None:
    assert {name for name, entry in RECIPES.items() if entry.on_device} == {*PRESETS, "ensemble"} - {*CASCADES}


def test_a_recipe_s_own_changes_come_before_the_configuration() -> None:
    about = make_recipe("last-20", replace(CONFIG, trainable_layers=3)).describe()
    assert (about["trainable_layers"], about["backbone"]) == (20, "efficientnet_b0")


@pytest.mark.parametrize(
    ("name", "weights", "random"),
    [
        ("osteo-edge", "none", "mobilenet_v2"),
        ("frozen-features", "none", "mobilenet_v2"),
        ("frozen-features", "mobilenet_v2=none,imagenet", "mobilenet_v2"),
        ("two-stage", "none", "mobilenet_v2"),
        ("late-fusion", "none", "mobilenet_v2+efficientnet_b0"),
        ("ensemble", "mobilenet_v2=imagenet,none", "efficientnet_b0"),
    ],
)
def test_a_head_on_random_features_alone_is_refused_in_one_line(name: str, weights: str, random: str) -> None:
    with pytest.raises(OsteoEdgeError) as found:
        make_recipe(name, replace(CONFIG, weights=weights))
    assert str(found.value) == (
        f"recipe {name}: {random}: the head alone is fitted, on features that weights none would leave random; "
        "give --weights, or fit more than the head, as --recipe fine-tuned does by itself"
    )


@pytest.mark.parametrize("name", ["fine-tuned", "last-20", "custom-cnn", "csp-darknet", "resnet50-xgboost"])
def test_what_is_fitted_further_or_says_that_it_is_random_can_be_made_without_weights(name: str) -> None:
    assert make_recipe(name, replace(CONFIG, weights="none", epochs=0)).describe()


def test_late_fusion_needs_the_weights_of_one_backbone_only() -> None:
    assert make_recipe("late-fusion", replace(CONFIG, weights="mobilenet_v2=imagenet,none")).describe()


def test_a_name_that_is_none_is_one_line_with_all_the_names() -> None:
    with pytest.raises(OsteoEdgeError, match=r"^no recipe is called 'forzen'; there are osteo-edge, .*$") as found:
        make_recipe("forzen", CONFIG)
    assert "\n" not in str(found.value)
