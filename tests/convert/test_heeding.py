"""What a recipe has no use for, and what it loses for its network's sake, is refused to whoever asked for it."""

from dataclasses import replace

import pytest

from osteo_edge.convert.heeding import CALIBRATION, require_heeded, require_kept
from osteo_edge.convert.recipe import PLAIN, Recipe
from osteo_edge.errors import OsteoEdgeError


@pytest.mark.parametrize("recipe", [Recipe("float32"), Recipe("float16"), Recipe("dynamic", **PLAIN)])
def test_images_are_not_read_for_nothing(recipe: Recipe) -> None:
    with pytest.raises(OsteoEdgeError, match=r"calibration does nothing here: .* needs no images; leave it out"):
        require_heeded(recipe, [CALIBRATION])


def test_what_nobody_asked_for_may_do_nothing() -> None:
    require_heeded(Recipe("float32"), [])
    require_heeded(Recipe("dynamic"), [CALIBRATION, "equalize", "compensate", "correct_logits", "engine"])


def test_a_step_that_is_lost_is_refused_only_where_it_was_asked_for() -> None:
    wanted = Recipe("int8")
    settled = replace(wanted, equalize=False)
    require_kept(wanted, settled, ["precision", "compensate", CALIBRATION], "never said")
    with pytest.raises(OsteoEdgeError, match="equalize does nothing here: it was trained; leave it out"):
        require_kept(wanted, settled, ["precision", "equalize"], "it was trained")
