"""EfficientNet-B0 on images that are normalized outside of it answers as Keras' own does on 0 to 255."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import normalize
from osteo_edge.train.backbones import IMAGENET_DEVIATION, IMAGENET_MEAN, input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.models import build

pytestmark = pytest.mark.tf

SIDE = 64
PLANES = np.random.default_rng(0).random((2, SIDE, SIDE)).astype(np.float32)
RAW = np.repeat(PLANES[..., np.newaxis] * 255, 3, axis=-1)
DEVIATION = np.array(IMAGENET_DEVIATION, np.float32)
STEM, LAST = "stem_activation", "top_activation"
SaveFile = Callable[[Any, Any], Path]


@pytest.fixture(scope="module")
def untrained() -> Any:
    """Keras' own network, as it begins."""
    return _keras_own(None)


@pytest.fixture
def save_file(untrained: Any, tmp_path: Path) -> SaveFile:
    """Write a weights file as Keras does, with a mean and a variance in its Normalization layer."""
    return lambda mean, variance: _save(untrained, mean, variance, tmp_path / "b0.h5")


@pytest.fixture(scope="module")
def kerass_file(untrained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that Keras would download; it holds the deviation as variance."""
    return _save(untrained, IMAGENET_MEAN, DEVIATION, tmp_path_factory.mktemp("own") / "b0.h5")


@pytest.fixture(scope="module")
def kerass_own(kerass_file: Path) -> Any:
    """Keras' own network with that file, which makes good for it."""
    with pytest.MonkeyPatch.context() as patched:
        _give(patched, kerass_file)
        return _keras_own("imagenet")


def _save(model: Any, mean: Any, variance: Any, path: Path) -> Path:
    norm = next(layer for layer in model.layers if type(layer).__name__ == "Normalization")
    norm.set_weights([np.float32(mean), np.float32(variance), norm.get_weights()[2]])
    model.save_weights(path)
    return path


def _keras_own(weights: str | None) -> Any:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    keras.utils.set_random_seed(3)
    return keras.applications.EfficientNetB0(include_top=False, weights=weights, input_shape=(SIDE, SIDE, 3))


def _give(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let Keras find `path` where it would download its own file."""
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    monkeypatch.setattr(
        keras.src.applications.efficientnet.data_utils, "get_file", lambda *arguments, **options: str(path)
    )


def _ours(weights: str) -> Any:
    config = TrainConfig(backbone="efficientnet_b0", weights=weights, side_px=SIDE)
    return build(config, input_spec(config)).backbone


def _features(model: Any, images: Any) -> list[Any]:
    """At the stem, whose border sees the padding, and at the end."""
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    ends = [model.get_layer(name).output for name in (STEM, LAST)]
    return [features.numpy() for features in keras.Model(model.input, ends)(images)]


def _assert_same(ours: Any, own: Any) -> None:
    tensor = normalize(PLANES, input_spec(TrainConfig(backbone="efficientnet_b0", side_px=SIDE)))
    for found, expected in zip(_features(ours, tensor), _features(own, RAW), strict=True):
        assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("how", ["imagenet", "path"])
def test_kerass_own_file_gives_the_features_of_kerass_own_network(
    how: str, kerass_file: Path, kerass_own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras makes good for the deviation in its file for weights="imagenet" only."""
    _give(monkeypatch, kerass_file)
    _assert_same(_ours("imagenet" if how == "imagenet" else str(kerass_file)), kerass_own)


def test_a_file_with_the_true_variance_gives_the_features_of_its_network(untrained: Any, save_file: SaveFile) -> None:
    path = save_file(IMAGENET_MEAN, DEVIATION**2)
    _assert_same(_ours(str(path)), untrained)


def test_nothing_of_the_preprocessing_is_left_in_the_network() -> None:
    layers = _ours("none").layers
    assert {"Rescaling", "Normalization", "TFOpLambda"}.isdisjoint(type(layer).__name__ for layer in layers)
    assert [layer.name for layer in layers[1:3]] == ["stem_conv_pad", "stem_conv"]


@pytest.mark.parametrize(("mean", "variance"), [((0, 0, 0), (1, 1, 1)), (IMAGENET_MEAN, (1, 1, 1))])
def test_a_file_trained_on_otherwise_normalized_images_is_refused(
    mean: Any, variance: Any, save_file: SaveFile
) -> None:
    path = save_file(mean, variance)
    with pytest.raises(OsteoEdgeError, match=r"b0\.h5: no weights for efficientnet_b0 without top \(it was trained on"):
        _ours(str(path))


def test_a_real_file_gives_the_features_of_its_network(shared_data: Path) -> None:
    path = str(shared_data / "weights" / "efficientnet_b0_no_top.hybrid-imagenet-to-block5b.h5")
    _assert_same(_ours(path), _keras_own(path))
