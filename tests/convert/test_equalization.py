"""Channels of like range, and a network that computes what it did before."""

from typing import Any

import numpy as np
import pytest

from osteo_edge.convert.equalization import equalize, find_chains
from osteo_edge.convert.graph import walk
from osteo_edge.preprocessing import InputSpec

pytestmark = pytest.mark.tf

PLANES = np.random.default_rng(0).random((6, 96, 96)).astype(np.float32)
SPEC = InputSpec(96, 96)


@pytest.fixture
def model() -> Any:
    """MobileNetV2 0.35 whose first block has one channel a hundred times as wide as the others."""
    from osteo_edge.convert.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    made = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    norm = made.get_layer("expanded_conv_project_BN")
    gamma, beta, mean, variance = norm.get_weights()
    gamma[0] *= 100.0
    norm.set_weights([gamma, beta, mean, variance])
    return made


def _tensor() -> Any:
    return np.repeat(PLANES[..., np.newaxis] * 2 - 1, 3, axis=-1)


def _ranges(model: Any, name: str) -> Any:
    found: dict[str, Any] = {}
    walk(model, _tensor(), after=lambda layer, output: found.update({layer.name: np.abs(output).max((0, 1, 2))}))
    return found[name]


def test_the_network_computes_what_it_did_before(model: Any) -> None:
    before = model(_tensor()).numpy()
    equalize(model, PLANES, SPEC)
    np.testing.assert_allclose(model(_tensor()).numpy(), before, rtol=1e-3, atol=1e-4 * np.abs(before).max())


def test_the_widest_channel_is_no_longer_so_far_from_the_others(model: Any) -> None:
    before = _ranges(model, "expanded_conv_project_BN")
    equalize(model, PLANES, SPEC)
    after = _ranges(model, "expanded_conv_project_BN")
    assert after.max() / np.median(after) < 0.2 * before.max() / np.median(before)


def test_the_chains_of_mobilenet_v2_are_its_blocks_tied_by_additions(model: Any) -> None:
    chains = [sorted(norm.name for norm in chain.writers) for chain in find_chains(model)]
    assert len(chains) == 7
    assert ["expanded_conv_project_BN"] in chains
    assert ["block_1_project_BN", "block_2_project_BN"] in chains
    assert ["block_6_project_BN", "block_7_project_BN", "block_8_project_BN", "block_9_project_BN"] in chains
    assert ["block_16_project_BN"] in chains


def test_a_walk_gives_what_the_model_gives(model: Any) -> None:
    outputs: list[Any] = []
    walk(model, _tensor(), after=lambda layer, output: outputs.append(output))
    np.testing.assert_allclose(outputs[-1], model(_tensor()), rtol=1e-4, atol=1e-5)
