"""Activation map, Grad-CAM and integrated gradients, held to each other and to shuffled weights."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Manifest, Outputs
from osteo_edge.preprocessing import GREY, InputSpec, to_tensor
from osteo_edge.radiograph import Pixels, read_radiograph
from osteo_edge.train.explaining import (
    COMPLETE,
    Probe,
    explain,
    grad_cam,
    integrate_gradients,
    make_probe,
    open_probe,
    place_of,
    randomization_check,
    rank_correlation,
)
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.models import MAP_LAYER
from osteo_edge.train.phantoms import write_phantoms

OSTEOPOROSIS = 2
MAPS = {"activation map", "Grad-CAM", "integrated gradients"}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Pixels]:
    """Six drawn knees."""
    folder = tmp_path_factory.mktemp("explained")
    write_phantoms(folder / "films", per_class=2, size=256, seed=3)
    return [read_radiograph(path).pixels for path in sorted(folder.rglob("*.png"))]


@pytest.fixture(scope="module")
def pixels(films: list[Pixels]) -> Pixels:
    """A drawn knee."""
    return films[-1]


@pytest.fixture(scope="module")
def mobilenet(films: list[Pixels]) -> Any:
    """MobileNetV2 0.35 at 224 x 224 with drawn weights, a map of 7 x 7 cells, and the films' batch statistics."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNetV2((224, 224, 3), alpha=0.35, include_top=False, weights=None)
    for layer in backbone.layers:
        layer.momentum = 0.0
    backbone(np.concatenate([to_tensor(film, InputSpec(224, 224)) for film in films]), training=True)
    return _with_head(backbone.input, backbone.output)


@pytest.fixture
def probe_of(manifest: Manifest) -> Callable[..., Probe]:
    """The probe of a model under the golden manifest, with the input that the model takes."""

    def make(model: Any, **changes: Any) -> Probe:
        _, height, width, channels = model.input_shape
        spec = InputSpec(height, width) if channels == 3 else InputSpec(height, width, 1, normalization=GREY)
        return make_probe(model, replace(manifest, input=spec, outputs=Outputs(0, 1, None), **changes))

    return make


@pytest.fixture(scope="module")
def calm() -> Any:
    """MobileNetV2 0.35 at 96 x 96 as it is drawn: its gradients are far smoother than with batch statistics."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    backbone = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, include_top=False, weights=None)
    return _with_head(backbone.input, backbone.output, bias="zeros")


def _with_head(images: Any, features: Any, bias: str = "ones") -> Any:
    _, keras = load_tensorflow()
    dropped = keras.layers.SpatialDropout2D(0.2)(features)
    activation_map = keras.layers.Conv2D(3, 1, name=MAP_LAYER, bias_initializer=bias)(dropped)
    return keras.Model(images, [keras.layers.GlobalAveragePooling2D()(activation_map), activation_map])


def _small(*, activation: str | None, kernel: str = "glorot_uniform", branches: int = 1) -> Any:
    """One convolution, or several joined, over one grey channel of 32 x 32."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(1)
    images = keras.Input((32, 32, 1))
    features = [
        keras.layers.Conv2D(8, 5, 4, activation=activation, kernel_initializer=kernel)(images) for _ in range(branches)
    ]
    joined = features[0] if branches == 1 else keras.layers.Concatenate()(features)
    return _with_head(images, joined)


@pytest.mark.tf
def test_the_activation_map_is_grad_cam_but_for_a_constant(
    mobilenet: Any, probe_of: Callable[..., Probe], pixels: Pixels
) -> None:
    """For a linear head after pooling, Grad-CAM is (map - bias) / cells before its ReLU: the same ranks."""
    for place in range(3):
        found = explain(probe_of(mobilenet), pixels, place, steps=(2,))
        assert found.activation_map.shape == (7, 7)
        assert found.agreement > 0.99
        np.testing.assert_allclose((found.activation_map - 1.0) / 49, found.grad_cam, rtol=1e-3, atol=1e-6)


@pytest.mark.tf
def test_a_map_of_another_label_does_not_agree_with_grad_cam(
    mobilenet: Any, probe_of: Callable[..., Probe], pixels: Pixels
) -> None:
    _, keras = load_tensorflow()
    logits, activation_map = mobilenet.outputs
    wrong = keras.Model(mobilenet.input, [logits, activation_map[..., ::-1]])
    assert abs(explain(probe_of(wrong), pixels, OSTEOPOROSIS, steps=(2,)).agreement) < 0.9


@pytest.mark.tf
def test_integrated_gradients_add_up_to_the_change_of_the_logit(
    calm: Any, probe_of: Callable[..., Probe], pixels: Pixels
) -> None:
    probe = probe_of(calm)
    found = explain(probe, pixels, OSTEOPOROSIS)
    change = found.logit - found.black_logit
    assert found.complete
    assert found.integrated_gradients.shape == (96, 96)
    assert found.integrated_gradients.sum() == pytest.approx(change, rel=COMPLETE, abs=0)
    tensor = to_tensor(pixels, probe.manifest.input)
    both = probe.model(np.concatenate([tensor, np.full_like(tensor, -1)]), training=False)[0].numpy()
    assert change == pytest.approx(both[0, OSTEOPOROSIS] - both[1, OSTEOPOROSIS], rel=1e-3, abs=0)


@pytest.mark.tf
def test_too_few_steps_are_not_called_complete(calm: Any, probe_of: Callable[..., Probe], pixels: Pixels) -> None:
    probe = probe_of(calm)
    once = explain(probe, pixels, OSTEOPOROSIS, steps=(1,))
    assert not once.complete
    enough = explain(probe, pixels, OSTEOPOROSIS, steps=(1, 256))
    assert enough.steps == 256
    assert abs(enough.residual) < abs(once.residual)


@pytest.mark.tf
def test_integrated_gradients_of_a_linear_network_are_gradient_times_input(probe_of: Callable[..., Probe]) -> None:
    probe = probe_of(_small(activation=None))
    film = np.random.default_rng(0).uniform(0, 1, (32, 32)).astype(np.float32)
    found = explain(probe, film, 1, steps=(3,))
    tensorflow, _ = load_tensorflow()
    gradient = probe.read(tensorflow.constant(to_tensor(film, probe.manifest.input)), 1)["at_pixels"].numpy()
    np.testing.assert_allclose(found.integrated_gradients, gradient[0, ..., 0] * 2 * film, rtol=1e-3, atol=1e-5)
    assert found.residual == pytest.approx(0, abs=1e-4)


@pytest.mark.tf
def test_integrated_gradients_are_those_of_many_equal_steps(probe_of: Callable[..., Probe]) -> None:
    """The sum of Sundararajan et al. 2017, one step after the other."""
    probe = probe_of(_small(activation="relu"))
    film = np.random.default_rng(0).uniform(0, 1, (32, 32)).astype(np.float32)
    tensor = to_tensor(film, probe.manifest.input)
    black = np.full_like(tensor, -1)
    tensorflow, _ = load_tensorflow()
    expected = np.zeros((32, 32))
    for step in range(200):
        between = tensorflow.constant(black + (step + 0.5) / 200 * (tensor - black), "float32")
        expected += (probe.read(between, 0)["at_pixels"].numpy() * (tensor - black))[0, ..., 0] / 200
    found = integrate_gradients(probe, tensor, black, 0, steps=200)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.tf
def test_two_backbones_over_one_grey_channel_are_explained_too(probe_of: Callable[..., Probe], pixels: Pixels) -> None:
    found = explain(probe_of(_small(activation="relu", branches=2)), pixels, OSTEOPOROSIS)
    assert found.agreement > 0.99
    assert found.complete


@pytest.mark.tf
def test_shuffled_weights_change_every_map_and_come_back(
    mobilenet: Any, probe_of: Callable[..., Probe], pixels: Pixels
) -> None:
    """Adebayo et al. 2018, from the head down to the first convolution."""
    before = mobilenet.get_weights()
    heard: list[int] = []

    def hear(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        heard.append(total - done)

    stages = randomization_check(probe_of(mobilenet), pixels, OSTEOPOROSIS, stages=4, on_progress=hear)
    assert [stages[0].layer, stages[-1].layer] == [MAP_LAYER, "Conv1"]
    assert len(stages) == 4
    assert heard == list(range(11, -1, -1))
    for stage in stages:
        assert set(stage.likeness) > MAPS
        assert all(stage.likeness[name] < 0.7 for name in MAPS), stage
    assert all(np.array_equal(old, new) for old, new in zip(before, mobilenet.get_weights(), strict=True))


@pytest.mark.tf
def test_maps_that_no_weight_changes_are_found_out(probe_of: Callable[..., Probe], pixels: Pixels) -> None:
    """All weights of a layer are equal, so shuffling does nothing: such maps show the film."""
    model = _small(activation="relu", kernel="ones")
    model.get_layer(MAP_LAYER).set_weights([np.ones((1, 1, 8, 3), np.float32), np.zeros(3, np.float32)])
    for stage in randomization_check(probe_of(model), pixels, OSTEOPOROSIS, stages=2):
        assert stage.likeness == pytest.approx(dict.fromkeys(stage.likeness, 1.0))


@pytest.mark.tf
def test_only_positive_labels_are_explained_the_likeliest_by_default(
    probe_of: Callable[..., Probe], pixels: Pixels
) -> None:
    model = _small(activation="relu")
    head = model.get_layer(MAP_LAYER)
    for bias, expected in (([9, 5, 3], 1), ([9, 3, 5], 2)):
        head.set_weights([head.get_weights()[0] * 0, np.array(bias, np.float32)])
        assert place_of(None, probe_of(model), pixels) == expected
    assert place_of("osteopenia", probe_of(model), pixels) == 1
    with pytest.raises(OsteoEdgeError, match="not a positive label of this bundle; choose from osteopenia"):
        place_of("normal", probe_of(model), pixels)


@pytest.mark.tf
def test_a_model_without_a_map_has_no_probe(manifest: Manifest) -> None:
    with pytest.raises(ValueError, match="no activation map"):
        make_probe(_small(activation="relu"), replace(manifest, outputs=Outputs(0, None, None)))
    _, keras = load_tensorflow()
    images = keras.Input((8, 8, 1))
    with pytest.raises(ValueError, match=MAP_LAYER):
        make_probe(keras.Model(images, [images, images]), replace(manifest, outputs=Outputs(0, 1, None)))


def test_a_tflite_bundle_is_sent_back_to_the_bundle_it_came_from(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="tflite has no gradients; name the Keras bundle it came from"):
        open_probe(bundle)


def test_grad_cam_weighs_each_feature_by_its_mean_gradient() -> None:
    features = np.array([[[1, 10], [2, 20]]], np.float32)
    gradients = np.array([[[1, 0], [3, -2]]], np.float32)
    np.testing.assert_allclose(grad_cam(features, gradients), [[2 * 1 - 1 * 10, 2 * 2 - 1 * 20]])


def test_rank_correlation_is_spearmans() -> None:
    rising = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert rank_correlation(rising, np.exp(rising)) == pytest.approx(1)
    assert rank_correlation(rising, -rising) == pytest.approx(-1)
    assert rank_correlation(rising, np.array([[1.0, 1.0], [2.0, 2.0]])) == pytest.approx(0.8944, abs=1e-4)
    assert np.isnan(rank_correlation(rising, np.ones((2, 2))))
    assert np.isnan(rank_correlation(rising, np.array([[1.0, np.inf], [2.0, 3.0]])))
