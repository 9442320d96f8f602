"""The model card: what is read first, parts of the patients apart, and how the model was trained."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from osteo_edge.answers import Answers
from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Manifest, Metric, Outputs
from osteo_edge.measuring import measure_answers
from osteo_edge.model_card import ABNORMALITY_LIMITATIONS, FIRST, LIMITATIONS, render_card
from osteo_edge.wording import FAILED_CHECK
from tests.routed import routed

RECORD: dict[str, Any] = {
    "recipe": {"name": "osteo-edge", "source": "this project"},
    "environment": {
        "python": "3.11.2", "tensorflow": "2.21.0", "processor": "x86_64", "cores": 2, "gpus": [], "float16": False,
    },
    "timing": {"seconds": {"read": 1.25, "head": None, "fit": 40.04}},
}  # fmt: skip


def card_with(manifest: Manifest, *names: str, part: str = "test") -> str:
    return render_card(replace(manifest, metrics={name: Metric(0.8, 0.7, 0.9, 30, part) for name in names}))


def section(card: str, title: str) -> str:
    """The text under a heading, empty without the heading."""
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("part", ["test", "test, before conversion"])
def test_figures_are_sorted_into_first_parts_of_the_patients_and_the_rest(part: str, manifest: Manifest) -> None:
    names = ("AUROC, macro, test", "AUROC osteoporosis, test", "sensitivity, test", "sensitivity, test, sex female")
    card = card_with(manifest, *names, part=part)
    assert section(card, "Measured").count("| 0.800 |") == 2
    assert "| AUROC osteoporosis, test | 0.800 | 0.700 to 0.900 | 30 |" in section(card, "Measured")
    assert "| sensitivity, test, sex female | 0.800 |" in section(card, "Measured in parts of the patients")
    assert "not a finding" in section(card, "Measured in parts of the patients")
    assert "| AUROC, macro, test |" in section(card, "Also measured")


def test_what_is_read_first_is_what_the_evaluation_puts_first(manifest: Manifest) -> None:
    labels, truth = manifest.labels, np.array([0, 1, 2])
    positive = manifest.decision.positive_labels
    answers = Answers(truth, np.eye(3), labels, positive, np.full(3, 0.5), np.arange(3))
    _, headline = measure_answers(answers)
    areas = ("AUROC osteopenia or osteoporosis", "AUROC osteoporosis")
    assert headline == (*areas, *FIRST)
    assert section(card_with(manifest, *headline), "Also measured") == ""


def test_the_test_part_is_read_before_validation(manifest: Manifest) -> None:
    parts = {f"sensitivity, {part}": Metric(0.8, 0.7, 0.9, 30, part) for part in ("validation", "test")}
    measured = section(render_card(replace(manifest, metrics=parts)), "Measured")
    assert measured.index("sensitivity, test") < measured.index("sensitivity, validation")


def test_without_subgroups_there_is_no_heading_for_them(manifest: Manifest) -> None:
    card = card_with(manifest, "sensitivity, test")
    assert "parts of the patients" not in card
    assert "Also measured" not in card


def test_a_model_that_was_not_measured_says_so(manifest: Manifest) -> None:
    assert "Nothing yet" in section(card_with(manifest), "Measured")


def test_the_training_is_told_even_of_a_converted_model(manifest: Manifest) -> None:
    nested = {"convert": {"precision": "int8"}, "parent": RECORD}
    for recipe in (RECORD, nested):
        told = section(render_card(replace(manifest, parent=replace(manifest.parent, recipe=recipe))), "Training")
        assert "- Recipe: osteo-edge (this project)" in told
        assert "- Machine: python 3.11.2, tensorflow 2.21.0, processor x86_64, cores 2, gpus none, float16 no" in told
        assert "- Time: read 1.2 s, fit 40.0 s" in told


def test_every_graphics_processor_is_named(manifest: Manifest) -> None:
    record = {"environment": {**RECORD["environment"], "gpus": ["H200", "H200"]}}
    card = render_card(replace(manifest, parent=replace(manifest.parent, recipe=record)))
    assert ", gpus H200 and H200, " in section(card, "Training")


@pytest.mark.parametrize("recipe", [{}, {"parent": "x"}, {"recipe": "by hand", "timing": {"seconds": "long"}}])
def test_a_recipe_of_another_making_is_no_error(recipe: dict[str, Any], manifest: Manifest) -> None:
    assert "## Training" not in render_card(replace(manifest, parent=replace(manifest.parent, recipe=recipe)))


def test_grades_and_parity_are_told_where_there_are_any(manifest: Manifest) -> None:
    plain = render_card(replace(manifest, parity=None))
    assert "## Grades" not in plain
    assert "## Beside the model" not in plain
    graded = render_card(replace(manifest, outputs=Outputs(0, 1, 2)))
    assert "not a clinical stage" in section(graded, "Grades")
    beside = section(graded, "Beside the model it was made from")
    assert "decisions agree on 97.5%" in beside
    assert "Passed: asked for are decisions that agree on 98.0%, as far as 40 images can tell" in beside
    assert "FAILED" not in graded


def test_a_model_that_failed_its_check_says_so_before_anything_else(failed_bundle: Bundle) -> None:
    card = render_card(failed_bundle.manifest)
    assert card.splitlines()[2].startswith(f"**FAILED: {FAILED_CHECK}")
    assert "FAILED: asked for are" in section(card, "Beside the model it was made from")


def test_a_parity_that_nothing_was_asked_of_is_not_judged(manifest: Manifest) -> None:
    assert manifest.parity is not None
    card = render_card(replace(manifest, parity=replace(manifest.parity, verdict=None)))
    assert "Not judged" in section(card, "Beside the model it was made from")
    assert "FAILED" not in card


def test_a_model_of_several_bones_says_of_each_what_it_looks_for_and_when_it_refers(manifest: Manifest) -> None:
    card = render_card(routed(manifest, elbow="abnormality", knee="density"))
    bones = section(card, "Bones")
    assert "- elbow: any abnormality (elbow normal, elbow abnormal)" in bones
    assert "- knee: low bone density (knee normal, knee osteoporosis)" in bones
    assert "at least 0.60 probable (chosen on validation)" in bones
    assert "otherwise no head is asked, and the answer is uncertain." in bones
    decision = section(card, "Decision")
    assert (
        "- Refer a film of the elbow when the calibrated probability of abnormal, among the elbow's labels, is at "
        "least 0.300; uncertain from 0.250 to 0.350. The threshold was chosen on validation for a sensitivity of 0.90."
    ) in decision.splitlines()
    assert "of osteoporosis, among the knee's labels, is at least 0.400; uncertain from 0.350 to 0.450." in decision
    assert decision.count("Temperature") == 1
    assert section(card, "Limitations").strip() == f"{LIMITATIONS}\n\n{ABNORMALITY_LIMITATIONS}"


def test_a_model_of_one_question_refers_by_the_probability_of_its_labels(manifest: Manifest) -> None:
    decision = section(render_card(manifest), "Decision").strip()
    assert decision.startswith("Refer when the calibrated probability of osteopenia or osteoporosis is at least ")
    assert "among" not in decision
    assert "Temperature" in decision


def test_a_model_of_several_bones_is_measured_by_any_finding_first(manifest: Manifest) -> None:
    card = card_with(routed(manifest, elbow="abnormality", knee="density"), "AUROC any finding, test")
    assert "| AUROC any finding, test |" in section(card, "Measured")


def test_limitations_are_those_of_what_the_model_looks_for(manifest: Manifest) -> None:
    assert section(render_card(manifest), "Bones") == ""
    assert section(render_card(manifest), "Limitations").strip() == LIMITATIONS
    of_abnormalities = render_card(replace(manifest, finding="abnormality"))
    assert section(of_abnormalities, "Limitations").strip() == ABNORMALITY_LIMITATIONS
