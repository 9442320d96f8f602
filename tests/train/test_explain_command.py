"""The explain command: what it says, what it writes, what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest, Outputs
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.explain_command import explain
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.keras_bundle import MODEL_FILE, model_bytes, model_file
from osteo_edge.train.models import MAP_LAYER

TITLES = ("Activation map", "Grad-CAM", "Integrated gradients")


@pytest.fixture
def keras_bundle(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A network of one convolution, under the golden manifest."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(0)
    images = keras.Input((64, 64, 3))
    features = keras.layers.Conv2D(8, 9, 8, activation="relu", name="first")(images)
    activation_map = keras.layers.Conv2D(3, 1, name=MAP_LAYER)(features)
    model = keras.Model(images, [keras.layers.GlobalAveragePooling2D()(activation_map), activation_map])
    data = model_bytes(model)
    described = replace(
        manifest, model=model_file(model, data), input=InputSpec(64, 64), outputs=Outputs(logits=0, activation_map=1)
    )
    return write_bundle(tmp_path / "keras", described, {MODEL_FILE: data})


def run(*words: object) -> Result:
    return CliRunner().invoke(explain, [str(word) for word in words])


@pytest.mark.tf
def test_the_picture_and_what_is_said_of_it(keras_bundle: Bundle, film: Path, tmp_path: Path) -> None:
    done = run(keras_bundle.path, film, "--out", tmp_path / "new" / "out.png", "--label", "osteopenia")
    assert done.exit_code == 0, done.output
    for title in TITLES:
        assert f"{title}: " in done.stdout
    assert done.stdout.count("Limit: ") == 3
    assert "logit of osteopenia" in done.stdout
    assert keras_bundle.manifest.intended_use in done.stdout
    assert re.search(r"with Grad-CAM before its ReLU: 1\.000", done.stdout)
    assert re.search(r"residual -?\d", done.stdout)
    assert not re.search("normal|healthy|clear", done.stdout.replace(str(tmp_path), ""), re.IGNORECASE)
    picture = cv2.imread(str(tmp_path / "new" / "out.png"))
    assert picture is not None
    assert picture.shape[1] >= 4 * 340
    columns = np.split(picture[100:400, : picture.shape[1] // 4 * 4].astype(int), 4, axis=1)
    assert np.ptp(columns[0], axis=-1).max() < np.ptp(columns[3], axis=-1).max(), "the film has no colour, the map has"


@pytest.mark.tf
def test_json_has_the_figures_and_the_check(keras_bundle: Bundle, film: Path, tmp_path: Path) -> None:
    done = run(keras_bundle.path, film, "--out", tmp_path / "out.png", "--json", "--check")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["label"] in keras_bundle.manifest.decision.positive_labels
    assert told["rank_correlation_with_grad_cam"] == pytest.approx(1)
    assert told["integrated_gradients"]["complete"] is True
    assert told["rejections"] == []
    assert told["intended_use"] == keras_bundle.manifest.intended_use
    assert [stage["down_to"] for stage in told["randomization"]] == [MAP_LAYER, "first"]
    assert Path(told["picture"]).is_file()


@pytest.mark.tf
def test_the_check_is_a_table(keras_bundle: Bundle, film: Path, tmp_path: Path) -> None:
    done = run(keras_bundle.path, film, "--out", tmp_path / "out.png", "--check")
    assert done.exit_code == 0, done.output
    assert "Adebayo et al. 2018" in done.stdout
    assert MAP_LAYER in done.stdout


@pytest.mark.tf
def test_a_rejected_image_is_explained_with_a_warning(keras_bundle: Bundle, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "tiny.png"), np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    done = run(keras_bundle.path, tmp_path / "tiny.png", "--out", tmp_path / "out.png")
    assert done.exit_code == 0, done.output
    assert "would be rejected and not screened: too small" in done.stderr


@pytest.mark.tf
def test_the_reference_label_is_refused(keras_bundle: Bundle, film: Path, tmp_path: Path) -> None:
    done = run(keras_bundle.path, film, "--out", tmp_path / "out.png", "--label", "normal")
    assert isinstance(done.exception, OsteoEdgeError)
    assert "not a positive label" in str(done.exception)
    assert not (tmp_path / "out.png").exists()


def test_a_tflite_bundle_is_one_line(bundle: Bundle, film: Path, tmp_path: Path) -> None:
    done = run(bundle.path, film, "--out", tmp_path / "out.png")
    assert isinstance(done.exception, OsteoEdgeError)
    assert str(done.exception).startswith(f"{bundle.path}: tflite has no gradients")


def test_help_has_an_example() -> None:
    assert isinstance(explain, click.Command)
    assert "osteo-edge explain " in run("--help").stdout
