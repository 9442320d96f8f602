from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import strict
from osteo_edge.benchmarks.baselines.networks import snake_case
from osteo_edge.benchmarks.baselines.worker import Job, Source, peak_bytes
from osteo_edge.benchmarks.measuring.isolated import run_isolated
from osteo_edge.benchmarks.timing.worker import Order


def trained(keras: Any, images: Any) -> Any:
    """A MobileNetV2 with a head and random weights, its batch normalization settled on the images."""
    backbone = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, include_top=False, weights=None)
    features = keras.layers.SpatialDropout2D(0.2)(backbone.output)
    activation_map = keras.layers.Conv2D(3, 1, name="activation_map")(features)
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    model = keras.Model(backbone.input, [logits, activation_map])
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0
    keras.utils.set_random_seed(0)
    model(images, training=True)
    return model


@pytest.mark.slow
@pytest.mark.tf
def test_a_network_of_keras_2_answers_the_same_in_keras_3(tmp_path: Path) -> None:
    from osteo_edge.train.keras import load_tensorflow

    _, keras = load_tensorflow()
    images = np.random.default_rng(1).uniform(-1, 1, (5, 64, 64, 3)).astype(np.float32)
    model = trained(keras, images)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    source = Source(str(tmp_path / "model.keras"), None, 64, 64, 3)
    job = Job("tensorflow", source, "float32", 2, 1, Order(1, 0.0, 1.0), str(tmp_path / "images.npy"), 0)
    done = run_isolated("osteo_edge.benchmarks.baselines.worker", strict.to_dict(job), timeout_s=300)
    expected = model(images, training=False)[0].numpy()
    assert np.ptp(expected, axis=0).min() > 0.1
    np.testing.assert_allclose(done["logits"], expected, rtol=1e-3, atol=1e-4)
    assert done["parameters"] == model.count_params()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Conv2D", "conv2d"),
        ("DepthwiseConv2D", "depthwise_conv2d"),
        ("ReLU", "re_lu"),
        ("ZeroPadding2D", "zero_padding2d"),
    ],
)
def test_weights_are_found_under_the_names_that_keras_gives(name: str, key: str) -> None:
    assert snake_case(name) == key


def test_the_high_water_mark_is_read_in_bytes() -> None:
    assert peak_bytes("VmPeak:\t 999 kB\nVmHWM:\t   5 kB\nVmRSS:\t 4 kB\n") == 5120
