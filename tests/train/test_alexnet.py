"""AlexNet's convolutions."""

import numpy as np
import pytest

from osteo_edge.train.alexnet import alexnet

pytestmark = pytest.mark.tf


def test_it_has_the_parameters_and_the_grid_of_torchvisions() -> None:
    model = alexnet((224, 224, 3))
    assert model.count_params() == 2_469_696
    assert model.output_shape == (None, 6, 6, 256)


def test_untrained_features_neither_vanish_nor_explode() -> None:
    images = np.random.default_rng(0).normal(size=(2, 96, 96, 3)).astype(np.float32)
    assert 0.01 < float(np.std(alexnet((96, 96, 3))(images))) < 100
