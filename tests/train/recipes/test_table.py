import subprocess
import sys
from dataclasses import replace

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipes.presets import PRESETS
from osteo_edge.train.recipes.table import RECIPES, make_recipe

CONFIG = TrainConfig(weights="none", side_px=64)
HEAVY = ("tensorflow", "tf_keras", "sklearn", "skimage", "xgboost", "scipy", "matplotlib")
MAKE_ALL = f"""
import sys
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipes.table import RECIPES, make_recipe
for name in RECIPES:
    make_recipe(name, TrainConfig(weights="none"))
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
    assert {name for name, entry in RECIPES.items() if entry.on_device} == {*PRESETS, "ensemble"}


def test_a_recipe_s_own_changes_come_before_the_configuration() -> None:
    about = make_recipe("last-20", replace(CONFIG, trainable_layers=3)).describe()
    assert (about["trainable_layers"], about["backbone"]) == (20, "efficientnet_b0")


def test_a_name_that_is_none_is_one_line_with_all_the_names() -> None:
    with pytest.raises(OsteoEdgeError, match=r"^no recipe is called 'forzen'; there are osteo-edge, .*$") as found:
        make_recipe("forzen", CONFIG)
    assert "\n" not in str(found.value)
