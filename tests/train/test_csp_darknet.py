"""CSP-Darknet has the size of YOLOv5-s' backbone."""

import numpy as np
import pytest

from osteo_edge.train.csp_darknet import csp_darknet
from osteo_edge.train.models import count_macs

pytestmark = pytest.mark.tf


def test_it_has_the_trained_parameters_of_the_backbone_of_yolov5s() -> None:
    """Ultralytics lists 4,171,456 for layers 0 to 9 of yolov5s.yaml; with a head of 1280 channels in place of the
    pyramid (656,896) that is the 5.45 million of yolov5s-cls."""
    model = csp_darknet((224, 224, 3))
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trained == 4_171_456
    assert trained - 656_896 + (512 * 1280 + 2 * 1280) + (1280 * 1000 + 1000) == pytest.approx(5.45e6, rel=0.001)
    assert count_macs(model) == pytest.approx(0.63e9, rel=0.01)


def test_its_features_are_512_channels_at_one_32nd_of_the_side() -> None:
    assert csp_darknet((96, 64, 3)).output_shape == (None, 3, 2, 512)
