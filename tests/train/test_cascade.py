"""Several bones in one bundle, or in a bundle each: trained, converted and compressed like any other."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from osteo_edge import cli
from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.dataset import read_dataset
from osteo_edge.preprocessing import to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.routing import bone_probabilities
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import calibrated
from osteo_edge.split import read_split, select
from osteo_edge.train.limb_release import write_limbs

pytestmark = [pytest.mark.tf, pytest.mark.slow]

BONES = ("elbow", "hand")
TINY = ("--weights", "none", "--side", "64", "--epochs", "1", "--batch-size", "8", "--heads", "elbow,hand")


@pytest.fixture(scope="module")
def limbs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the release, its CSV file and its split."""
    folder = tmp_path_factory.mktemp("limbs")
    write_limbs(folder / "release", per_class=10, size=96, seed=3)
    assert cli.run(["data", "mura", str(folder / "release"), "--out", str(folder / "limbs.csv")]) == 0
    assert cli.run(["data", "split", str(folder / "limbs.csv"), "--out", str(folder / "split.csv")]) == 0
    return folder


def train(limbs: Path, recipe: str, out: Path, *options: str) -> int:
    words = ["train", str(limbs / "limbs.csv"), "--split", str(limbs / "split.csv"), "--recipe", recipe]
    network = ("--backbone", "custom_cnn", "--trainable-layers", "all")
    return cli.run([*words, "--out", str(out), *TINY, *network, *options])


@pytest.fixture(scope="module")
def shared(limbs: Path) -> Bundle:
    assert train(limbs, "cascade-shared", limbs / "shared") == 0
    return read_bundle(limbs / "shared")


@pytest.fixture(scope="module")
def shared_int8(shared: Bundle) -> Bundle:
    out = shared.path.with_name("shared-int8")
    assert cli.run(["convert", str(shared.path), "--precision", "int8", "--min-agreement", "0", "--out", str(out)]) == 0
    return read_bundle(out)


def test_one_bundle_answers_for_every_bone(shared: Bundle) -> None:
    manifest = shared.manifest
    assert manifest.router is not None
    assert tuple(head.bone for head in manifest.router.heads) == BONES
    assert manifest.labels == ("elbow normal", "elbow abnormal", "hand normal", "hand abnormal")
    assert manifest.decision.positive_labels == ("elbow abnormal", "hand abnormal")
    assert {head.finding for head in manifest.router.heads} == {"abnormality"}
    assert manifest.data.counts["train"].keys() == set(manifest.labels)


def test_the_converted_bundle_keeps_its_heads_and_answers_as_one_network(
    shared: Bundle, shared_int8: Bundle, limbs: Path
) -> None:
    manifest = shared_int8.manifest
    assert manifest.router == shared.manifest.router
    assert manifest.parity is not None
    dataset = read_dataset(limbs / "limbs.csv", labels=manifest.labels)
    cases = select(dataset, read_split(limbs / "split.csv"), "test")
    assert {case.bone for case in cases} == set(BONES)
    prediction = open_interpreter(shared_int8).run(to_tensor(read_radiograph(cases[0].path).pixels, manifest.input))
    probabilities = calibrated(prediction.logits, manifest.calibration)
    assert probabilities.shape == (4,)
    assert bone_probabilities(probabilities, manifest).shape == (2,)
    assert prediction.activation_map is not None
    np.testing.assert_allclose(prediction.activation_map.mean(axis=(0, 1)), prediction.logits, atol=0.5)


@pytest.mark.parametrize("words", [("prune", "--method", "channel", "--amount", "0.3"), ("qat",)])
def test_compression_takes_it_like_any_other_and_leaves_the_heads(
    words: tuple[str, ...], shared: Bundle, limbs: Path
) -> None:
    out = limbs / f"shared-{words[0]}"
    data = [str(shared.path), str(limbs / "limbs.csv"), "--split", str(limbs / "split.csv"), "--epochs", "1"]
    assert cli.run([words[0], *data, *words[1:], "--out", str(out)]) == 0
    router, before = read_bundle(out).manifest.router, shared.manifest.router
    assert router is not None
    assert before is not None
    assert [(head.bone, head.labels) for head in router.heads] == [(head.bone, head.labels) for head in before.heads]


def test_the_published_way_is_a_router_and_a_bundle_for_each_bone(
    limbs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an interrupted run finished is kept; what it had of other settings is not taken for it."""
    out, work = limbs / "separate", limbs / "separate.partial-cascade"
    assert train(limbs, "cascade-separate", out) == 0
    assert {path.name for path in out.iterdir()} == {"router", *BONES}
    assert not work.exists()
    router, elbow = read_bundle(out / "router").manifest, read_bundle(out / "elbow").manifest
    assert (router.labels, router.finding, router.router) == (BONES, None, None)
    assert router.intended_use.startswith("FOR COMPARISON ONLY")
    assert (elbow.labels, elbow.finding) == (("normal", "abnormal"), "abnormality")
    for bone in BONES:
        assert {row.split("/")[2] for row in (out / bone / "split.csv").read_text("utf-8").splitlines()[1:]} == {
            f"XR_{bone.upper()}"
        }

    shutil.move(out, work)
    shutil.rmtree(work / "hand")
    capsys.readouterr()
    assert train(limbs, "cascade-separate", out) == 0
    assert "router, elbow had been trained" in capsys.readouterr().err
    assert read_bundle(out / "elbow").manifest == elbow

    shutil.move(out, work)
    assert train(limbs, "cascade-separate", out, "--dropout", "0.3") == 1
    assert "other settings or other films" in capsys.readouterr().err


def test_separate_networks_are_held_to_the_split_like_one(limbs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of the films gone, or a label turned, would make a worse router without a word."""
    lines = (limbs / "limbs.csv").read_text("utf-8").splitlines()
    half = limbs / "half.csv"
    half.write_text("\n".join(lines[:1] + lines[1::2]) + "\n", "utf-8")
    words = ["train", str(half), "--split", str(limbs / "split.csv"), "--recipe", "cascade-separate", *TINY]
    assert cli.run([*words, "--out", str(limbs / "never")]) == 1
    assert "images of the split are not in the data set" in capsys.readouterr().err
    assert not list(limbs.glob("never*"))


def test_heads_without_a_cascade_and_labels_with_one_are_refused(
    limbs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["train", str(limbs / "limbs.csv"), "--out", str(limbs / "x"), "--heads", "elbow"]) == 2
    assert "only cascade-shared and cascade-separate have heads" in capsys.readouterr().err
    assert train(limbs, "cascade-shared", limbs / "x", "--labels", "normal,abnormal") == 2
    assert "takes the labels of each bone from the data" in capsys.readouterr().err
