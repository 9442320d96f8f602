"""The network in training computes as its int8 file will, and what comes out of it is a plain network for that file."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.preprocessing import normalize
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import ALPHAS, TrainConfig
from osteo_edge.train.fitting import Fit, cross_entropy
from osteo_edge.train.int8_ranges import TensorRanges, choose_range, choose_ranges
from osteo_edge.train.int8_rounding import Ends, Kept, OutputRounding
from osteo_edge.train.int8_tensors import is_written
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, build
from osteo_edge.train.prepared import prepare
from osteo_edge.train.pruning import is_compressed, most_values
from osteo_edge.train.quantization_aware import int8_student
from osteo_edge.train.refit import Refit, Student, refit

Floats = npt.NDArray[np.float32]
SMALL = TrainConfig(alpha=0.35, weights="none", side_px=64, epochs=1, batch_size=5, learning_rate=1e-3, dropout=0.0)
TINY = replace(SMALL, backbone="custom_cnn", alpha=1.0)
B0 = replace(SMALL, backbone="efficientnet_b0", alpha=1.0)
SPEC = input_spec(TINY)
SIGMOID = (0.0, 255 / 256)


@pytest.fixture(scope="module")
def part(phantoms: Dataset) -> Labelled:
    return Labelled.of(prepare(phantoms.cases[::2], SPEC), SMALL.labels)


@pytest.fixture(scope="module")
def network(part: Labelled) -> Network:
    return _lively(build(TINY, SPEC))


def _lively(network: Network) -> Network:
    """With statistics, scales and offsets that differ, as after training: an untrained network has none."""
    rng = np.random.default_rng(0)
    for layer in network.model.layers:
        if type(layer).__name__ == "BatchNormalization":
            gamma, beta, mean, variance = layer.get_weights()
            spread = np.exp(rng.normal(0, 0.3, gamma.shape)).astype(np.float32)
            layer.set_weights([gamma * spread, beta + rng.normal(0, 0.2, beta.shape), mean, variance])
    return network


def _copy(network: Network) -> Network:
    _, keras = load_tensorflow()
    model = keras.models.clone_model(network.model)
    model.set_weights(network.model.get_weights())
    return replace(network, model=model)


def _ranges(network: Network, part: Labelled) -> TensorRanges:
    return choose_ranges(network.model, part.planes(np.arange(8)), SPEC)


def _fitted(
    network: Network, part: Labelled, silent: Advance, kept: Kept | None = None, **changes: Any
) -> tuple[Network, Student, Fit]:
    plain = _copy(network)
    student = int8_student(plain.model, _ranges(plain, part), kept)
    fit = refit(Refit(plain, student, replace(TINY, **changes), SPEC, part, part, silent))
    return plain, student, fit


def _on_steps(values: Any, ends: Ends) -> Floats:
    """Rounded as TensorFlow Lite does: 256 steps, 0 on one of them."""
    low, high = ends
    step = (high - low) / 255
    zero = np.rint(-low / step)
    return np.asarray((np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step, np.float32)


def _activated(layer: Any, given: Any, ranges: TensorRanges) -> Floats:
    """What a layer that ends in a sigmoid or swish gives: what is written before it is rounded, and the sigmoid."""
    tensorflow, keras = load_tensorflow()
    if layer.name in ranges.before_sigmoid:
        config = {**layer.get_config(), "activation": "linear"}
        linear = type(layer).from_config(config)
        linear.build(given.shape)
        linear.set_weights(layer.get_weights())
        given = _on_steps(linear(given).numpy(), ranges.before_sigmoid[layer.name])
    sigmoid = _on_steps(tensorflow.sigmoid(given).numpy(), SIGMOID)
    return given * sigmoid if layer.activation is keras.activations.swish else sigmoid


def _steps_apart(model: Any, written: dict[str, Floats], images: Floats, ranges: TensorRanges) -> dict[str, float]:
    """How many steps lie on average between `written`, what the simulation writes, and each layer of a plain network
    whose kernels are rounded already, given what the simulation gives to that layer."""
    values, apart = {id(model.input): _on_steps(images, ranges.image)}, {}
    for layer in model.layers[1:]:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs = [values[id(tensor)] for tensor in tensors]
        if getattr(getattr(layer, "activation", None), "__name__", "linear") in ("swish", "sigmoid"):
            output = _activated(layer, inputs[0], ranges)
        else:
            output = layer(inputs if len(inputs) > 1 else inputs[0], training=False).numpy()
        if layer.name in ranges.outputs:
            low, high = ranges.outputs[layer.name]
            difference = _on_steps(output, (low, high)) - written[layer.name]
            apart[layer.name] = float(np.abs(difference).mean() / ((high - low) / 255))
            output = written[layer.name]
        values[id(layer.output)] = output
    return apart


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("config", [SMALL, B0], ids=lambda config: config.backbone)
def test_each_tensor_is_that_of_the_plain_network_rounded(config: TrainConfig, part: Labelled) -> None:
    _, keras = load_tensorflow()
    spec = input_spec(config)
    model = _lively(build(config, spec)).model
    ranges = choose_ranges(model, part.planes(np.arange(8)), spec)
    student = int8_student(model, ranges)
    images = normalize(part.planes(np.arange(4)), spec)
    model.set_weights(student.weights())
    simulated = student.model.layers[-1]
    outputs = {name: simulated.get_layer(f"quant_{name}").output for name in ranges.outputs}
    found = keras.Model(simulated.input, outputs)(_on_steps(images, ranges.image))
    apart = _steps_apart(model, {name: values.numpy() for name, values in found.items()}, images, ranges)
    assert apart.keys() == ranges.outputs.keys()
    assert max(apart.values()) < 0.02, apart  # sums in another order fall on the next step now and then


@pytest.mark.tf
def test_in_training_half_of_the_examples_are_left_as_they_are() -> None:
    values = np.random.default_rng(0).normal(0, 1, (5, 4, 4, 2)).astype(np.float32)
    rounding = OutputRounding((-1.0, 2.0))
    stepped, found = (np.asarray(rounding(values, training=training)) for training in (False, True))
    np.testing.assert_allclose(stepped, _on_steps(values, rounding.ends), atol=1e-6)
    np.testing.assert_array_equal(found, np.concatenate([stepped[:3], values[3:]]))


@pytest.mark.tf
def test_kernels_of_the_plain_network_are_on_the_grid_of_each_channel(network: Network, part: Labelled) -> None:
    plain = _copy(network)
    plain.model.set_weights(int8_student(plain.model, _ranges(plain, part)).weights())
    for layer in plain.model.layers:
        if type(layer).__name__ in ("Conv2D", "DepthwiseConv2D"):
            columns = layer.get_weights()[0].reshape(-1, layer.output_shape[-1])
            steps = columns / (np.abs(columns).max(axis=0) / 127)
            np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3, err_msg=layer.name)


@pytest.fixture(scope="module")
def fitted(network: Network, part: Labelled, silent: Advance) -> tuple[Network, Student, Fit]:
    return _fitted(network, part, silent, epochs=3)


@pytest.mark.tf
@pytest.mark.slow
def test_a_fit_lowers_the_loss_in_int8_and_is_judged_by_it(
    network: Network, fitted: tuple[Network, Student, Fit], part: Labelled
) -> None:
    plain, student, fit = fitted
    untrained = int8_student(network.model, _ranges(network, part))
    before = cross_entropy(replace(network, model=untrained.model), SPEC, part)
    assert fit.validation_losses[fit.best_epoch - 1] == min(fit.validation_losses) < before
    assert fit.validation_losses[-1] == pytest.approx(
        cross_entropy(replace(plain, model=student.model), SPEC, part), rel=1e-6
    )
    assert all(loss != pytest.approx(cross_entropy(plain, SPEC, part), rel=1e-6) for loss in fit.validation_losses)


@pytest.mark.tf
@pytest.mark.slow
def test_normalization_keeps_its_statistics_and_learns_its_offsets(
    network: Network, fitted: tuple[Network, Student, Fit]
) -> None:
    plain = fitted[0]
    for layer, old in zip(plain.model.layers, network.model.layers, strict=True):
        if type(old).__name__ == "BatchNormalization":
            (_, beta, mean, variance), (_, beta_before, *statistics) = layer.get_weights(), old.get_weights()
            np.testing.assert_array_equal([mean, variance], statistics)
            assert np.any(beta != beta_before)


@pytest.mark.tf
@pytest.mark.slow
def test_zeros_of_a_pruned_network_stay_zeros(network: Network, part: Labelled, silent: Advance) -> None:
    sparse = _changed(
        _copy(network), lambda kernel: np.where(np.arange(kernel.size).reshape(kernel.shape) % 4 < 2, kernel, 0)
    )
    plain, _, _ = _fitted(sparse, part, silent, "zeros")
    for layer in filter(is_compressed, plain.model.layers):
        before, after = sparse.model.get_layer(layer.name).get_weights()[0], layer.get_weights()[0]
        assert np.all(after[before == 0] == 0), layer.name
        assert np.any(after != before), layer.name


@pytest.mark.tf
@pytest.mark.slow
def test_weights_that_share_a_value_go_on_sharing_one(network: Network, part: Labelled, silent: Advance) -> None:
    grouped = _changed(
        _copy(network),
        lambda kernel: np.quantile(kernel, [0.1, 0.4, 0.7, 0.9])[np.arange(kernel.size) % 4].reshape(kernel.shape),
    )
    plain, _, _ = _fitted(grouped, part, silent, "shared values")
    assert most_values(plain.model) == 4
    for layer in filter(is_compressed, plain.model.layers):
        assert np.any(layer.get_weights()[0] != grouped.model.get_layer(layer.name).get_weights()[0]), layer.name


def _changed(network: Network, change: Callable[[Floats], Any]) -> Network:
    """With changed kernels in the layers that pruning changes."""
    for layer in filter(is_compressed, network.model.layers):
        kernel, *rest = layer.get_weights()
        layer.set_weights([change(kernel).astype(np.float32), *rest])
    return network


@pytest.mark.tf
@pytest.mark.parametrize("alpha", ALPHAS)
def test_mobilenet_writes_the_ends_of_its_convolutions_and_its_sums(alpha: float) -> None:
    model = build(replace(SMALL, alpha=alpha), input_spec(SMALL)).model
    kinds = [type(layer).__name__ for layer in model.layers if is_written(layer)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "ReLU": 35,
        "BatchNormalization": 17,
        "Add": 10,
        "Conv2D": 1,
        "GlobalAveragePooling2D": 1,
    }


@pytest.mark.tf
def test_efficientnet_writes_what_a_swish_reads_and_its_squeeze_and_excitation() -> None:
    model = build(B0, input_spec(B0)).model
    written = [layer.name for layer in model.layers if is_written(layer)]
    parts = ("expand_bn", "expand_activation", "bn", "activation")
    inner = ("se_squeeze", "se_reduce", "se_expand", "se_excite", "project_bn")
    assert [name for name in written if name.startswith("block3b")] == [
        *(f"block3b_{name}" for name in (*parts, *inner)),
        "block3b_add",
    ]
    assert {"stem_bn", "stem_activation", "top_bn", "top_activation", "activation_map", "logits"} <= set(written)


@pytest.mark.tf
def test_under_a_head_over_taps_each_tap_has_a_range_and_their_join_none(part: Labelled) -> None:
    taps = ("plain2_relu", "block2_pointwise_relu", "block6_pointwise_relu")
    network = build(replace(TINY, taps=taps), SPEC)
    names = [layer.name for layer in network.model.layers if is_written(layer)]
    assert "taps" not in names
    assert set(taps) <= set(names)
    student = int8_student(network.model, _ranges(network, part))
    head = network.model.get_layer("activation_map").get_weights()[0]
    network.model.set_weights(student.weights())
    np.testing.assert_array_equal(network.model.get_layer("activation_map").get_weights()[0], head)


def test_a_range_leaves_out_a_few_values_that_would_cost_the_others_their_steps() -> None:
    values = np.append(np.random.default_rng(0).normal(0, 1, 100_000), 60.0).astype(np.float32)
    low, high = choose_range(values)
    assert -5 < low < -3
    assert 20 < high < 55


@pytest.mark.parametrize(("low", "high"), [(2.0, 3.0), (-3.0, -2.0), (0.0, 0.0), (-1.0, 1.0)])
def test_a_range_holds_zero_and_is_one(low: float, high: float) -> None:
    found = choose_range(np.linspace(low, high, 1000, dtype=np.float32))
    assert found[0] <= 0.0 <= found[1]
    assert found[0] < found[1]
    assert found == pytest.approx((min(low, 0.0), max(high, 0.0)), abs=0.05 * max(abs(low), abs(high)) + 1e-5)


def test_what_a_sigmoid_or_swish_reads_ends_where_they_saturate() -> None:
    values = np.linspace(-40, 30, 10_000, dtype=np.float32)
    assert choose_range(values, "swish") == pytest.approx((-6.5, 30), abs=0.1)
    assert choose_range(values, "sigmoid") == pytest.approx((-6.5, 6.5), abs=0.1)
    assert choose_range(values) == pytest.approx((-40, 30), abs=0.1)
