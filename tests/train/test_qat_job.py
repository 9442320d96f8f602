"""A trained bundle becomes one that is fit for int8: plain, with its ranges, and no less compressed than it was."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge.activation_ranges import read_ranges
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.cli import run
from osteo_edge.dataset import Dataset
from osteo_edge.samples import CALIBRATION, PARITY, read_samples
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.continuing import training_config
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.pruning import is_compressed, share_of_zeros
from osteo_edge.train.qat_command import doubt_of, qat
from osteo_edge.train.qat_job import Losses, kept_of


@pytest.fixture(scope="module")
def aware(tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """One epoch, distilled."""
    out = tmp_path_factory.mktemp("aware") / "aware"
    result = _qat(tiny_bundle.path, phantoms.root, split_file, out, "--distill")
    assert result.exception is None, result.output
    assert f"Next: osteo-edge convert {out} --precision int8" in result.output
    assert "merely rounded to int8" in result.output
    return read_bundle(out)


def _qat(source: Path, data: Path, split_file: Path, out: Path, *options: str) -> Result:
    words = [str(source), str(data), "--split", str(split_file), "--out", str(out), "--epochs", "1", *options]
    return CliRunner().invoke(qat, words)


@pytest.mark.tf
def test_the_bundle_holds_a_plain_network_and_the_ranges_of_its_layers(tiny_bundle: Bundle, aware: Bundle) -> None:
    model, before = load_model(aware), load_model(tiny_bundle)
    assert [layer.name for layer in model.layers] == [layer.name for layer in before.layers]
    assert [type(layer) for layer in model.layers] == [type(layer) for layer in before.layers]
    assert any(np.any(new != old) for new, old in zip(model.get_weights(), before.get_weights(), strict=True))
    found = read_ranges(aware)
    assert found is not None
    assert set(found.ranges) < {layer.name for layer in model.layers}
    assert {"Conv1_relu", "block_16_project_BN", "block_2_add", "activation_map", "logits"} <= set(found.ranges)
    assert all(low <= 0.0 < high for low, high in found.ranges.values())
    assert read_ranges(tiny_bundle) is None


@pytest.mark.tf
def test_the_bundle_says_what_it_was_made_from_and_what_was_gained(
    tiny_bundle: Bundle, tiny_config: TrainConfig, aware: Bundle
) -> None:
    manifest, old = aware.manifest, tiny_bundle.manifest
    assert manifest.parent.sha256 == old.model.sha256
    assert manifest.parent.recipe["parent"] == old.parent.recipe
    recipe = manifest.parent.recipe["qat"]
    assert (recipe["epochs"], recipe["distill"], recipe["kept"]) == (1, True, {})
    assert recipe["distillation"] == {"weight": 0.5, "temperature": 4.0}
    assert recipe["losses"].keys() == {"source", "plain_rounding", "trained"}
    assert recipe["losses"]["trained"] == recipe["validation_losses"][0]
    assert manifest.decision.chosen_on == manifest.calibration.fitted_on == "validation"
    assert manifest.metrics.keys() == old.metrics.keys()
    assert (manifest.data, manifest.input, manifest.labels) == (old.data, old.input, old.labels)
    assert (manifest.model.parameters, manifest.model.macs) == (old.model.parameters, old.model.macs)
    assert training_config(aware) == tiny_config
    for use in (CALIBRATION, PARITY):
        np.testing.assert_array_equal(read_samples(aware, use), read_samples(tiny_bundle, use))


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (Losses(0.149, plain_rounding=0.301, trained=0.254), "the network is worse than knee in float"),
        (Losses(0.149, plain_rounding=0.150, trained=0.151), "the network is worse than knee in float"),
        (Losses(0.149, plain_rounding=0.140, trained=0.145), "the network is no better than rounding alone"),
        (Losses(0.149, plain_rounding=0.301, trained=float("inf")), "the network is worse than knee in float"),
    ],
)
def test_where_training_may_have_been_for_nothing_conversion_alone_is_to_be_tried(losses: Losses, words: str) -> None:
    doubt = doubt_of(losses, Path("knee"))
    assert doubt is not None
    assert doubt.startswith(words)
    assert "osteo-edge convert knee --precision int8 --out knee-int8" in doubt
    assert "osteo-edge compare" in doubt


def test_a_network_that_training_made_better_is_no_reason_for_doubt() -> None:
    assert doubt_of(Losses(0.149, plain_rounding=0.301, trained=0.149), Path("knee")) is None


@pytest.mark.tf
@pytest.mark.slow
def test_it_converts_to_int8(aware: Bundle, tmp_path: Path) -> None:
    run(["convert", str(aware.path), "--precision", "int8", "--out", str(tmp_path / "int8")])
    converted = read_bundle(tmp_path / "int8").manifest
    assert converted.model.precision == "int8"
    assert converted.parent.recipe["parent"]["qat"]["epochs"] == 1
    assert converted.parity is not None
    assert converted.parity.mean_difference < 0.05


@pytest.mark.tf
@pytest.mark.slow
def test_the_zeros_of_a_pruned_bundle_are_kept(
    tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    words = [str(tiny_bundle.path), str(phantoms.root), "--split", str(split_file), "--epochs", "1"]
    assert run(["prune", *words, "--method", "2:4", "--out", str(tmp_path / "sparse")]) == 0
    source = read_bundle(tmp_path / "sparse")
    result = _qat(source.path, phantoms.root, split_file, tmp_path / "aware", "--json")
    assert result.exception is None, result.output
    shown = json.loads(result.stdout)
    assert shown["kept"]["zeros"] >= 0.5
    assert shown["losses"].keys() == {"source", "plain_rounding", "trained"}
    before, after = load_model(source), load_model(read_bundle(tmp_path / "aware"))
    assert share_of_zeros(after) >= share_of_zeros(before) == pytest.approx(0.5, abs=0.001)
    for layer in filter(is_compressed, before.layers):
        assert np.all(after.get_layer(layer.name).kernel.numpy()[layer.kernel.numpy() == 0] == 0), layer.name


@pytest.mark.parametrize(
    ("recipe", "kept"),
    [
        ({"train": {}}, None),
        ({"prune": {"method": "cluster"}, "parent": {"train": {}}}, "shared values"),
        ({"qat": {}, "parent": {"prune": {"method": "magnitude"}, "parent": {"train": {}}}}, "zeros"),
        ({"prune": {"method": "channel"}, "parent": {"prune": {"method": "2:4"}}}, None),
    ],
)
def test_what_is_kept_is_what_the_last_pruning_was_for(
    bundle: Bundle, recipe: dict[str, object], kept: str | None
) -> None:
    parent = replace(bundle.manifest.parent, recipe=recipe)
    assert kept_of(replace(bundle, manifest=replace(bundle.manifest, parent=parent))) == kept
