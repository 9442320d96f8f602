"""The whole training job, small: drawn films in, Keras bundle out."""

import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import read_bundle
from osteo_edge.dataset import Dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.preprocessing import InputSpec, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.samples import CALIBRATION, PARITY, read_samples
from osteo_edge.split import Split, write_split
from osteo_edge.strict import to_dict
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.features import frozen_features
from osteo_edge.train.keras_bundle import KerasInterpreter
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import build
from osteo_edge.train.prepared import prepare
from osteo_edge.train.recipes.presets import PRESETS
from osteo_edge.train.training import Job, Trained, train_bundle

pytestmark = pytest.mark.tf

TINY = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, epochs=2)


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


def _train(phantoms: Dataset, split: Split, out: Path, config: TrainConfig = TINY) -> Trained:
    return train_bundle(Job(phantoms, split, config, "tiny", "phantom"), out, on_progress=_silent)


@pytest.fixture(scope="module")
def trained(phantoms: Dataset, phantom_split: Split, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return _train(phantoms, phantom_split, tmp_path_factory.mktemp("train") / "tiny")


def test_the_bundle_verifies_and_says_what_it_was_made_of(
    trained: Trained, phantom_split: Split, tmp_path: Path
) -> None:
    manifest = read_bundle(trained.bundle.path).manifest
    assert manifest == trained.bundle.manifest
    assert manifest.intended_use.startswith("DEMONSTRATION ONLY")
    assert manifest.data.counts["train"] == phantom_split.counts("train")
    assert manifest.parent.recipe["train"]["backbone"] == "custom_cnn"
    write_split(phantom_split, tmp_path / "split.csv")
    assert (trained.bundle.path / "split.csv").read_bytes() == (tmp_path / "split.csv").read_bytes()


def test_the_bundle_records_recipe_machine_and_time(trained: Trained) -> None:
    recipe = trained.bundle.manifest.parent.recipe
    assert recipe["recipe"] == {"name": "fine-tuned", "source": PRESETS["fine-tuned"].source}
    assert recipe["learning_rate"] == 2e-3
    assert recipe["validation_losses"] == pytest.approx(trained.fit.validation_losses, abs=1e-6)
    assert len(recipe["training_losses"]) == len(recipe["validation_losses"]) == 2
    assert recipe["environment"]["tensorflow"].startswith("2.")
    assert recipe["environment"]["strategy"] == "none"
    timing = recipe["timing"]
    assert timing["seconds"]["read"] > 0
    assert timing["seconds"]["head"] is None
    assert timing["seconds"]["fit"] == pytest.approx(sum(timing["epoch_seconds"]), abs=1e-3)
    assert timing["images"]["train"] == sum(trained.bundle.manifest.data.counts["train"].values())
    assert all(0 <= share <= 1 for share in timing["waiting_share"])


def test_every_metric_carries_its_interval_and_n_on_validation_and_test(trained: Trained) -> None:
    metrics = trained.bundle.manifest.metrics
    assert {metric.part for metric in metrics.values()} == {"validation", "test"}
    for part in ("validation", "test"):
        found = metrics[f"AUROC osteopenia or osteoporosis, {part}"]
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
        assert found.n == sum(trained.bundle.manifest.data.counts[part].values())


def test_threshold_and_temperature_do_not_depend_on_the_test_part(
    trained: Trained, phantoms: Dataset, phantom_split: Split, tmp_path: Path
) -> None:
    """The labels of the test part are turned round; nothing that was fitted may move."""
    turned = {"normal": "osteoporosis", "osteoporosis": "normal", "osteopenia": "osteopenia"}
    test_names = {row.name for row in phantom_split.rows if row.part == "test"}
    cases = tuple(
        replace(case, label=turned[case.label]) if case.name in test_names else case for case in phantoms.cases
    )
    rows = tuple(replace(row, label=turned[row.label]) if row.name in test_names else row for row in phantom_split.rows)
    other = _train(replace(phantoms, cases=cases), Split(rows), tmp_path / "turned")
    assert other.bundle.manifest.calibration == trained.bundle.manifest.calibration
    assert other.bundle.manifest.decision == trained.bundle.manifest.decision
    assert other.evaluations["test"].estimates != trained.evaluations["test"].estimates


def test_the_same_seed_gives_the_same_result(
    trained: Trained, phantoms: Dataset, phantom_split: Split, tmp_path: Path
) -> None:
    again = _train(phantoms, phantom_split, tmp_path / "again")
    assert again.fit == trained.fit
    assert again.bundle.manifest.metrics == trained.bundle.manifest.metrics
    other = _train(phantoms, phantom_split, tmp_path / "other", replace(TINY, seed=5))
    assert other.fit.validation_losses != trained.fit.validation_losses


def test_the_keras_bundle_answers_as_it_was_measured(trained: Trained, phantoms: Dataset) -> None:
    interpreter = KerasInterpreter(trained.bundle)
    tensor = to_tensor(read_radiograph(phantoms.cases[0].path).pixels, trained.bundle.manifest.input)
    prediction = interpreter.run(tensor)
    assert prediction.logits.shape == (3,)
    assert prediction.activation_map is not None
    np.testing.assert_allclose(prediction.activation_map.mean((0, 1)), prediction.logits, rtol=1e-4, atol=1e-5)


def test_samples_for_conversion_are_training_and_validation_images(
    trained: Trained, phantoms: Dataset, phantom_split: Split
) -> None:
    for use, part in ((CALIBRATION, "train"), (PARITY, "validation")):
        names = {row.name for row in phantom_split.rows if row.part == part}
        planes = prepare([case for case in phantoms.cases if case.name in names], trained.bundle.manifest.input).planes
        for sample in read_samples(trained.bundle, use):
            assert np.abs(planes - sample).max(axis=(1, 2)).min() < 1e-3


def test_an_existing_bundle_is_not_overwritten(trained: Trained, phantoms: Dataset, phantom_split: Split) -> None:
    with pytest.raises(BundleError, match="exists already"):
        _train(phantoms, phantom_split, trained.bundle.path)


def test_a_label_that_a_part_lacks_is_named(phantoms: Dataset, phantom_split: Split, tmp_path: Path) -> None:
    rows = tuple(row for row in phantom_split.rows if (row.part, row.label) != ("validation", "osteopenia"))
    with pytest.raises(DatasetError, match="the validation part of the split holds no osteopenia"):
        _train(phantoms, Split(rows), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_film_that_has_changed_since_the_split_is_refused(
    part: str, phantoms: Dataset, phantom_split: Split, tmp_path: Path
) -> None:
    """A film of the test part under the name of a training film would be learned from and measured on."""
    root = tmp_path / "films"
    shutil.copytree(phantoms.root, root)
    films = replace(phantoms, root=root, cases=tuple(replace(case, path=root / case.name) for case in phantoms.cases))
    name = next(row.name for row in phantom_split.rows if row.part == part)
    other = next(row.name for row in phantom_split.rows if row.part != part)
    shutil.copyfile(root / other, root / name)
    with pytest.raises(DatasetError, match=f"1 of [0-9]+ {part} images have changed since the split .* {name}; "):
        _train(films, phantom_split, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("feature_cache")
def test_two_labels_are_enough_with_a_frozen_backbone(phantoms: Dataset, phantom_split: Split, tmp_path: Path) -> None:
    weights = tmp_path / "weights.h5"
    build(TINY, _spec()).backbone.save_weights(weights)
    config = replace(TINY, labels=("normal", "osteoporosis"), weights=str(weights), epochs=1)
    made = _train(phantoms, phantom_split, tmp_path / "two", config)
    assert made.bundle.manifest.labels == ("normal", "osteoporosis")
    assert made.bundle.manifest.decision.positive_labels == ("osteoporosis",)
    assert made.bundle.manifest.parent.sha256 is not None
    assert len(made.fit.validation_losses) == 2


def test_features_are_computed_once_for_each_image(phantoms: Dataset, feature_cache: Path) -> None:
    network = build(TINY, _spec())
    prepared = Labelled.of(prepare(phantoms.cases[:5], _spec()), TINY.labels)
    computed: list[int] = []
    first = frozen_features(network, prepared, _spec(), on_progress=lambda done, total: computed.append(total))
    again = frozen_features(network, prepared, _spec(), on_progress=lambda done, total: computed.append(total))
    assert computed == [5]
    np.testing.assert_array_equal(first, again)
    other = build(replace(TINY, seed=9), _spec())
    assert not np.array_equal(frozen_features(other, prepared, _spec()), first)
    assert len(list(feature_cache.rglob("*.npy"))) == 10
    assert not list(feature_cache.rglob("*.partial"))


@pytest.mark.usefixtures("feature_cache")
def test_an_altered_film_does_not_get_the_features_of_the_one_before(phantoms: Dataset) -> None:
    network, films = build(TINY, _spec()), prepare(phantoms.cases[:2], _spec())
    first = frozen_features(network, Labelled.of(films, TINY.labels), _spec())
    altered = replace(films, planes=films.planes[[1, 1]], sha256s=("f" * 64, films.sha256s[1]))
    again = frozen_features(network, Labelled.of(altered, TINY.labels), _spec())
    scale = first.max()
    assert np.abs(first[0] - first[1]).max() > 0.01 * scale
    np.testing.assert_allclose(again / scale, first[[1, 1]] / scale, atol=1e-4)


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far(phantoms: Dataset, phantom_split: Split, tmp_path: Path) -> None:
    write_split(phantom_split, tmp_path / "split.csv")
    out = tmp_path / "kept"
    words = ["train", str(phantoms.root), "--split", str(tmp_path / "split.csv"), "--out", str(out), "-v"]
    options = ["--recipe", "fine-tuned", "--weights", "none", "--alpha", "0.35", "--epochs", "1000"]
    command = [sys.executable, "-m", "osteo_edge", *words, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 2" in line:
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "kept the best so far" in output
    assert read_bundle(out).manifest.parent.recipe["interrupted"] is True


@pytest.mark.slow
def test_ctrl_c_before_there_is_anything_leaves_nothing(phantoms: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "none"
    words = ["train", str(phantoms.root), "--out", str(out), "--recipe", "fine-tuned", "--weights", "none", "-v"]
    command = [sys.executable, "-m", "osteo_edge", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "30 images" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "osteo-edge: interrupted; nothing half-written was left behind"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_network_with_severity_writes_a_bundle_with_grades(
    phantoms: Dataset, phantom_split: Split, tmp_path: Path
) -> None:
    config = TrainConfig(backbone="alexnet", weights="none", side_px=64, trainable_layers=0, severity=True)
    made = _train(phantoms, phantom_split, tmp_path / "graded", config)
    assert made.bundle.manifest.outputs.severity == 2
    assert set(made.bundle.manifest.parent.recipe["severity"]["training_images"]) == {"low", "medium", "high"}
    prediction = KerasInterpreter(read_bundle(made.bundle.path)).run(np.zeros((1, 64, 64, 3), np.float32))
    assert prediction.severity is not None
    assert prediction.severity.shape == (3,)


def _spec() -> InputSpec:
    return input_spec(TINY)


def test_the_configuration_is_recorded_whole(trained: Trained) -> None:
    recorded = trained.bundle.manifest.parent.recipe["train"]
    assert recorded == to_dict(TINY)
