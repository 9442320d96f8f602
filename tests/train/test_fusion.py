"""Joined backbones: each sees the image as it was trained to."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.preprocessing import Normalization, normalize
from osteo_edge.train.backbones import BACKBONES, input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fusion import conversion, fuse
from osteo_edge.train.models import build

SIDE = 96
PLANES = np.random.default_rng(0).random((2, SIDE, SIDE)).astype(np.float32)


def test_one_normalization_leads_to_the_other() -> None:
    caffe, torch = BACKBONES["vgg16"].normalization, BACKBONES["densenet121"].normalization
    step = conversion(torch, caffe)
    pixels = np.linspace(0, 1, 5)[:, np.newaxis]
    there = (pixels * torch.scale + torch.offset) * step.scale + step.offset
    np.testing.assert_allclose(there, pixels * caffe.scale + caffe.offset, rtol=1e-6, atol=1e-6)


def test_a_grey_image_is_converted_to_each_of_three_channels() -> None:
    step = conversion(Normalization((2.0,), (-1.0,)), Normalization((1.0, 2.0, 4.0), (0.0, 0.0, 1.0)))
    assert step == Normalization((0.5, 1.0, 2.0), (0.5, 1.0, 3.0))


def _models(*names: str) -> list[Any]:
    configs = [TrainConfig(backbone=name, weights="none", side_px=SIDE, alpha=1.0) for name in names]
    return [build(config, input_spec(config)).backbone for config in configs]


def _seen(name: str) -> Any:
    return normalize(PLANES, input_spec(TrainConfig(backbone=name, side_px=SIDE)))


@pytest.mark.tf
@pytest.mark.parametrize(("first", "second"), [("mobilenet_v2", "csp_darknet"), ("custom_cnn", "mobilenet_v2")])
def test_the_joined_features_are_those_of_each_backbone_alone(first: str, second: str) -> None:
    models = _models(first, second)
    joined = fuse([BACKBONES[first], BACKBONES[second]], models)(_seen(first)).numpy()
    alone = np.concatenate([models[0](_seen(first)), models[1](_seen(second))], axis=-1)
    assert np.abs(joined - alone).max() < 1e-4 * np.abs(alone).max()


@pytest.mark.tf
def test_coarser_features_are_scaled_up_to_the_finest_grid() -> None:
    models = _models("alexnet", "csp_darknet")
    assert [model.output_shape[1:3] for model in models] == [(2, 2), (3, 3)]
    joined = fuse([BACKBONES["alexnet"], BACKBONES["csp_darknet"]], models)
    alone = models[1](_seen("csp_darknet"))
    assert joined.output_shape == (None, 3, 3, 256 + 512)
    np.testing.assert_allclose(joined(_seen("alexnet"))[..., 256:], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.tf
def test_a_joined_network_is_saved_and_read_back_whole(tmp_path: Any) -> None:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    config = TrainConfig(backbone="custom_cnn+mobilenet_v2", alpha=0.35, weights="none", side_px=SIDE)
    model = build(config, input_spec(config)).model
    model.save(tmp_path / "model.keras")
    read = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(read(_seen("custom_cnn"))[0], model(_seen("custom_cnn"))[0], rtol=1e-6, atol=1e-6)
