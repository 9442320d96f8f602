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


@pytest.fixture
def save_file(tmp_path: Path) -> SaveFile:
    """Write a weights file as Keras does, with a mean and a variance in its Normalization layer."""

    def save(mean: Any, variance: Any) -> Path:
        model = _keras_own(None)
        norm = next(layer for layer in model.layers if type(layer).__name__ == "Normalization")
        norm.set_weights([np.float32(mean), np.float32(variance), norm.get_weights()[2]])
        model.save_weights(tmp_path / "b0.h5")
        return tmp_path / "b0.h5"

    return save


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


def _assert_same(ours: Any, own: Any) -> None:
    """At the stem, whose border sees the padding, and at the end."""
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    tensor = normalize(PLANES, input_spec(TrainConfig(backbone="efficientnet_b0", side_px=SIDE)))
    for name in (STEM, LAST):
        found = keras.Model(ours.input, ours.get_layer(name).output)(tensor).numpy()
        expected = keras.Model(own.input, own.get_layer(name).output)(RAW).numpy()
        assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("how", ["imagenet", "path"])
def test_kerass_own_file_gives_the_features_of_kerass_own_network(
    how: str, save_file: SaveFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras' file holds the deviation as variance, which it makes good for weights="imagenet" only."""
    path = save_file(IMAGENET_MEAN, DEVIATION)
    _give(monkeypatch, path)
    _assert_same(_ours("imagenet" if how == "imagenet" else str(path)), _keras_own("imagenet"))


def test_a_file_with_the_true_variance_gives_the_features_of_its_network(save_file: SaveFile) -> None:
    path = save_file(IMAGENET_MEAN, DEVIATION**2)
    _assert_same(_ours(str(path)), _keras_own(str(path)))


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
