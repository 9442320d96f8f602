"""What channels are worth: by the loss, by the weights, by the scales of batch normalization."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.train.backbones import input_spec
from osteo_edge.train.channel_criteria import Criterion, Worths, judge_channels
from osteo_edge.train.channel_groups import ChannelGroups, find_groups
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import build
from osteo_edge.train.objectives import example_losses

pytestmark = pytest.mark.tf
SIDE = 64
CONFIG = TrainConfig()
TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]


def _build() -> Any:
    config = TrainConfig(backbone="custom_cnn", weights="none", side_px=SIDE)
    model = build(config, input_spec(config)).model
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":  # as trained: no channel is like another
            layer.gamma.assign(rng.uniform(-1.5, 1.5, layer.gamma.shape))
    return model


def _images(model: Any) -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 1, (4, *model.input_shape[1:])).astype(np.float32)


def _judge(criterion: Criterion, model: Any) -> tuple[ChannelGroups, Worths]:
    found = find_groups(model)
    return found, judge_channels(criterion, model, found, [(_images(model), TARGETS)], CONFIG)


def _scale_readers(model: Any, found: ChannelGroups, number: int, channels: Any, factor: float) -> None:
    for name in found.groups[number].readers:
        layer = model.get_layer(name)
        kernel, *bias = layer.get_weights()
        kernel[:, :, channels] *= factor
        layer.set_weights([kernel, *bias])


def test_taylor_gives_nothing_for_a_channel_that_nothing_reads() -> None:
    model = _build()
    found = find_groups(model)
    number = found.outputs["block3_pointwise"]
    idle = np.arange(0, found.groups[number].channels, 2)
    _scale_readers(model, found, number, idle, 0.0)
    _, worths = _judge("taylor", model)
    assert np.all(worths[number][idle] == 0)
    assert np.delete(worths[number], idle).max() > 0


def test_taylor_is_about_what_the_removal_costs() -> None:
    """To first order: the square of how fast the loss changes as what reads the channel is scaled."""
    model = _build()
    found, worths = _judge("taylor", model)
    number = found.outputs["plain1"]
    channel = int(np.argmax(worths[number]))

    def loss(share: float) -> float:
        _scale_readers(model, found, number, channel, share)
        losses = example_losses(TARGETS, model(_images(model), training=False)[0], CONFIG)
        _scale_readers(model, found, number, channel, 1 / share)
        return float(np.mean(losses))

    slope = (loss(1.02) - loss(0.98)) / 0.04
    assert slope**2 == pytest.approx(worths[number][channel], rel=0.1)


def test_l1_is_the_sum_of_the_weights_that_write_beside_the_mean_of_the_group() -> None:
    model = _build()
    layer = model.get_layer("plain2")
    layer.kernel.assign(np.full(layer.kernel.shape, -0.5) * np.r_[3.0, np.ones(31)])
    found, worths = _judge("l1", model)
    expected = np.r_[3.0, np.ones(31)] * 32 / 34
    np.testing.assert_allclose(worths[found.outputs["plain2"]], expected, rtol=1e-6)


def test_bn_scale_is_the_mean_of_the_scales_that_a_channel_passes() -> None:
    model = _build()
    found, worths = _judge("bn-scale", model)
    number = found.outputs["block3_depthwise"]
    assert number == found.outputs["block2_pointwise"]
    scales = [model.get_layer(f"{name}_bn").gamma.numpy() for name in ("block2_pointwise", "block3_depthwise")]
    np.testing.assert_allclose(worths[number], np.abs(scales).mean(axis=0), rtol=1e-6)


def test_bn_scale_leaves_channels_that_nothing_normalizes_unjudged() -> None:
    _, keras = load_tensorflow()
    image = keras.Input((8, 8, 3))
    plain = keras.layers.Conv2D(8, 1, name="plain")(image)
    normal = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 1, name="normal")(plain))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(normal))
    found = find_groups(model)
    assert set(judge_channels("bn-scale", model, found, [], CONFIG)) == {found.outputs["normal"]}
