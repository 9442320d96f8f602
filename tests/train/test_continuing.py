"""What pruning and quantization-aware training share: what they go on from, and what they refuse to go on from."""

import shutil
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.split import read_split, select
from osteo_edge.train.prune_command import prune
from osteo_edge.train.qat_command import qat

both = pytest.mark.parametrize("command", [prune, qat], ids=["prune", "qat"])


def invoke(command: click.Command, source: Path, data: Path, split_file: Path, out: Path, *options: str) -> Result:
    words = [str(source), str(data), "--split", str(split_file), "--out", str(out), "--epochs", "1", *options]
    return CliRunner().invoke(command, words)


@both
def test_a_bundle_that_was_converted_is_refused(command: click.Command, bundle: Bundle, tmp_path: Path) -> None:
    result = invoke(command, bundle.path, tmp_path, tmp_path / "split.csv", tmp_path / "out")
    assert isinstance(result.exception, BundleError)
    assert "not a Keras bundle" in str(result.exception)


@both
@pytest.mark.tf
def test_another_split_is_refused(
    command: click.Command, tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(split_file.read_text().replace("\r", "") + "\n")
    result = invoke(command, tiny_bundle.path, phantoms.root, other, tmp_path / "out")
    assert isinstance(result.exception, DatasetError)
    assert "not the split that" in str(result.exception)


@both
@pytest.mark.tf
def test_an_ensemble_is_refused(
    command: click.Command, tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, tmp_path: Path
) -> None:
    """No one network was trained."""
    manifest = replace(tiny_bundle.manifest, parent=replace(tiny_bundle.manifest.parent, recipe={"ensemble": []}))
    files = {name: (tiny_bundle.path / name).read_bytes() for name in ("model.keras", "samples.npz", "split.csv")}
    joined = write_bundle(tmp_path / "joined", manifest, files)
    result = invoke(command, joined.path, phantoms.root, split_file, tmp_path / "out")
    assert isinstance(result.exception, BundleError)
    assert "was not trained as one network" in str(result.exception)


@pytest.mark.tf
@pytest.mark.parametrize(("command", "options"), [(prune, ("--method", "magnitude")), (qat, ())], ids=["prune", "qat"])
def test_without_test_no_test_film_is_even_there(
    command: click.Command,
    options: tuple[str, ...],
    tiny_bundle: Bundle,
    phantoms: Dataset,
    split_file: Path,
    tmp_path: Path,
) -> None:
    copy = tmp_path / phantoms.root.name
    shutil.copytree(phantoms.root, copy)
    for case in select(read_dataset(copy), read_split(split_file), "test"):
        case.path.write_bytes(b"not to be read")
    out = tmp_path / "out"
    result = invoke(command, tiny_bundle.path, copy, split_file, out, "--no-test", *options)
    assert result.exception is None, result.output
    assert "skipped" not in result.output
    manifest = read_bundle(out).manifest
    assert {metric.part for metric in manifest.metrics.values()} == {"validation"}
    assert manifest.data.counts.keys() == {"train", "validation"}
