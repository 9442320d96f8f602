"""Networks whose weights share values keep them."""

import numpy as np
import pytest

from osteo_edge.convert.clusters import for_shared_values, shares_values
from osteo_edge.convert.recipe import Recipe


@pytest.mark.tf
def test_a_network_is_told_by_its_large_kernels() -> None:
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(64, 3)(image)
    model = keras.Model(image, keras.layers.Conv2D(64, 1)(x))
    assert not shares_values(model)
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.where(kernel > 0, 0.1, -0.1), bias])
    assert shares_values(model)


def test_only_what_would_scatter_the_values_is_left_out() -> None:
    recipe = for_shared_values(Recipe("int8"))
    assert (recipe.equalize, recipe.rescale, recipe.compensate) == (False, False, False)
    assert recipe.correct_logits
