"""The small network is small and made of what int8 runs well."""

import pytest

from osteo_edge.train.custom_cnn import custom_cnn
from osteo_edge.train.models import count_macs

pytestmark = pytest.mark.tf


def test_it_is_small() -> None:
    model = custom_cnn((224, 224, 1))
    assert model.count_params() < 150_000
    assert count_macs(model) < 35e6
    assert model.output_shape == (None, 7, 7, 256)


def test_every_convolution_is_normalized_and_then_cut_at_six() -> None:
    kinds = [type(layer).__name__ for layer in custom_cnn((64, 64, 1)).layers[1:]]
    assert set(kinds[0::3]) == {"Conv2D", "DepthwiseConv2D"}
    assert set(kinds[1::3]) == {"BatchNormalization"}
    assert set(kinds[2::3]) == {"ReLU"}
