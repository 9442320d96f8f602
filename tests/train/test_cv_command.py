"""The cv command: what it writes and shows, how it goes on, and what it refuses before any work."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.comparison import Comparison
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.cv_command import cv
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.recipes.table import RECIPES


@dataclass
class Brightness:
    """A score that is the mean of the plane; notes the configuration it was made with."""

    config: TrainConfig

    @property
    def spec(self) -> InputSpec:
        return InputSpec(8, 8)

    def describe(self) -> dict[str, Any]:
        return {"epochs": self.config.epochs}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        ASKED.append(self.config)
        means = [part.planes().mean(axis=(1, 2)).astype(np.float64) for part in (fold.validation, fold.test)]
        validation, test = (np.outer(mean, np.arange(len(self.config.labels))) for mean in means)
        return Answers(validation, test)


ASKED: list[TrainConfig] = []


@pytest.fixture(autouse=True)
def recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names that are known stand for the small recipe, and the report is a line."""
    for name in ("custom-cnn", "frozen-features"):
        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], make=Brightness))
    monkeypatch.setitem(sys.modules, "osteo_edge.train.cv_report", SimpleNamespace(write_cv_report=_report))
    ASKED.clear()


def _report(found: Comparison, path: Path) -> None:
    path.write_text(found.dataset, "utf-8")


def _run(dataset: Dataset, out: Path, *words: str) -> Result:
    given = ["--recipe", "custom-cnn", "--folds", "3", "--out", str(out), *words]
    return CliRunner().invoke(cv, [str(dataset.root), *given])


def test_it_writes_folds_answers_figures_and_a_report(phantoms: Dataset, tmp_path: Path) -> None:
    result = _run(phantoms, tmp_path / "out", "--recipe", "frozen-features", "--prevalence", "0.1")
    assert result.exit_code == 0, result.output
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    answers = [f"results/{name}/1-{fold}.npz" for name in ("custom-cnn", "frozen-features") for fold in (1, 2, 3)]
    assert written == ["cv.json", "folds.csv", "report.html", *answers]
    values = json.loads((tmp_path / "out" / "cv.json").read_text("utf-8"))
    assert (values["reference"], values["prevalence"], values["label_source"]) == ("custom-cnn", 0.1, "phantom")
    assert "AUROC less that of custom-cnn, paired" in result.output
    assert "Predictive values at a prevalence of 0.1" in result.output


def test_the_same_command_again_asks_no_recipe_and_finds_the_same(phantoms: Dataset, tmp_path: Path) -> None:
    first = _run(phantoms, tmp_path, "--json")
    asked = len(ASKED)
    second = _run(phantoms, tmp_path, "--json")
    assert len(ASKED) == asked == 3
    one, other = (json.loads(result.output) for result in (first, second))
    assert one["contenders"] == other["contenders"]


def test_a_resume_with_other_folds_is_one_line(phantoms: Dataset, tmp_path: Path) -> None:
    assert _run(phantoms, tmp_path).exit_code == 0
    result = _run(phantoms, tmp_path, "--seed", "1")
    assert isinstance(result.exception, DatasetError)
    assert str(result.exception).startswith(f"{tmp_path / 'folds.csv'}: was made with seed 0, not 1; use another --out")


def test_options_come_before_the_toml_file_and_reach_the_recipes(phantoms: Dataset, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('epochs = 7\nweights = "none"\nalpha = 0.5\n', "utf-8")
    words = ("--config", str(tmp_path / "my.toml"), "--epochs", "3", "--alpha", "0.35")
    assert _run(phantoms, tmp_path / "out", *words).exit_code == 0
    assert {(config.epochs, config.weights, config.alpha) for config in ASKED} == {(3, "none", 0.35)}


def test_two_labels_can_be_chosen(phantoms: Dataset, tmp_path: Path) -> None:
    result = _run(phantoms, tmp_path, "--labels", "normal,osteoporosis", "--label-source", "DXA", "--json")
    assert result.exit_code == 0, repr(result.exception)
    assert "Left out 10 of 30 images, which have other labels than normal, osteoporosis;" in result.stderr
    values = json.loads(result.stdout)
    assert (values["labels"], values["label_source"]) == (["normal", "osteoporosis"], "DXA")
    assert values["counts"] == {"normal": 10, "osteoporosis": 10}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reference", "last-20"), "last-20 is none of the recipes that are compared"),
        (("--labels", "normal"), "at least two different labels"),
        (("--recipe", "nothing"), "'nothing' is not"),
        (("--folds", "1"), "not in the range"),
        (("--prevalence", "1"), "not in the range"),
    ],
)
def test_wrong_usage_is_said_before_any_work(
    phantoms: Dataset, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = _run(phantoms, tmp_path / "out", *words)
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "out").exists()


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(cv, ["--help"])
    assert "osteo-edge cv knees.csv --recipe frozen-features" in result.output
