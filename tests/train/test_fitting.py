"""The fit of a network: what is trained, what is kept, and that a killed run ends as an uninterrupted one."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import read_bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.split import Split, write_split
from osteo_edge.train import training_copy
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.fitting import Fit, FitOptions, cross_entropy, fit, predict_logits
from osteo_edge.train.keeping import CHECKPOINT
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, build
from osteo_edge.train.prepared import prepare

pytestmark = pytest.mark.tf

SMALL = TrainConfig(backbone="custom_cnn", weights="none", side_px=64, epochs=3, batch_size=8)
SPEC = input_spec(SMALL)


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


@pytest.fixture(scope="module")
def part(phantoms: Dataset) -> Labelled:
    return Labelled.of(prepare(phantoms.cases[::2], SPEC), SMALL.labels)


def _fit(
    part: Labelled, config: TrainConfig = SMALL, options: FitOptions | None = None, show: Advance = _silent
) -> tuple[Network, Fit]:
    network = build(config, SPEC)
    return network, fit(network, config, SPEC, part, part, on_progress=show, options=options)


def test_the_weights_that_stay_are_those_of_the_best_epoch(part: Labelled) -> None:
    network, fitted = _fit(part, replace(SMALL, learning_rate=0.02, schedule="constant", epochs=4))
    assert len(fitted.validation_losses) == len(fitted.epochs) == 4
    assert cross_entropy(network, SPEC, part) == pytest.approx(min(fitted.validation_losses), rel=1e-6)
    assert fitted.best_epoch == 1 + int(np.argmin(fitted.validation_losses))


def test_predictions_are_read_in_batches_and_do_not_depend_on_them(part: Labelled) -> None:
    network = build(SMALL, SPEC)
    whole, pieces = (predict_logits(network.model, part, SPEC, batch_size=size) for size in (99, 4))
    assert whole.shape == (len(part), 3)
    np.testing.assert_allclose(whole, pieces, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("feature_cache")
def test_no_trainable_layers_fit_the_head_alone(part: Labelled) -> None:
    config = replace(SMALL, trainable_layers=0)
    before = build(config, SPEC)
    network, fitted = _fit(part, config)
    for weight, same in zip(network.backbone.get_weights(), before.backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)
    assert not np.array_equal(network.model.get_weights()[-2], before.model.get_weights()[-2])
    assert fitted.epochs == ()
    assert fitted.head is not None
    assert fitted.head.seconds > 0
    assert fitted.head.features_per_second is None
    assert fitted.validation_losses == pytest.approx([cross_entropy(network, SPEC, part)])


def test_only_the_last_layers_are_fitted_where_that_is_asked_for(part: Labelled) -> None:
    config = replace(SMALL, trainable_layers=3)
    before = build(config, SPEC)
    network, _ = _fit(part, config)
    moved = [
        not all(map(np.array_equal, layer.get_weights(), old.get_weights()))
        for layer, old in zip(network.backbone.layers, before.backbone.layers, strict=True)
    ]
    assert not any(moved[:-3])
    assert any(moved[-3:])


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "focal", "schedule": "plateau", "augmentation": "none", "dropout": 0.0},
        {"mixup": 0.1, "label_smoothing": 0.1, "augmentation": "none", "schedule": "constant", "dropout": 0.0},
    ],
    ids=["focal", "mixup"],
)
def test_every_way_to_fit_lets_the_loss_fall(part: Labelled, changes: dict[str, object]) -> None:
    _, fitted = _fit(part, replace(SMALL, patience=99, epochs=10, **changes))  # type: ignore[arg-type]
    losses = [epoch.training_loss for epoch in fitted.epochs]
    assert np.mean(losses[-3:]) < 0.8 * losses[0]


def test_mixed_precision_leaves_float32_weights(part: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor computes float16, too, only slowly; so the way there can be walked without a GPU."""
    monkeypatch.setattr(training_copy, "computes_in_float16", lambda config: config.mixed_precision)
    network, fitted = _fit(part, replace(SMALL, mixed_precision=True, epochs=2))
    assert {str(weight.dtype) for weight in network.model.get_weights()} == {"float32"}
    assert {layer.compute_dtype for layer in network.model.layers} == {"float32"}
    _, plain = _fit(part, replace(SMALL, epochs=2))
    found, expected = fitted.epochs[0].training_loss, plain.epochs[0].training_loss
    assert found != expected
    assert found == pytest.approx(expected, rel=0.05)


def test_without_a_gpu_mixed_precision_changes_nothing(part: Labelled) -> None:
    config = replace(SMALL, epochs=1)
    if training_copy.computes_in_float16(replace(config, mixed_precision=True)):
        pytest.skip("there is a GPU")
    _, fitted = _fit(part, replace(config, mixed_precision=True))
    assert fitted.validation_losses == _fit(part, config)[1].validation_losses


def test_a_rate_that_lets_it_diverge_is_named(part: Labelled, tmp_path: Path) -> None:
    config = replace(SMALL, learning_rate=1e38, schedule="constant", epochs=2)
    with pytest.raises(OsteoEdgeError, match="training diverged"):
        _fit(part, config, FitOptions(checkpoints=tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_no_epoch_from_scratch_is_nothing_to_fit_and_no_divergence(part: Labelled) -> None:
    with pytest.raises(OsteoEdgeError, match="0 epochs from scratch fit nothing; ask for at least 1"):
        _fit(part, replace(SMALL, epochs=0))


def test_a_run_that_broke_off_goes_on_as_if_it_had_not(part: Labelled, tmp_path: Path) -> None:
    def break_off(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        if done == 4:
            raise RuntimeError("killed")

    options = FitOptions(checkpoints=tmp_path / "run")
    with pytest.raises(RuntimeError, match="killed"):
        _fit(part, options=options, show=break_off)
    assert (tmp_path / "run" / CHECKPOINT).is_file()
    resumed, fitted = _fit(part, options=options)
    whole, expected = _fit(part)
    assert fitted == expected
    assert fitted.resumed_after == 1
    for weight, same in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, same)


def test_a_checkpoint_of_other_settings_is_not_gone_on_with(part: Labelled, tmp_path: Path) -> None:
    options = FitOptions(checkpoints=tmp_path / "run")
    _fit(part, replace(SMALL, epochs=1), options)
    with pytest.raises(OsteoEdgeError, match="other settings or images"):
        _fit(part, replace(SMALL, epochs=1, mixup=0.2), options)


@pytest.mark.slow
def test_a_killed_command_given_again_ends_as_one_that_was_not(
    phantoms: Dataset, phantom_split: Split, tmp_path: Path
) -> None:
    write_split(phantom_split, tmp_path / "split.csv")
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(_command(phantoms, tmp_path, killed), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "epoch 2" in line:
                break
        while not (tmp_path / "killed.partial-training" / CHECKPOINT).is_file():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not killed.exists()
    for out in (killed, whole):
        done = subprocess.run(_command(phantoms, tmp_path, out), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("Went on after epoch" in done.stderr) == (out == killed)
    first, second = (read_bundle(out).manifest for out in (killed, whole))
    assert first.parent.recipe["validation_losses"] == second.parent.recipe["validation_losses"]
    assert (first.calibration, first.decision, first.metrics) == (second.calibration, second.decision, second.metrics)
    assert not (tmp_path / "killed.partial-training").exists()


def _command(phantoms: Dataset, folder: Path, out: Path) -> list[str]:
    words = ["train", str(phantoms.root), "--split", str(folder / "split.csv"), "--out", str(out), "-v"]
    options = ["--recipe", "custom-cnn", "--side", "64", "--epochs", "5", "--batch-size", "8"]
    return [sys.executable, "-m", "osteo_edge", *words, *options]
