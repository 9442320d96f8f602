from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.languages.catalogue import FOLDER, Catalogue, read_mo
from osteo_edge.edge_app.models.description import Check
from osteo_edge.edge_app.models.details import (
    CHECKS,
    LOW_DENSITY,
    ON_DRAWN,
    ON_TEST,
    ON_TEST_ALONE,
    ON_TEST_ALONE_BEFORE,
    ON_TEST_BEFORE,
    PRECISIONS,
    bundle_in_use,
    facts,
    figure_lines,
    overview,
)
from osteo_edge.edge_app.models.store import DEMO
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest, Metric, Precision
from tests.cascade import write_cascade


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "clinic")


def of_patients(manifest: Manifest) -> dict[str, object]:
    """Changes that make a bundle no demonstration."""
    return {"data": replace(manifest.data, label_source="DXA"), "intended_use": "Screening."}


def test_every_precision_and_check_has_its_words() -> None:
    assert set(PRECISIONS) == set(get_args(Precision))
    assert set(CHECKS) == set(get_args(Check))


def test_a_first_start_shows_the_demonstration(folders: Folders) -> None:
    found = overview(Clinic(folders))
    assert found.used.id == DEMO
    assert not found.from_command
    assert dict(facts(found, str)) == {
        "What it learned from": "Drawn films, no patients",
        "Precision": "8-bit integers (int8)",
        "Size": "0.65 MB",
        "Check after conversion": "Passed: it answers as the model it was made from, as far as 64 images can tell",
    }
    assert figure_lines(found, str) == [
        "AUROC, osteopenia or osteoporosis: 0.98 (95 % interval 0.95 to 1.00), n = 96",
        "Sensitivity: 0.84 (95 % interval 0.75 to 0.92), n = 64",
        "Specificity: 0.94 (95 % interval 0.84 to 1.00), n = 32",
        ON_DRAWN,
    ]


def test_figures_of_patients_say_when_they_were_measured(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, folders: Folders
) -> None:
    for part, words in (("test, before conversion", ON_TEST_BEFORE), ("test", ON_TEST)):
        metrics = {"sensitivity, test": Metric(0.9, 0.8, 0.95, 40, part)}
        made = golden_bundle(part, metrics=metrics, **of_patients(manifest))
        found = overview(Clinic(folders, bundle=made.path))
        assert figure_lines(found, str) == ["Sensitivity: 0.90 (95 % interval 0.80 to 0.95), n = 40", words]
        assert dict(facts(found, str))["What it learned from"] == "DXA"


@pytest.mark.parametrize("language", ["fr", "es", "sw"])
def test_the_question_about_knees_is_asked_in_the_users_language(
    golden_bundle: Callable[..., Bundle], folders: Folders, language: str
) -> None:
    made = golden_bundle(metrics={"AUROC osteopenia or osteoporosis, test": Metric(0.9, 0.8, 0.95, 40, "test")})
    catalogue = Catalogue(read_mo((FOLDER / language / "LC_MESSAGES" / "osteo_edge.mo").read_bytes()))
    figure, *_ = figure_lines(overview(Clinic(folders, bundle=made.path)), catalogue)
    assert catalogue(LOW_DENSITY) in figure
    assert LOW_DENSITY not in figure


def test_a_figure_that_is_not_defined_says_so(
    golden_bundle: Callable[..., Bundle], manifest: Manifest, folders: Folders
) -> None:
    metrics = {"sensitivity, test": Metric(None, None, None, 0, "test")}
    made = golden_bundle(metrics=metrics, **of_patients(manifest))
    found = overview(Clinic(folders, bundle=made.path))
    assert figure_lines(found, str)[0] == "Sensitivity: not defined, n = 0"
    assert figure_lines(overview(Clinic(folders, bundle=golden_bundle("none", metrics={}).path)), str) == [
        "No figures are recorded for this model."
    ]


def test_a_bundle_of_the_command_is_the_one_in_use(bundle: Bundle, folders: Folders) -> None:
    clinic = Clinic(folders, bundle=bundle.path)
    found = overview(clinic)
    assert found.from_command
    assert found.used.path == bundle.path
    assert bundle_in_use(clinic).manifest == bundle.manifest
    assert bundle_in_use(Clinic(folders)).manifest != bundle.manifest


def test_a_chosen_model_that_is_damaged_is_told_with_the_demonstration(bundle: Bundle, folders: Folders) -> None:
    clinic = Clinic(folders)
    model = clinic.models.install(bundle.path).model
    clinic.models.use(model.id)
    assert overview(Clinic(folders)).used.id == model.id
    (model.path / "model.tflite").write_bytes(b"altered")
    found = overview(Clinic(folders))
    assert found.used.id == DEMO
    assert found.problem is not None


def test_a_bundle_of_the_command_that_is_gone_is_an_error(tmp_path: Path, folders: Folders) -> None:
    with pytest.raises(BundleError):
        overview(Clinic(folders, bundle=tmp_path / "none"))


def test_figures_of_abnormalities_name_bones_and_promise_nothing_of_the_follow_up(
    tmp_path: Path, manifest: Manifest, folders: Folders
) -> None:
    for part, words in (("test, before conversion", ON_TEST_ALONE_BEFORE), ("test", ON_TEST_ALONE)):
        metrics = {"AUROC any finding, test": Metric(0.9, 0.8, 0.95, 40, part)}
        made = write_cascade(tmp_path / part, manifest, metrics=metrics, **of_patients(manifest))
        found = overview(Clinic(folders, bundle=made.path))
        figure = "AUROC, any finding: 0.90 (95 % interval 0.80 to 0.95), n = 40"
        assert figure_lines(found, str) == [figure, words]
