"""A whole study on drawn films: same folds, honest baselines, paired comparisons, and figures that fit together."""

import json
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge import metrics
from osteo_edge.console import Advance, show_json
from osteo_edge.dataset import Dataset
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.comparison import Comparison
from osteo_edge.train.comparison_json import to_bytes, to_dict
from osteo_edge.train.comparison_tables import show_comparison
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.recipe import Answers, Fold
from osteo_edge.train.study import Named, Study, run_study


@dataclass
class Teller:
    """Tells the truth, mixed with noise: a recipe whose figures are known before."""

    noise: float

    @property
    def spec(self) -> InputSpec:
        return InputSpec(8, 8)

    def describe(self) -> dict[str, Any]:
        return {"noise": self.noise}

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        rng = np.random.default_rng(fold.seed)
        validation, test = (
            4 * np.eye(3)[part.classes] + self.noise * rng.normal(size=(len(part), 3))
            for part in (fold.validation, fold.test)
        )
        return Answers(validation, test, losses={"validation": (1.0, float("inf"), 0.5)})


def _quiet(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    """No progress."""


def _study(dataset: Dataset, out: Path, **changes: Any) -> Study:
    tellers = tuple(Named(f"teller-{noise:g}", "a teller", "a test", Teller(noise)) for noise in (9.0, 0.0))
    config = TrainConfig(seed=0)
    return replace(Study(dataset, "DXA", tellers, "teller-9", config, 3, 2, 0.1, out), **changes)


@pytest.fixture(scope="module")
def comparison(phantoms: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    aged = tuple(replace(case, age=40.0 + len(case.label)) for case in phantoms.cases)
    return run_study(_study(replace(phantoms, cases=aged), tmp_path_factory.mktemp("cv")), on_progress=_quiet)


def test_recipes_fusions_and_baselines_stand_in_one_table(comparison: Comparison) -> None:
    assert [(each.kind, each.name) for each in comparison.contenders] == [
        ("recipe", "teller-9"),
        ("recipe", "teller-0"),
        *(("fused", f"teller-{noise} + {over}") for noise in (9, 0) for over in _over(comparison)),
        ("baseline", "majority class"),
        ("baseline", "mean brightness"),
        ("baseline", "image size and format"),
        *(("baseline", name) for name in _patient(comparison)),
    ]


def _patient(comparison: Comparison) -> list[str]:
    """Drawn films know their drawn patients."""
    known = {name for case in comparison.cases for name in ("age", "sex", "weight") if getattr(case, name) is not None}
    return ["age", "OST", "age, sex and weight"] if len(known) == 3 else ["age"]


def _over(comparison: Comparison) -> list[str]:
    names = _patient(comparison)
    return list(dict.fromkeys([names[0], names[-1]]))


def test_who_knows_the_truth_is_right_everywhere_and_alarming(comparison: Comparison) -> None:
    knowing = comparison.contender("teller-0")
    assert {name: found.value for name, found in knowing.measures.items() if "AUROC" in name} == dict.fromkeys(
        ("AUROC osteopenia or osteoporosis", "AUROC osteoporosis", *(f"AUROC {label}" for label in comparison.labels),
         "AUROC, macro"), 1.0,
    )  # fmt: skip
    assert knowing.confusion == ((10.0, 0.0, 0.0), (0.0, 10.0, 0.0), (0.0, 0.0, 10.0))
    assert any("implausibly high" in alarm for alarm in knowing.alarms)
    assert knowing.measures["sensitivity"].high == 1
    assert knowing.measures["sensitivity"].low < 0.9  # Wilson's, since the bootstrap's would be a point


def test_measures_are_the_mean_over_repeats_of_the_areas_within_folds(comparison: Comparison) -> None:
    areas = []
    for repeat in range(2):
        answers = comparison.answers("teller-9", repeat)
        areas.append(metrics.auroc(*answers.asked(("osteoporosis",)), answers.strata))
    found = comparison.contender("teller-9").measures["AUROC osteoporosis"]
    assert found.value == pytest.approx(np.mean(areas))
    assert found.low < found.value < found.high


def test_the_majority_class_ranks_nothing(comparison: Comparison) -> None:
    assert comparison.contender("majority class").measures["AUROC osteoporosis"].value == 0.5


def test_differences_are_to_the_reference_and_paired(comparison: Comparison) -> None:
    reference, other = (comparison.contender(name) for name in ("teller-9", "teller-0"))
    assert reference.differences == {}
    name = "osteoporosis"
    found = other.differences[name]
    assert found.value == pytest.approx(
        other.measures[f"AUROC {name}"].value - reference.measures[f"AUROC {name}"].value
    )
    assert found.low > 0


def test_what_an_image_adds_is_said_in_words(comparison: Comparison) -> None:
    added = {(each.recipe, each.question): each for each in comparison.added if each.over == "age"}
    assert len(comparison.added) == 2 * 2 * len(_over(comparison))
    verdict = added["teller-9", "osteoporosis"].verdict
    assert "to age" in verdict
    difference = added["teller-0", "osteoporosis"].difference
    alone, fused = (comparison.contender(name).measures["AUROC osteoporosis"] for name in ("age", "teller-0 + age"))
    assert difference.value == pytest.approx(fused.value - alone.value)


def test_subgroups_learning_curves_and_predictive_values_are_kept(comparison: Comparison) -> None:
    contender = comparison.contender("teller-9")
    assert {group.factor for group in contender.subgroups} >= {"age", "format"}
    assert [(run.repeat, run.fold) for run in contender.answers.runs] == [(r, f) for r in range(2) for f in range(3)]
    assert contender.answers.runs[0].losses == {"validation": (1.0, float("inf"), 0.5)}
    assert "PPV at a prevalence of 0.1" in contender.headline


def test_the_json_is_whole_and_strict(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    """An epoch that diverged has no loss, in the file and on the terminal."""
    values = to_dict(comparison)
    text = to_bytes(values).decode()
    assert "NaN" not in text
    assert json.loads(text)["contenders"]["teller-0"]["runs"][0]["losses"] == {"validation": [1.0, None, 0.5]}
    show_json(values)
    assert json.loads(capsys.readouterr().out) == json.loads(text)
    assert set(values["contenders"]) == {each.name for each in comparison.contenders}
    own = values["contenders"]["teller-0"]
    assert own["curves"]["osteoporosis"]["roc"]["y"][0] == 1
    assert np.shape(own["probabilities"]) == (2, 30, 3)
    assert values["environment"]["python"]
    assert set(values["seconds"]) == {"audit", "folds", "recipes", "baselines", "measures"}


def test_the_environment_has_the_version_of_each_package_whichever_distribution_it_came_in(
    comparison: Comparison,
) -> None:
    found = metadata.packages_distributions()
    for module in ("numpy", "sklearn", "tensorflow", "cv2", "xgboost"):
        for name in found[module]:
            assert comparison.environment[name] == metadata.version(name)


def test_the_tables_start_with_the_alarms(comparison: Comparison, capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(comparison)
    shown = capsys.readouterr().out
    assert shown.startswith("ALARM: ")
    assert "AUROC less that of teller-9, paired" in shown
    assert "osteoporosis: the image, seen by teller-0, adds" in shown


def test_drawn_films_raise_no_alarm_for_a_high_area(phantoms: Dataset, tmp_path: Path) -> None:
    found = run_study(_study(phantoms, tmp_path, label_source="phantom", repeats=1), on_progress=_quiet)
    assert not any("implausibly" in alarm for each in found.contenders for alarm in each.alarms)


def test_two_labels_and_nothing_known_of_the_patients_will_do(phantoms: Dataset, tmp_path: Path) -> None:
    bare = tuple(
        replace(case, age=None, sex=None, weight=None) for case in phantoms.cases if case.label != "osteopenia"
    )
    config = TrainConfig(labels=("normal", "osteoporosis"))
    study = _study(replace(phantoms, cases=bare), tmp_path, config=config, recipes=(), reference="majority class")
    found = run_study(study, on_progress=_quiet)
    assert [each.name for each in found.contenders] == ["majority class", "mean brightness", "image size and format"]
    assert found.added == ()
    assert [question.name for question in found.questions] == ["osteoporosis"]
