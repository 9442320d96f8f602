"""The networks: head, weights, counts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import GREY, InputSpec
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.models import (
    Network,
    build,
    count_macs,
    freeze_batch_norm,
    set_head,
    set_trainable,
    weights_for,
)

pytestmark = pytest.mark.tf

SPEC = InputSpec(96, 96)
SMALL = TrainConfig(alpha=0.35, weights="none", side_px=96)
JOINED = replace(SMALL, backbone="custom_cnn+mobilenet_v2")


@pytest.fixture(scope="module")
def small() -> Network:
    """As it is built, for tests that change nothing of it."""
    return build(SMALL, SPEC)


@pytest.fixture(scope="module")
def weights_file(small: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of its backbone."""
    path = tmp_path_factory.mktemp("weights") / "other.h5"
    small.backbone.save_weights(path)
    return path


def _images(n: int) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (n, 96, 96, 3)).astype(np.float32)


def test_the_logits_are_the_mean_of_the_activation_map(small: Network) -> None:
    logits, activation_map = small.model(_images(2), training=False)
    assert activation_map.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(np.mean(activation_map, (1, 2)), logits, rtol=1e-4, atol=1e-5)


def test_a_linear_classifier_on_pooled_features_can_be_put_into_the_head() -> None:
    network = build(SMALL, SPEC)
    rng = np.random.default_rng(1)
    kernel, bias = rng.normal(size=(1280, 3)).astype(np.float32), np.array([1, 2, 3], np.float32)
    set_head(network, kernel, bias)
    pooled = np.mean(network.backbone(_images(2), training=False), (1, 2))
    np.testing.assert_allclose(
        network.model(_images(2), training=False)[0], pooled @ kernel + bias, rtol=1e-3, atol=1e-3
    )


def test_the_same_seed_gives_the_same_weights_and_another_others() -> None:
    config = TrainConfig(backbone="custom_cnn", weights="none", side_px=96)
    first, again, other = (build(replace(config, seed=seed), input_spec(config)) for seed in (1, 1, 2))
    first_weights = first.backbone.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first_weights, again.backbone.get_weights(), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first_weights, other.backbone.get_weights(), strict=True))


def test_macs_of_mobilenet_v2_are_those_of_its_paper() -> None:
    """Sandler et al. 2018 give 300 million for width 1.0 and 59 million for 0.35 at 224 x 224."""
    full = build(TrainConfig(weights="none"), InputSpec(224, 224))
    assert count_macs(full.model) == pytest.approx(300e6, rel=0.02)
    narrow = build(TrainConfig(alpha=0.35, weights="none"), InputSpec(224, 224))
    assert count_macs(narrow.model) == pytest.approx(59e6, rel=0.04)


def test_batch_normalization_can_be_frozen_and_is_quick_when_trained_from_scratch() -> None:
    network = build(SMALL, SPEC)
    norms = [layer for layer in network.model.layers if type(layer).__name__ == "BatchNormalization"]
    assert {layer.momentum for layer in norms} == {0.9}
    freeze_batch_norm(network.model)
    assert not any(layer.trainable for layer in norms)


def test_a_weights_file_that_is_missing_or_of_another_width_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with pytest.raises(OsteoEdgeError, match=r"other\.h5: no such weights file"):
        build(TrainConfig(alpha=0.35, weights=str(path)), SPEC)
    build(TrainConfig(alpha=0.5, weights="none"), SPEC).backbone.save_weights(path)
    with pytest.raises(OsteoEdgeError, match=r"other\.h5: no weights for mobilenet_v2 with alpha 0\.35"):
        build(TrainConfig(alpha=0.35, weights=str(path)), SPEC)
    path.write_text("no weights")
    with pytest.raises(OsteoEdgeError, match=r"other\.h5"):
        build(TrainConfig(alpha=0.35, weights=str(path)), SPEC)


def test_weights_that_cannot_be_downloaded_are_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from osteo_edge.train.keras import load_tensorflow

    def refuse(*arguments: object, **options: object) -> None:
        raise Exception("URL fetch failure on somewhere: None -- Name or service not known")

    monkeypatch.setattr(load_tensorflow()[1].src.applications.mobilenet_v2.data_utils, "get_file", refuse)
    with pytest.raises(OsteoEdgeError, match=r"cannot be downloaded \(URL fetch failure.*--weights PATH"):
        build(TrainConfig(alpha=0.35, weights="imagenet"), SPEC)


@pytest.mark.parametrize(
    ("alpha", "name"),
    [
        (0.35, "mobilenet_v2_0.35_224_no_top.from-teachable-machine.h5"),
        (1.0, "mobilenet_v2_1.0_224_no_top.dequantized-from-int8.h5"),
    ],
)
def test_real_weights_are_loaded_and_their_file_is_recorded(shared_data: Path, alpha: float, name: str) -> None:
    network = build(TrainConfig(alpha=alpha, weights=str(shared_data / "weights" / name)), InputSpec(224, 224))
    assert network.weights_sha256 is not None
    untrained = build(TrainConfig(alpha=alpha, weights="none"), InputSpec(224, 224))
    assert not np.array_equal(network.backbone.get_weights()[0], untrained.backbone.get_weights()[0])


@pytest.mark.parametrize(
    ("weights", "mobilenet", "custom"),
    [
        ("none", "none", "none"),
        ("mobilenet_v2=a.h5, none", "a.h5", "none"),
        ("none,mobilenet_v2=imagenet", "imagenet", "none"),
        ("mobilenet_v2=x=1/a.h5,custom_cnn=b.h5", "x=1/a.h5", "b.h5"),
    ],
)
def test_weights_are_told_for_each_backbone(weights: str, mobilenet: str, custom: str) -> None:
    config = replace(JOINED, weights=weights)
    assert (weights_for(config, "mobilenet_v2"), weights_for(config, "custom_cnn")) == (mobilenet, custom)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("mobilenet_v2=a.h5", r"'mobilenet_v2=a\.h5': say one thing for custom_cnn, such as custom_cnn=PATH or none"),
        ("none,imagenet", r"say one thing for custom_cnn"),
        ("", r"say one thing for custom_cnn"),
        ("custom_cnn=", r"say one thing for custom_cnn"),
        ("imagenet", r"custom_cnn: there are no ImageNet weights for it; give --weights none"),
        ("mobilnet=a.h5", r"mobilnet=a\.h5: no such weights file"),
    ],
)
def test_weights_that_cannot_be_had_are_one_clear_line(weights: str, message: str) -> None:
    config = replace(JOINED, weights=weights)
    with pytest.raises(OsteoEdgeError, match=message):
        build(config, input_spec(config))


def test_a_file_of_another_network_is_one_clear_line_that_names_the_backbone(weights_file: Path) -> None:
    config = TrainConfig(backbone="custom_cnn", weights=str(weights_file), side_px=96)
    with pytest.raises(OsteoEdgeError, match=r"other\.h5: no weights for custom_cnn without top .*; check --backbone"):
        build(config, input_spec(config))


def test_a_spec_of_another_backbone_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="make the spec with input_spec"):
        build(SMALL, InputSpec(96, 96, channels=1, normalization=GREY))


def test_joined_backbones_record_the_files_of_those_that_have_one(small: Network, weights_file: Path) -> None:
    config = replace(JOINED, weights=f"mobilenet_v2={weights_file},none")
    joined = build(config, input_spec(config))
    assert joined.weights_sha256 is not None
    assert build(JOINED, input_spec(JOINED)).weights_sha256 is None
    stem = joined.backbone.get_layer("mobilenet_v2_Conv1").get_weights()[0]
    np.testing.assert_array_equal(stem, small.backbone.get_layer("Conv1").get_weights()[0])


def _trained(network: Network) -> list[str]:
    return [layer.name for layer in network.backbone.layers if layer.trainable and layer.weights]


def test_only_the_last_layers_are_trained_when_the_configuration_says_so() -> None:
    network = build(SMALL, SPEC)
    set_trainable(network, replace(SMALL, trainable_layers=3))
    assert _trained(network) == ["Conv_1", "Conv_1_bn"]
    set_trainable(network, replace(SMALL, trainable_layers=0))
    assert _trained(network) == []
    assert len(network.model.trainable_weights) == 2
    for number in (None, 10_000):
        set_trainable(network, replace(SMALL, trainable_layers=number))
        assert all(layer.trainable for layer in network.backbone.layers)


def test_batch_normalization_is_frozen_only_where_it_came_with_weights(weights_file: Path) -> None:
    config = replace(JOINED, weights=f"mobilenet_v2={weights_file},none")
    network = build(config, input_spec(config))
    norms = [layer for layer in network.backbone.layers if type(layer).__name__ == "BatchNormalization"]
    set_trainable(network, config)
    assert {layer.name.partition("_")[0] for layer in norms if layer.trainable} == {"custom"}
    assert {layer.name.partition("_")[0] for layer in norms if not layer.trainable} == {"mobilenet"}
    assert {layer.momentum for layer in norms if layer.trainable} == {0.9}
    set_trainable(network, replace(config, freeze_batch_norm=False))
    assert all(layer.trainable for layer in norms)


def test_macs_of_every_kind_of_layer_are_counted() -> None:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    layers = keras.layers
    x = image = keras.Input((8, 8, 4))
    x = layers.Conv2D(6, 3, groups=2, padding="same")(x)
    x = layers.SeparableConv2D(5, 3, 2, padding="same")(x)
    x = layers.Dense(7)(layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3, depth_multiplier=2)(x)))
    grouped, separable, depthwise, dense = 64 * 9 * 2 * 6, 16 * (9 * 6 + 6 * 5), 4 * 9 * 10, 10 * 7
    assert count_macs(keras.Model(image, x)) == grouped + separable + depthwise + dense
