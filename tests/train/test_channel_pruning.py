"""Channels are removed whole: what is left answers as the network did with those channels at zero."""

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.channel_groups import ChannelGroups, Group, find_groups
from osteo_edge.train.channel_pruning import Kept, choose_channels, importances, narrow
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.models import Network, build, count_macs

SIDE = 64


def _build(backbone: str) -> Network:
    config = TrainConfig(
        backbone=backbone, alpha=0.35 if backbone == "mobilenet_v2" else 1.0, weights="none", side_px=SIDE
    )
    network = build(config, input_spec(config))
    rng = np.random.default_rng(0)
    for layer in network.model.layers:
        if type(layer).__name__ == "BatchNormalization":  # as trained: no channel is like another
            shape = layer.gamma.shape
            mean, spread = rng.normal(0, 0.1, (2, *shape)), rng.uniform(0.5, 1.5, (2, *shape))
            layer.set_weights([spread[0], mean[0], mean[1], spread[1]])
    return network


def _images(channels: int, n: int = 4) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(1).normal(0, 1, (n, SIDE, SIDE, channels)).astype(np.float32)


def _silence(network: Network, found: ChannelGroups, kept: Kept) -> None:
    """Let nothing read the channels that are not kept."""
    for number, places in kept.items():
        gone = np.setdiff1d(np.arange(found.groups[number].channels), places)
        for name in found.groups[number].readers:
            layer = network.model.get_layer(name)
            kernel, *bias = layer.get_weights()
            kernel[:, :, gone] = 0
            layer.set_weights([kernel, *bias])


@pytest.mark.tf
@pytest.mark.parametrize("amount", [0.5, 0.7], ids=["inside the blocks", "streams too"])
@pytest.mark.parametrize("backbone", ["mobilenet_v2", "efficientnet_b0", "custom_cnn"])
def test_the_narrow_network_answers_as_the_wide_one_with_those_channels_at_zero(backbone: str, amount: float) -> None:
    network = _build(backbone)
    found = find_groups(network.model)
    rng = np.random.default_rng(2)
    kept, removal = choose_channels(found, [rng.uniform(size=group.channels) for group in found.groups], amount)
    made = narrow(network.model, found, kept)
    images = _images(network.model.input_shape[-1])
    before = network.model.predict_on_batch(images)
    _silence(network, found, kept)
    expected, answers = network.model.predict_on_batch(images), made.predict_on_batch(images)
    for one, other in zip(answers, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())
    assert np.abs(before[0] - expected[0]).max() > 1e-2 * np.abs(before[0]).max()
    assert removal.reached == pytest.approx(amount, abs=0.06)
    assert made.count_params() < 0.75 * network.model.count_params()
    assert count_macs(made) < 0.75 * count_macs(network.model)


@pytest.mark.tf
def test_streams_stay_whole_up_to_half_and_are_narrowed_in_all_their_blocks_above() -> None:
    network = _build("mobilenet_v2")
    found = find_groups(network.model)
    scores = [np.arange(group.channels, dtype=float) for group in found.groups]
    streams = {number for number, group in enumerate(found.groups) if group.is_stream and group.channels > 8}
    for amount, narrowed in ((0.5, False), (0.7, True)):
        kept, _ = choose_channels(found, scores, amount)
        assert bool(streams & set(kept)) == narrowed
        made = narrow(network.model, found, kept)
        for layer in made.layers:
            if type(layer).__name__ == "Add":
                assert len({int(source.shape[-1]) for source in layer.input}) == 1


@pytest.mark.tf
def test_a_channel_that_nothing_reads_is_worth_nothing() -> None:
    network = _build("mobilenet_v2")
    found = find_groups(network.model)
    number = found.outputs["block_3_expand"]
    idle = np.arange(0, found.groups[number].channels, 2)
    _silence(network, found, {number: np.setdiff1d(np.arange(found.groups[number].channels), idle)})
    targets = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    scores = importances(network.model, found, [(_images(3), targets)], TrainConfig())
    assert np.all(scores[number][idle] == 0)
    assert np.delete(scores[number], idle).max() > 0


@pytest.mark.tf
def test_the_worth_of_a_channel_is_about_what_its_removal_costs() -> None:
    """To first order: shrinking what reads it by a thousandth changes the loss by a thousandth of the root."""
    from osteo_edge.train.objectives import example_losses

    network = _build("custom_cnn")
    found = find_groups(network.model)
    images, targets = _images(1), np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
    scores = importances(network.model, found, [(images, targets)], TrainConfig())
    number = next(number for number, group in enumerate(found.groups) if group.readers and not group.is_fixed)
    channel = int(np.argmax(scores[number]))

    def loss(share: float) -> float:
        layers = [network.model.get_layer(name) for name in found.groups[number].readers]
        kept = [layer.get_weights() for layer in layers]
        for layer, (kernel, *bias) in zip(layers, kept, strict=True):
            changed = kernel.copy()
            changed[:, :, channel] *= share
            layer.set_weights([changed, *bias])
        found_loss = float(np.mean(example_losses(targets, network.model(images, training=False)[0], TrainConfig())))
        for layer, weights in zip(layers, kept, strict=True):
            layer.set_weights(weights)
        return found_loss

    slope = (loss(1.02) - loss(0.98)) / 0.04
    assert slope**2 == pytest.approx(scores[number][channel], rel=0.1)


def test_every_layer_keeps_some_channels_in_eights() -> None:
    groups = (Group(64, ("a",), False, False), Group(96, ("b",), False, False), Group(3, ("c",), False, True))
    scores = [np.full(64, 1e-6), np.arange(1.0, 97.0), np.zeros(3)]
    kept, removal = choose_channels(ChannelGroups(groups, {}, {}), scores, 0.5)
    assert set(kept) == {0, 1}
    assert kept[0].size == 8
    assert kept[1].size % 8 == 0
    np.testing.assert_array_equal(kept[1], np.arange(96 - kept[1].size, 96))
    assert removal.channels_before == 160
    assert removal.channels_after == kept[0].size + kept[1].size


def test_more_than_can_be_removed_is_refused() -> None:
    groups = (Group(16, ("a",), False, False),)
    with pytest.raises(OsteoEdgeError, match="only 50% of the channels"):
        choose_channels(ChannelGroups(groups, {}, {}), [np.arange(16.0)], 0.9)


@pytest.mark.tf
def test_a_network_that_is_not_understood_is_named() -> None:
    with pytest.raises(OsteoEdgeError, match=r"does not know what .* does with channels"):
        find_groups(_build("csp_darknet").model)
