"""A trained bundle becomes a smaller one that is converted and screens."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.cli import run
from osteo_edge.dataset import Dataset
from osteo_edge.samples import CALIBRATION, PARITY, read_samples
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.continuing import training_config
from osteo_edge.train.keras_bundle import load_model
from osteo_edge.train.prune_command import prune
from osteo_edge.train.pruning import share_of_zeros


@pytest.fixture(scope="module")
def narrow(
    tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    """Half of its channels, distilled."""
    return _pruned(tiny_bundle, phantoms, split_file, tmp_path_factory.mktemp("narrow") / "half", "--distill")


def _prune(source: Path, data: Path, split_file: Path, out: Path, *options: str) -> Result:
    words = [str(source), str(data), "--split", str(split_file), "--out", str(out), "--epochs", "1", *options]
    return CliRunner().invoke(prune, words)


def _pruned(source: Bundle, data: Dataset, split_file: Path, out: Path, *options: str) -> Bundle:
    result = _prune(source.path, data.root, split_file, out, *options)
    assert result.exception is None, result.output
    assert f"Written: {out}" in result.output
    return read_bundle(out)


@pytest.mark.tf
def test_half_the_channels_make_a_smaller_network_in_bytes_parameters_and_work(
    tiny_bundle: Bundle, narrow: Bundle
) -> None:
    before, after = tiny_bundle.manifest.model, narrow.manifest.model
    assert after.parameters < 0.7 * before.parameters
    assert after.macs < 0.7 * before.macs
    assert narrow.model_path.stat().st_size < 0.8 * tiny_bundle.model_path.stat().st_size
    reached = narrow.manifest.parent.recipe["prune"]["reached"]
    assert reached["share_of_channels"] == pytest.approx(0.5, abs=0.06)
    assert (reached["macs_before"], reached["macs_after"]) == (before.macs, after.macs)
    assert (reached["parameters_before"], reached["parameters_after"]) == (before.parameters, after.parameters)


@pytest.mark.tf
def test_the_bundle_says_what_it_was_made_from_and_what_was_chosen_again(
    tiny_bundle: Bundle, tiny_config: TrainConfig, narrow: Bundle
) -> None:
    manifest, old = narrow.manifest, tiny_bundle.manifest
    assert manifest.parent.sha256 == old.model.sha256
    assert manifest.parent.recipe["parent"] == old.parent.recipe
    recipe = manifest.parent.recipe["prune"]
    assert (recipe["method"], recipe["amount"], recipe["epochs"]) == ("channel", 0.5, 1)
    assert (recipe["of"], recipe["criterion"]) == ("channels", "taylor")
    assert recipe["distillation"] == {"weight": 0.5, "temperature": 4.0}
    assert manifest.decision.chosen_on == manifest.calibration.fitted_on == "validation"
    assert manifest.calibration != old.calibration
    assert manifest.metrics.keys() == old.metrics.keys()
    assert (manifest.data, manifest.input, manifest.labels) == (old.data, old.input, old.labels)
    assert manifest.intended_use.startswith("DEMONSTRATION ONLY")
    assert training_config(narrow) == tiny_config
    for use in (CALIBRATION, PARITY):
        np.testing.assert_array_equal(read_samples(narrow, use), read_samples(tiny_bundle, use))


@pytest.mark.tf
@pytest.mark.slow
def test_it_converts_to_int8_and_screens(
    narrow: Bundle, tiny_bundle: Bundle, phantoms: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = []
    for bundle, name in ((narrow, "narrow"), (tiny_bundle, "tiny")):
        assert run(["convert", str(bundle.path), "--precision", "int8", "--plain", "--out", str(tmp_path / name)]) == 0
        sizes.append(read_bundle(tmp_path / name).model_path.stat().st_size)
    assert sizes[0] < 0.85 * sizes[1]
    converted = read_bundle(tmp_path / "narrow").manifest
    assert converted.parent.recipe["parent"]["prune"]["method"] == "channel"
    capsys.readouterr()
    assert run(["screen", str(tmp_path / "narrow"), str(phantoms.cases[0].path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["l1", "bn-scale"])
def test_half_of_the_work_goes_by_any_criterion(
    criterion: str, tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    options = ("--of", "macs", "--criterion", criterion)
    half = _pruned(tiny_bundle, phantoms, split_file, tmp_path / "half", *options).manifest
    assert half.model.macs == pytest.approx(0.5 * tiny_bundle.manifest.model.macs, rel=0.05)
    recipe = half.parent.recipe["prune"]
    assert (recipe["of"], recipe["criterion"]) == ("macs", criterion)
    assert recipe["reached"]["share_of_macs"] == pytest.approx(0.5, abs=0.025)


@pytest.mark.tf
@pytest.mark.slow
def test_zeros_two_of_four_hold_in_the_float_file(
    tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    from ai_edge_litert.interpreter import Interpreter

    out = tmp_path / "sparse"
    sparse = _pruned(tiny_bundle, phantoms, split_file, out, "--method", "2:4")
    assert "criterion" not in sparse.manifest.parent.recipe["prune"]
    assert sparse.manifest.parent.recipe["prune"]["reached"]["zeros"] == pytest.approx(0.5, abs=0.001)
    assert run(["convert", str(out), "--precision", "float32", "--out", str(tmp_path / "float")]) == 0
    interpreter = Interpreter(str(read_bundle(tmp_path / "float").model_path))
    interpreter.allocate_tensors()
    kernels = [
        interpreter.get_tensor(detail["index"])
        for detail in interpreter.get_tensor_details()
        if len(detail["shape"]) == 4 and tuple(detail["shape"][1:3]) == (1, 1) and detail["shape"][3] % 4 == 0
    ]
    sparse_kernels = [kernel for kernel in kernels if kernel.shape[0] > 3 and (kernel == 0).any()]
    assert len(sparse_kernels) >= 33
    for kernel in sparse_kernels:
        assert np.all((kernel.reshape(-1, 4) == 0).sum(axis=1) >= 2)


@pytest.mark.tf
@pytest.mark.slow
def test_magnitude_pruning_of_a_pruned_bundle_keeps_its_width(
    narrow: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    again = _pruned(narrow, phantoms, split_file, tmp_path / "both", "--method", "magnitude", "--amount", "0.75")
    assert again.manifest.model.parameters == narrow.manifest.model.parameters
    assert share_of_zeros(load_model(again)) == pytest.approx(0.75, abs=0.01)
    assert again.manifest.parent.recipe["parent"]["prune"]["method"] == "channel"


@pytest.mark.tf
@pytest.mark.slow
def test_batch_normalization_follows_the_network_even_where_training_had_frozen_it(
    tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    recipe = dict(tiny_bundle.manifest.parent.recipe)
    recipe["train"] = {**recipe["train"], "weights": "given.h5", "freeze_batch_norm": True}
    manifest = replace(tiny_bundle.manifest, parent=replace(tiny_bundle.manifest.parent, recipe=recipe))
    files = {name: (tiny_bundle.path / name).read_bytes() for name in ("model.keras", "samples.npz", "split.csv")}
    frozen = write_bundle(tmp_path / "frozen", manifest, files)
    sparse = _pruned(frozen, phantoms, split_file, tmp_path / "sparse", "--method", "magnitude")
    before, after = load_model(frozen), load_model(sparse)
    norm = next(layer.name for layer in before.layers if type(layer).__name__ == "BatchNormalization")
    for old, new in zip(before.get_layer(norm).get_weights(), after.get_layer(norm).get_weights(), strict=True):
        assert not np.array_equal(old, new)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--amount", "1"), "is not in the range 0<x<1"),
        (("--amount", "0"), "is not in the range 0<x<1"),
        (("--method", "random"), "is not one of"),
        (("--method", "2:4", "--amount", "0.7"), "2:4 makes half of the weights zero"),
        (("--clusters", "8"), "means nothing to --method channel"),
        (("--method", "magnitude", "--of", "macs"), "--of: means nothing to --method magnitude"),
        (("--method", "cluster", "--criterion", "l1"), "--criterion: means nothing to --method cluster"),
        (("--criterion", "random"), "is not one of 'taylor', 'l1', 'bn-scale'"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = _prune(tmp_path, tmp_path, tmp_path, tmp_path / "out", *options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
