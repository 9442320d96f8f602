"""Two small bundles become one that is converted and screens."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle, read_bundle, write_bundle
from osteo_edge.cli import run
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import BundleError
from osteo_edge.split import Split
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.ensemble_bundle import check_members
from osteo_edge.train.ensemble_command import ensemble


@pytest.fixture(scope="module")
def members(
    tiny_bundle: Bundle,
    tiny_config: TrainConfig,
    phantoms: Dataset,
    phantom_split: Split,
    silent: Advance,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Bundle]:
    """A network on colour images and one on grey ones, hardly trained."""
    from osteo_edge.train.training import Job, train_bundle

    config = replace(tiny_config, backbone="custom_cnn", alpha=1.0, epochs=4, seed=1)
    out = tmp_path_factory.mktemp("members") / "grey"
    grey = train_bundle(Job(phantoms, phantom_split, config, "grey", "phantom"), out, on_progress=silent)
    return {"colour": tiny_bundle, "grey": grey.bundle}


@pytest.fixture(scope="module")
def joined(
    members: dict[str, Bundle], phantoms: Dataset, split_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    out = tmp_path_factory.mktemp("joined") / "both"
    result = _join([bundle.path for bundle in members.values()], phantoms.root, split_file, out)
    assert result.exception is None, result.exception
    assert f"Written: {out}" in result.output
    return read_bundle(out)


def _join(bundles: list[Path], data: Path, split_file: Path, out: Path) -> Result:
    options = ["--data", data, "--split", split_file, "--out", out]
    return CliRunner().invoke(ensemble, [str(word) for word in (*bundles, *options)])


@pytest.mark.tf
@pytest.mark.slow
def test_the_bundle_says_what_it_was_made_from_and_what_was_chosen_again(
    joined: Bundle, members: dict[str, Bundle]
) -> None:
    manifest = joined.manifest
    assert [part["name"] for part in manifest.parent.recipe["ensemble"]] == ["grey", "tiny"]
    assert {part["sha256"] for part in manifest.parent.recipe["ensemble"]} == {
        bundle.manifest.model.sha256 for bundle in members.values()
    }
    assert manifest.input == members["grey"].manifest.input
    assert manifest.decision.chosen_on == manifest.calibration.fitted_on == "validation"
    assert {metric.part for metric in manifest.metrics.values()} == {"validation", "test"}
    assert manifest.model.macs > sum(bundle.manifest.model.macs for bundle in members.values())
    assert manifest.data.split_sha256 == members["grey"].manifest.data.split_sha256


@pytest.mark.tf
@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-4), ("int8", 0.05)])
def test_an_ensemble_is_converted_and_screens(
    precision: Any,
    tolerance: float,
    joined: Bundle,
    phantoms: Dataset,
    silent: Advance,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Scores of members that are hardly trained differ by rounding alone, so the threshold is set below them all."""
    from osteo_edge.convert.conversion import convert_bundle

    gate = replace(joined.manifest.gate, min_side_px=32, min_contrast=0.0)
    below_all = replace(joined.manifest.decision, threshold=0.5, abstain_low=0.5, abstain_high=0.5)
    files = {name: (joined.path / name).read_bytes() for name in ("model.keras", "samples.npz", "split.csv")}
    opened = write_bundle(tmp_path / "open", replace(joined.manifest, gate=gate, decision=below_all), files)
    converted = convert_bundle(opened, precision, tmp_path / precision, on_progress=silent)
    assert converted.manifest.parity is not None
    assert converted.manifest.parity.mean_difference < tolerance
    films = [str(case.path) for case in phantoms.cases[:3]]
    assert run(["screen", str(converted.path), *films, "--json", "--overlay", str(tmp_path / "pictures")]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(np.isfinite(answer["score"]) for answer in answers)
    assert {answer["outcome"] for answer in answers} <= {"refer", "uncertain", "no_finding"}


def _bundle(golden: Bundle, name: str, **changes: Any) -> Bundle:
    """A Keras bundle by its manifest; its model is never loaded."""
    model = replace(golden.manifest.model, format="keras", sha256=(name[0].encode().hex() * 32)[:64])
    return Bundle(Path(name), replace(golden.manifest, **{"model": model, **changes}))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"labels": ("normal", "osteoporosis", "osteopenia")}, "b: its list of labels is normal, osteoporosis"),
        ({"input": "wide"}, "b: its input is 64 x 32, that of a 32 x 32; choose members that agree"),
        ({"input": "filtered"}, "b: its list of filters is "),
        ({"data": "other"}, "b: its split has the hash eeeeeeeeeeee"),
        ({"parent": "ensemble"}, "b: an ensemble itself"),
        ({"model": "tflite"}, "b: not a Keras bundle"),
        ({"model": "copy"}, "a: stands among the members twice"),
    ],
)
def test_members_that_do_not_fit_together_are_one_clear_line(
    changes: dict[str, Any], problem: str, bundle: Bundle
) -> None:
    from osteo_edge.filters import parse_filter

    first, golden = _bundle(bundle, "a"), bundle.manifest
    stand_ins = {
        "wide": replace(golden.input, width=64),
        "filtered": replace(golden.input, filters=(parse_filter("clahe"),)),
        "other": replace(golden.data, split_sha256="e" * 64),
        "ensemble": replace(golden.parent, recipe={"ensemble": []}),
        "tflite": golden.model,
        "copy": first.manifest.model,
    }
    second = _bundle(bundle, "b", **{key: stand_ins.get(str(value), value) for key, value in changes.items()})
    with pytest.raises(BundleError) as caught:
        check_members([first, second])
    assert str(caught.value).startswith(problem)
    check_members([first, _bundle(bundle, "b")])


def test_one_bundle_is_no_ensemble(tmp_path: Path) -> None:
    result = _join([tmp_path], tmp_path, tmp_path, tmp_path / "out")
    assert result.exit_code == 2
    assert "name at least two bundles" in result.output
