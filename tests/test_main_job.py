"""The main job on real knee films: from labelled films to a screened answer of a quantized model, and its figures."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from osteo_edge import cli
from osteo_edge.bundle import read_bundle

pytestmark = [pytest.mark.tf, pytest.mark.slow]

WEIGHTS = {
    "0.35": "mobilenet_v2_0.35_224_no_top.from-teachable-machine.h5",
    "1.0": "mobilenet_v2_1.0_224_no_top.dequantized-from-int8.h5",
}


@dataclass(frozen=True)
class Kind:
    """One way to train, and what its int8 model may weigh."""

    recipe: str
    alpha: str
    max_bytes: int

    @property
    def name(self) -> str:
        return f"{self.recipe} {self.alpha}"


KINDS = (
    Kind("fine-tuned", "0.35", 750_000),
    Kind("fine-tuned", "1.0", 2_800_000),
    Kind("osteo-edge", "1.0", 2_800_000),
)


@dataclass(frozen=True)
class Done:
    """A folder with the data set, its split, and Keras, float32 and int8 bundles trained on the real knees."""

    kind: Kind
    folder: Path


def _run(*words: object) -> None:
    assert cli.run([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def real_data() -> Path:
    folder = Path(os.environ.get("OSTEO_EDGE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set OSTEO_EDGE_DATA")
    return folder


@pytest.fixture(scope="module")
def labelled(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table of the real knees and its split; the cache of features lies beside them."""
    folder = tmp_path_factory.mktemp("labelled")
    knees, table = real_data / "knees", folder / "knees.csv"
    os.environ["OSTEO_EDGE_CACHE"] = str(folder / "cache")
    _run("data", "join", knees / "images", knees / "patients.csv", "--label-source", "QUS", "--out", table)
    _run("data", "split", table, "--out", folder / "split.csv")
    return folder


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def job(
    real_data: Path, labelled: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Done:
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp("knees")
    table, split = (Path(shutil.copy(labelled / name, folder)) for name in ("knees.csv", "split.csv"))
    weights = real_data / "weights" / WEIGHTS[kind.alpha]
    options = ("--recipe", kind.recipe, "--alpha", kind.alpha, "--weights", weights, "--epochs", 2)
    _run("train", table, "--split", split, "--out", folder / "keras", *options)
    for precision in ("float32", "int8"):
        _run("convert", folder / "keras", "--precision", precision, "--out", folder / precision)
    return Done(kind, folder)


def _agreement(folder: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "osteo_edge.benchmarks.bundles.fidelity", "float32", "int8", "knees.csv"]
    done = subprocess.run(
        [*words, "--split", "split.csv", "--json"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_int8_decides_like_float_on_at_least_97_percent_of_all_clean_films(job: Done) -> None:
    agreement = _agreement(job.folder)["decision_agreement"]
    assert agreement["n"] == 170
    assert agreement["value"] >= 0.97


def test_the_int8_file_is_small_enough_for_the_device(job: Done) -> None:
    bundle = read_bundle(job.folder / "int8")
    assert bundle.manifest.outputs.activation_map is not None
    assert bundle.model_path.stat().st_size <= job.kind.max_bytes


def test_the_card_tells_how_the_model_was_trained_and_how_it_does_on_women(job: Done) -> None:
    card = (job.folder / "int8" / "MODEL_CARD.md").read_text("utf-8")
    assert f"- Recipe: {job.kind.recipe} (" in card
    assert "| AUROC osteopenia or osteoporosis, test, sex female |" in card


def test_a_full_size_film_is_explained(job: Done, real_data: Path) -> None:
    film, picture = min((real_data / "knees" / "full_size").rglob("*.jpg")), job.folder / "explained.png"
    _run("explain", job.folder / "keras", film, "--out", picture)
    assert picture.stat().st_size > 0


def test_the_evaluation_says_what_age_alone_would_tell(job: Done, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job.folder
    capsys.readouterr()
    _run("evaluate", folder / "int8", folder / "knees.csv", "--split", folder / "split.csv", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["split_is_the_trained_one"] is True
    assert answer["label_source"] == "QUS"
    by_age = {rival["question"]: rival for rival in answer["rivals"] if rival["name"] == "age alone"}
    assert by_age["osteoporosis"]["auroc"]["value"] > 0.8
    assert by_age["osteoporosis"]["verdict"] == "the model does not beat age alone"


def test_every_full_size_film_gets_an_answer(job: Done, real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job.folder
    films = sorted((real_data / "knees" / "full_size").rglob("*.jpg"))
    capsys.readouterr()
    _run("screen", folder / "int8", *films, "--overlay", folder / "pictures", "--json")
    lines = capsys.readouterr().out
    answers = [json.loads(line) for line in lines.splitlines()]
    assert len(answers) == 9
    assert {answer["outcome"] for answer in answers} <= {"refer", "uncertain", "no_finding"}
    assert all(Path(answer["overlay"]).is_file() for answer in answers)
    assert not [word for word in ("healthy", "clear", '"normal"') if word in lines]


def test_what_is_no_knee_film_by_colour_or_modality_is_rejected(
    job: Done, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    photos = sorted((real_data / "ood" / "photos").iterdir())
    scan = real_data / "dicom" / "CT_small.dcm"
    _run("screen", job.folder / "int8", *photos, scan, "--json")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {answer["outcome"] for answer in answers} == {"rejected"}
    assert all(answer["score"] is None and not answer["probabilities"] for answer in answers)
