"""The table of networks: what can be asked for, and what each takes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.filters import Filter
from osteo_edge.preprocessing import normalize
from osteo_edge.train.backbones import BACKBONES, chosen, input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.models import build, count_macs

PLANE = np.random.default_rng(0).random((1, 8, 8)).astype(np.float32)
KERAS_MODULES = {
    "mobilenet_v2": "mobilenet_v2",
    "resnet50": "resnet50",
    "densenet121": "densenet",
    "vgg16": "vgg16",
    "vgg19": "vgg19",
    "inception_v3": "inception_v3",
    "xception": "xception",
}


def test_the_input_spec_is_that_of_the_first_backbone() -> None:
    clahe = Filter("clahe", 2.0)
    spec = input_spec(TrainConfig(backbone="custom_cnn+efficientnet_b0", side_px=96, filters=(clahe,)))
    assert (spec.height, spec.width, spec.channels, spec.filters) == (96, 96, 1, (clahe,))
    assert spec.normalization == BACKBONES["custom_cnn"].normalization


def test_every_backbone_has_a_number_for_each_channel() -> None:
    for name in BACKBONES:
        assert input_spec(TrainConfig(backbone=name)).channels == BACKBONES[name].channels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"backbone": "lenet"}, r"backbone 'lenet': not known; choose from mobilenet_v2, .*alexnet"),
        ({"backbone": "vgg16+"}, r"backbone '': not known"),
        ({"backbone": "vgg16+vgg16"}, r"vgg16\+vgg16: the same one twice"),
        ({"backbone": "vgg16+custom_cnn"}, r"custom_cnn takes grey images; name it first"),
        ({"alpha": 0.4}, r"mobilenet_v2: not offered with alpha 0\.4, but with 0\.35, 0\.5, 0\.75, 1\.0"),
        ({"backbone": "vgg16", "alpha": 0.5}, r"vgg16: not offered with alpha 0\.5, but with 1\.0"),
        ({"backbone": "mobilenet_v2+xception", "side_px": 64}, r"xception: .* 64 px is too small; give at least 71"),
    ],
)
def test_what_cannot_be_had_is_one_clear_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OsteoEdgeError, match=message):
        chosen(replace(TrainConfig(), **changes))


def test_the_width_is_for_those_of_the_joined_backbones_that_have_widths() -> None:
    names = [backbone.name for backbone in chosen(TrainConfig(backbone="efficientnet_b0+mobilenet_v2", alpha=0.35))]
    assert names == ["efficientnet_b0", "mobilenet_v2"]


@pytest.mark.tf
@pytest.mark.parametrize("name", KERAS_MODULES)
def test_images_are_normalized_as_keras_does_for_its_own_weights(name: str) -> None:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    grey = np.repeat(PLANE[..., np.newaxis] * 255, 3, axis=-1)
    expected = getattr(keras.applications, KERAS_MODULES[name]).preprocess_input(grey.copy())
    found = normalize(PLANE, input_spec(TrainConfig(backbone=name)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side", "parameters", "macs"),
    [
        ("mobilenet_v2", 224, 2_257_984, 0.30e9),
        ("efficientnet_b0", 224, 4_049_564, 0.39e9),
        ("resnet50", 224, 23_587_712, 3.86e9),
        ("densenet121", 224, 7_037_504, 2.83e9),
        ("vgg16", 224, 14_714_688, 15.35e9),
        ("vgg19", 224, 20_024_384, 19.51e9),
        ("inception_v3", 299, 21_802_784, 5.71e9),
        ("xception", 299, 20_861_480, 8.36e9),
        ("alexnet", 224, 2_469_696, 0.656e9),
    ],
)
def test_published_networks_have_their_published_size(name: str, side: int, parameters: int, macs: float) -> None:
    """Parameters as tf_keras counts them without top (EfficientNet's seven of Normalization are not there)."""
    config = TrainConfig(backbone=name, weights="none", side_px=side)
    network = build(config, input_spec(config))
    assert network.backbone.count_params() == parameters
    assert count_macs(network.model) == pytest.approx(macs, rel=0.02)


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_runs_at_its_smallest_side(name: str) -> None:
    config = TrainConfig(backbone=name, weights="none", side_px=BACKBONES[name].smallest_side)
    spec = input_spec(config)
    side = spec.height
    logits, _ = build(config, spec).model(normalize(np.zeros((1, side, side), np.float32), spec), training=False)
    assert logits.shape == (1, 3)
