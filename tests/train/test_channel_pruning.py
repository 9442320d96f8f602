"""Channels are removed whole: what is left answers as the network did with those channels at zero."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.channel_criteria import Worths
from osteo_edge.train.channel_groups import ChannelGroups, Group, find_groups
from osteo_edge.train.channel_pruning import Budget, Kept, Removal, by_cost, choose_channels, narrow
from osteo_edge.train.channel_work import Work, count_work
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


def _images(network: Network) -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 1, (4, *network.model.input_shape[1:])).astype(np.float32)


def _answers(model: Any, images: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    return [output.numpy() for output in model(images, training=False)]


def _any_worths(found: ChannelGroups) -> Worths:
    rng = np.random.default_rng(2)
    return {number: rng.uniform(size=group.channels) for number, group in enumerate(found.groups)}


def _choose(groups: tuple[Group, ...], worths: Worths, amount: float) -> tuple[Kept, Removal]:
    work = Work((), tuple(group.channels for group in groups))
    return choose_channels(ChannelGroups(groups, {}, {}), work, worths, amount, "channels")


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
@pytest.mark.parametrize(
    "backbone",
    ["custom_cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mobilenet_v2", "efficientnet_b0"))],
)
def test_the_narrow_network_answers_as_the_wide_one_with_those_channels_at_zero(backbone: str) -> None:
    """Inside the blocks, with the streams, and where the work is to be halved."""
    network = _build(backbone)
    found = find_groups(network.model)
    work, weights, images = count_work(network.model, found), network.model.get_weights(), _images(network)
    before = _answers(network.model, images)
    budgets: tuple[tuple[float, Budget], ...] = ((0.5, "channels"), (0.7, "channels"), (0.5, "macs"))
    for amount, of in budgets:
        kept, removal = choose_channels(found, work, _any_worths(found), amount, of)
        made = narrow(network.model, found, kept)
        _silence(network, found, kept)
        expected, answers = _answers(network.model, images), _answers(made, images)
        network.model.set_weights(weights)
        for one, other in zip(answers, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())
        assert np.abs(before[0] - expected[0]).max() > 1e-2 * np.abs(before[0]).max()
        assert removal.share(of) == pytest.approx(amount, abs=0.06)
        assert made.count_params() < 0.75 * network.model.count_params()
        assert count_macs(made) < 0.75 * count_macs(network.model)
        assert (removal.macs_before, removal.macs_after) == (count_macs(network.model), count_macs(made))


@pytest.mark.tf
@pytest.mark.slow
def test_streams_stay_whole_up_to_half_and_are_narrowed_in_all_their_blocks_above() -> None:
    network = _build("mobilenet_v2")
    found = find_groups(network.model)
    work = count_work(network.model, found)
    streams = {number for number, group in enumerate(found.groups) if group.is_stream and group.channels > 8}
    for amount, narrowed in ((0.5, False), (0.7, True)):
        kept, _ = choose_channels(found, work, _any_worths(found), amount, "channels")
        assert bool(streams & set(kept)) == narrowed
        made = narrow(network.model, found, kept)
        for layer in made.layers:
            if type(layer).__name__ == "Add":
                assert len({int(source.shape[-1]) for source in layer.input}) == 1


@pytest.mark.tf
def test_dear_channels_go_first_among_those_of_like_worth() -> None:
    network = _build("mobilenet_v2")
    found = find_groups(network.model)
    work, worths = count_work(network.model, found), _any_worths(found)
    _, plain = choose_channels(found, work, worths, 0.5, "channels")
    _, weighed = choose_channels(found, work, by_cost(worths, work), 0.5, "channels")
    assert weighed.share("channels") == pytest.approx(plain.share("channels"), abs=0.02)
    assert weighed.macs_after < 0.8 * plain.macs_after


@pytest.mark.tf
def test_a_channel_costs_what_goes_with_it_and_depthwise_work_ten_times() -> None:
    network = _build("custom_cnn")
    found = find_groups(network.model)
    work = count_work(network.model, found)
    number = found.outputs["block3_depthwise"]
    width = found.groups[number].channels
    saved = work.macs({}) - work.macs({number: width - 1})
    rows, columns, _ = network.model.get_layer("block3_depthwise").output_shape[1:]
    assert work.cost_per_channel()[number] == saved + 9 * (9 * rows * columns)


def test_every_layer_keeps_some_channels_in_eights_or_sixteens() -> None:
    groups = (
        Group(48, ("a",), False, False),
        Group(96, ("b",), False, False),
        Group(192, ("c",), False, False),
        Group(3, ("d",), False, True),
    )
    worths = {0: np.full(48, 1e-6), 1: np.arange(1.0, 97.0), 2: np.arange(1.0, 193.0), 3: np.zeros(3)}
    kept, removal = _choose(groups, worths, 0.6)
    assert set(kept) == {0, 1, 2}
    assert kept[0].size == 8
    for number in (1, 2):
        width = groups[number].channels
        assert kept[number].size % 16 == 0
        np.testing.assert_array_equal(kept[number], np.arange(width - kept[number].size, width))
    assert removal.channels_before == 336
    assert removal.channels_after == sum(places.size for places in kept.values())


def test_a_group_that_cannot_be_judged_stays_whole() -> None:
    groups = (Group(32, ("a",), False, False), Group(32, ("b",), False, False))
    kept, removal = _choose(groups, {1: np.arange(32.0)}, 0.5)
    assert set(kept) == {1}
    assert (removal.channels_before, removal.channels_after) == (32, 16)


def test_more_than_can_be_removed_is_refused() -> None:
    groups = (Group(16, ("a",), False, False),)
    with pytest.raises(OsteoEdgeError, match="only 50% of the channels"):
        _choose(groups, {0: np.arange(16.0)}, 0.9)


def test_a_network_that_is_too_narrow_already_is_refused() -> None:
    with pytest.raises(OsteoEdgeError, match="no layer that can be narrower"):
        _choose((Group(8, ("a",), False, False),), {0: np.arange(8.0)}, 0.5)


@pytest.mark.tf
def test_a_network_that_is_not_understood_is_named() -> None:
    with pytest.raises(OsteoEdgeError, match=r"does not know what .* does with channels"):
        find_groups(_build("csp_darknet").model)
