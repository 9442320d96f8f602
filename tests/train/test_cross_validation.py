"""Cross-validation: every image answered by models that did not see it, and a stopped run that goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import DatasetError
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.audit import audit
from osteo_edge.train.cross_validation import Task, answer_all, resumable
from osteo_edge.train.folds import make_folds
from osteo_edge.train.logistic import fit_coefficients, standardize
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.stored_answers import answers_path

LABELS = ("normal", "osteopenia", "osteoporosis")


@dataclass
class SmallRecipe:
    """A logistic regression on 8 x 8 pixels; notes what it was asked, and waits where that is asked for."""

    side: int = 8
    seconds: float = 0.0
    asked: list[Fold] = field(default_factory=list)

    @property
    def spec(self) -> InputSpec:
        return InputSpec(self.side, self.side)

    def describe(self) -> dict[str, Any]:
        return {"side": self.side}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        self.asked.append(fold)
        time.sleep(self.seconds)
        train, validation, test = (
            part.planes().reshape(len(part), -1).astype(np.float64) for part in (fold.train, fold.validation, fold.test)
        )
        columns = standardize(train)
        coefficients = fit_coefficients(columns.apply(train), fold.train.classes, len(LABELS), penalty=30)
        return Answers(columns.apply(validation) @ coefficients, columns.apply(test) @ coefficients)


def _quiet(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    """No progress."""


def _task(dataset: Dataset, *, repeats: int = 2, seed: int = 0) -> Task:
    folds = make_folds(audit(dataset, confounders=False), dataset, LABELS, folds=3, repeats=repeats, seed=seed)
    by_name = {case.name: case for case in dataset.cases}
    return Task(tuple(by_name[image.name] for image in folds.images), LABELS, folds)


def answer_slowly(data: str, out: str, seconds: float) -> None:
    """What the killed process runs."""
    answer_all(_task(read_dataset(Path(data))), {"small": SmallRecipe(seconds=seconds)}, Path(out), on_progress=_quiet)


@pytest.fixture(scope="module")
def task(phantoms: Dataset) -> Task:
    return _task(phantoms)


def test_every_fold_is_asked_once_with_its_own_parts(task: Task, tmp_path: Path) -> None:
    recipe = SmallRecipe()
    found = answer_all(task, {"small": recipe}, tmp_path, on_progress=_quiet)["small"]
    assert sorted(found) == [(repeat, fold) for repeat in range(2) for fold in range(3)]
    for fold, (place, stored) in zip(recipe.asked, found.items(), strict=True):
        assert [case.name for case in fold.test.cases] == [
            task.folds.images[number].name for number in task.folds.numbers(*place, 2)
        ]
        assert stored.answers.test.shape == (len(fold.test), 3)
        assert not set(fold.test.sha256s) & set(fold.train.sha256s + fold.validation.sha256s)
    assert len({fold.seed for fold in recipe.asked}) == 6


def test_images_are_prepared_once_for_recipes_that_prepare_them_alike(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteo_edge.train import cross_validation
    from osteo_edge.train.prepared import prepare

    specs: list[InputSpec] = []

    def counted(cases: Any, spec: InputSpec, **options: Any) -> Any:
        specs.append(spec)
        return prepare(cases, spec, **options)

    monkeypatch.setattr(cross_validation, "prepare", counted)
    recipes = {"one": SmallRecipe(), "other": SmallRecipe(), "smaller": SmallRecipe(side=4)}
    answer_all(task, recipes, tmp_path, on_progress=_quiet)
    assert [spec.height for spec in specs] == [8, 4]
    specs.clear()
    answer_all(task, recipes, tmp_path, on_progress=_quiet)
    assert specs == []


def test_what_is_stored_is_not_asked_again_unless_the_recipe_changed(task: Task, tmp_path: Path) -> None:
    first = answer_all(task, {"small": SmallRecipe()}, tmp_path, on_progress=_quiet)["small"]
    again = SmallRecipe()
    second = answer_all(task, {"small": again}, tmp_path, on_progress=_quiet)["small"]
    assert again.asked == []
    for place, stored in first.items():
        np.testing.assert_array_equal(stored.answers.test, second[place].answers.test)
    changed = SmallRecipe(side=4)
    answer_all(task, {"small": changed}, tmp_path, on_progress=_quiet)
    assert len(changed.asked) == 6


def test_one_bar_runs_over_all_recipes_and_folds(task: Task, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def advance(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        if stage == "cross-validate":
            seen.append((done, total))

    answer_all(task, {"one": SmallRecipe(), "other": SmallRecipe()}, tmp_path, on_progress=advance)
    assert seen == [(number, 12) for number in range(12)]


@pytest.mark.parametrize("logits", [np.zeros((1, 3)), np.full((10, 3), -np.inf)])
def test_a_recipe_that_breaks_its_contract_is_noticed(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logits: np.ndarray
) -> None:
    monkeypatch.setattr(SmallRecipe, "answer", lambda *args, **options: Answers(logits, logits))
    with pytest.raises(ValueError, match="finite logits"):
        answer_all(task, {"small": SmallRecipe()}, tmp_path, on_progress=_quiet)


def test_an_image_that_cannot_be_read_any_more_is_an_error(phantoms: Dataset, tmp_path: Path) -> None:
    task = _task(phantoms)
    lost = replace(task.cases[0], path=tmp_path / "gone.png")
    gone = Task((lost, *task.cases[1:]), LABELS, task.folds)
    with pytest.raises(DatasetError, match=r"gone\.png.*it was readable when the folds were made"):
        answer_all(gone, {"small": SmallRecipe()}, tmp_path, on_progress=_quiet)


def test_ctrl_c_says_in_one_line_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit) as left, resumable(tmp_path):
        raise KeyboardInterrupt
    assert left.value.exit_code == 130
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{tmp_path}: interrupted" in error


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_goes_on_where_it_stopped_and_answers_the_same(phantoms: Dataset, tmp_path: Path) -> None:
    uninterrupted = answer_all(_task(phantoms), {"small": SmallRecipe()}, tmp_path / "whole", on_progress=_quiet)
    arguments = (str(phantoms.root), str(tmp_path), 1.0)
    code = f"import runpy; runpy.run_path({__file__!r})['answer_slowly'](*{arguments!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    _wait_for(answers_path(tmp_path, "small", 0, 1), process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = len(list((tmp_path / "results" / "small").glob("*.npz")))
    assert 2 <= done < 6
    rest = SmallRecipe()
    found = answer_all(_task(phantoms), {"small": rest}, tmp_path, on_progress=_quiet)["small"]
    assert len(rest.asked) == 6 - done
    for place, stored in uninterrupted["small"].items():
        np.testing.assert_array_equal(stored.answers.test, found[place].answers.test)


def _wait_for(path: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
