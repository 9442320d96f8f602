from pathlib import Path

import pytest

from osteo_edge.benchmarks.facets.graph_work import count_work
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest
from osteo_edge.train.models import count_macs

GOLDEN = Path(__file__).resolve().parents[2] / "data"


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_golden_model_is_counted_as_its_manifest_says(precision: str, manifest: Manifest) -> None:
    work = count_work(GOLDEN / f"golden-{precision}.tflite")
    patches, maps = 8 * 8 * 2 * (4 * 4 * 3), 8 * 8 * 3 * 2
    assert list(work.macs.values()) == [patches, maps, 0]
    assert work.total_macs == manifest.model.macs
    assert work.parameters == manifest.model.parameters


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_zeros_are_counted_by_what_a_value_stands_for(precision: str) -> None:
    """The golden network was set by hand: six of its 1x1 weights, less two, and two of three biases are zero."""
    assert count_work(GOLDEN / f"golden-{precision}.tflite").zero_parameters == 4 + 2


def test_a_file_that_is_no_model_is_reported(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"model\.tflite: not a TFLite model"):
        count_work(tmp_path / "model.tflite")


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "options", "published"),
    [
        ("MobileNetV2", {"alpha": 1.0}, 300e6),  # Sandler et al. 2018, table 4
        ("EfficientNetB0", {}, 390e6),  # Tan and Le 2019, table 2
    ],
)
def test_known_networks_have_the_published_multiply_accumulates(
    network: str, options: dict[str, float], published: float, tmp_path: Path
) -> None:
    tensorflow, keras = load_tensorflow()
    image = keras.Input(batch_shape=(1, 224, 224, 3))
    model = getattr(keras.applications, network)(weights=None, input_tensor=image, **options)
    (tmp_path / "model.tflite").write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
    found = count_work(tmp_path / "model.tflite")
    assert found.total_macs == pytest.approx(published, rel=0.015)
    assert found.total_macs == count_macs(model)
    assert 0.96 < found.parameters / model.count_params() < 1


@pytest.mark.tf
def test_every_layer_that_multiplies_is_counted(tmp_path: Path) -> None:
    tensorflow, keras = load_tensorflow()
    layers = keras.layers
    image = keras.Input(batch_shape=(1, 6, 6, 2))
    enlarged = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(image)
    filtered = layers.DepthwiseConv2D(3, padding="same")(enlarged)
    answer = layers.Dense(5)(layers.Flatten()(filtered))
    path = tmp_path / "model.tflite"
    path.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(keras.Model(image, answer)).convert())
    counted = sorted(macs for macs in count_work(path).macs.values() if macs)
    assert counted == sorted([6 * 6 * 2 * 3 * 3 * 4, 12 * 12 * 4 * 3 * 3, 12 * 12 * 4 * 5])
