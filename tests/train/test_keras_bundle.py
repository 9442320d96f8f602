"""Keras bundles: loaded in one place, and run as the core runs a TFLite one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.manifest import Manifest, Outputs
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import KerasInterpreter, check_split, load_model, model_bytes


def test_a_tflite_bundle_is_sent_back(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match="golden: not a Keras bundle; name the one that `osteo-edge train` wrote"):
        load_model(bundle)


def test_another_split_than_that_of_the_training_is_refused(bundle: Bundle, split_file: Path) -> None:
    with pytest.raises(DatasetError, match=r"not the split that .* was trained with"):
        check_split(bundle, split_file)


@pytest.mark.tf
def test_a_file_that_keras_cannot_read_is_one_line(golden_bundle: Callable[..., Bundle]) -> None:
    written = golden_bundle(model=b"no model")
    described = replace(written.manifest, model=replace(written.manifest.model, format="keras"))
    with pytest.raises(BundleError) as caught:
        load_model(replace(written, manifest=described))
    assert str(caught.value).startswith(f"{written.model_path}: Keras cannot load it (")
    assert "\n" not in str(caught.value)


@pytest.mark.tf
def test_every_output_is_found_where_the_manifest_says(manifest: Manifest, tmp_path: Path) -> None:
    _, keras = load_tensorflow()
    image = keras.Input((32, 32, 3))
    shift, grades = (keras.layers.Rescaling(1.0, value)(image) for value in (1.0, 2.0))
    logits, severity = (keras.layers.GlobalAveragePooling2D()(each) for each in (shift, grades))
    data = model_bytes(keras.Model(image, [severity, shift, logits]))
    described = replace(
        manifest, outputs=Outputs(2, 1, 0), model=replace(manifest.model, file="m.keras", format="keras")
    )
    (tmp_path / "m.keras").write_bytes(data)
    prediction = KerasInterpreter(Bundle(tmp_path, described)).run(np.zeros((1, 32, 32, 3), np.float32))
    np.testing.assert_allclose(prediction.logits, [1, 1, 1])
    assert prediction.severity is not None
    np.testing.assert_allclose(prediction.severity, [2, 2, 2])
    assert prediction.activation_map is not None
    assert prediction.activation_map.shape == (32, 32, 3)
