import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.benchmarks.cascades.folders import as_tflite, network_of, read_cascades, training_seconds
from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Outputs, Parent
from osteo_edge.samples import CALIBRATION, PARITY, SAMPLES_FILE, pack_samples
from tests.benchmarks.cascades.cascade_bundles import BONES, decision, recipe, write_cascades

Write = Callable[..., Bundle]


def test_both_ways_are_read_by_their_folders(golden_bundle: Write, tmp_path: Path) -> None:
    shared, separate = write_cascades(golden_bundle, tmp_path)
    found = read_cascades(shared, separate, separate / "hand")
    assert found.shared.path == shared
    assert list(found.separate) == ["router", *BONES]
    assert found.heads["elbow"].path == separate / "elbow"
    assert found.single is not None


def test_a_model_of_one_bone_is_no_cascade(golden_bundle: Write, tmp_path: Path) -> None:
    _, separate = write_cascades(golden_bundle, tmp_path)
    with pytest.raises(BundleError, match=r"elbow: answers for one bone only; name the bundle of --recipe cascade-sh"):
        read_cascades(separate / "elbow", separate)


def test_a_missing_model_is_named(golden_bundle: Write, tmp_path: Path) -> None:
    shared, separate = write_cascades(golden_bundle, tmp_path)
    shutil.rmtree(separate / "hand")
    with pytest.raises(BundleError, match="separate: has no bundle hand; name the folder of --recipe cascade-separate"):
        read_cascades(shared, separate)


def test_a_router_of_other_bones_is_refused(golden_bundle: Write, tmp_path: Path) -> None:
    shared, separate = write_cascades(golden_bundle, tmp_path)
    shutil.rmtree(separate / "router")
    golden_bundle("separate/router", labels=("elbow", "wrist"), decision=decision("wrist"))
    with pytest.raises(BundleError, match=r"router: tells elbow, wrist apart and .*shared knows elbow, hand"):
        read_cascades(shared, separate)


def test_a_single_model_of_another_network_is_refused(golden_bundle: Write, tmp_path: Path) -> None:
    shared, separate = write_cascades(golden_bundle, tmp_path)
    other = golden_bundle("other", parent=Parent("a" * 64, recipe(1.0, "efficientnet_b0")))
    with pytest.raises(BundleError, match=r"other: is of EfficientNet-B0, and .* of MobileNetV2 1\.0; time a single"):
        read_cascades(shared, separate, other.path)
    assert network_of([other, read_cascades(shared, separate).router]) == "EfficientNet-B0 and MobileNetV2 1.0"


@pytest.mark.parametrize(
    ("made_by", "found"),
    [
        (recipe(7.5), {"read": 1.0, "head": 0.0, "fit": 7.5}),
        ({"prune": {"amount": 0.5}, "parent": recipe(7.5)}, {"read": 1.0, "head": 0.0, "fit": 7.5}),
        (recipe(None), None),
        ({}, None),
    ],
)
def test_the_time_of_the_training_is_found_whatever_was_done_since(
    made_by: dict[str, Any], found: dict[str, float] | None, bundle: Bundle
) -> None:
    manifest = replace(bundle.manifest, parent=Parent(None, made_by))
    assert training_seconds(Bundle(bundle.path, manifest)) == found


def test_a_tflite_bundle_is_asked_as_it_is(bundle: Bundle, tmp_path: Path) -> None:
    assert as_tflite(bundle, tmp_path) is bundle


def real_keras_bundle(folder: Path, manifest: Manifest) -> Bundle:
    """A bundle of a network that Keras wrote, with the films that a conversion asks."""
    from osteo_edge.train.keras import load_tensorflow
    from osteo_edge.train.keras_bundle import MODEL_FILE, model_bytes, model_file

    _, keras = load_tensorflow()
    spec = manifest.input
    image = keras.Input((spec.height, spec.width, spec.channels))
    activation_map = keras.layers.Conv2D(len(manifest.labels), 4, strides=4)(image)
    model = keras.Model(image, [keras.layers.GlobalAveragePooling2D()(activation_map), activation_map])
    data, planes = model_bytes(model), np.random.default_rng(0).random((4, spec.height, spec.width), np.float32)
    described = replace(
        manifest, model=model_file(model, data), outputs=Outputs(logits=0, activation_map=1), parity=None
    )
    files = {MODEL_FILE: data, SAMPLES_FILE: pack_samples({CALIBRATION: planes, PARITY: planes})}
    return write_bundle(folder, described, files)


@pytest.mark.tf
@pytest.mark.slow
def test_a_keras_bundle_is_asked_as_float32_tflite_which_is_made_once(manifest: Manifest, tmp_path: Path) -> None:
    bundle, folder = real_keras_bundle(tmp_path / "keras", manifest), tmp_path / "converted"
    folder.mkdir()
    found = as_tflite(bundle, folder)
    assert (found.manifest.model.format, found.manifest.model.precision) == ("tflite", "float32")
    assert found.path.parent == folder
    assert as_tflite(bundle, folder).path == found.path


@pytest.mark.tf
@pytest.mark.slow
def test_a_keras_bundle_that_cannot_be_converted_is_named_with_the_reason(keras_bundle: Bundle, tmp_path: Path) -> None:
    keras_bundle.model_path.write_bytes(b"spoilt")
    with pytest.raises(BundleError, match="golden-keras: cannot be converted: "):
        as_tflite(keras_bundle, tmp_path / "converted")
