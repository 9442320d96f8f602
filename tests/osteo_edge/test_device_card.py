"""The parts of the model card that the FDA's draft guidance of January 2025 asks for."""

from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.about import ASKED, NOTHING_SAID, About
from osteo_edge.device_card import SAID_BY, SAYS
from osteo_edge.manifest import Familiarity, Manifest, Outputs
from osteo_edge.model_card import render_card
from tests.routed import routed

ALL_SAID: dict[str, Any] = {name: f"about the {name}" for name in ASKED}
ALL_SAID |= {"references": ("about the references",), "changelog": {"1": "about the changelog"}}


def section(card: str, title: str) -> str:
    """The text under a heading, empty without the heading."""
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0].strip()


def test_the_card_has_the_parts_that_a_device_is_described_by(manifest: Manifest) -> None:
    card = render_card(manifest)
    parts = (
        "Intended use", "Device", "Model", "Decision", "Data", "Measured", "What it refuses", "Limitations", "Risks",
        "Updates and monitoring",
    )  # fmt: skip
    assert [part for part in parts if not section(card, part)] == []


def test_what_the_manifest_knows_is_told(manifest: Manifest) -> None:
    card = render_card(manifest)
    device = section(card, "Device")
    assert "- Name: golden, version 1" in device
    assert "- Made by tests/data/make_golden.py, 2025-01-01T00:00:00+00:00" in device
    model = section(card, "Model")
    assert "(DICOM of modality CR, DX, or a picture), of which it sees the whole film" in model
    assert "the calibrated probability of osteopenia or osteoporosis" in model
    assert "- Needs: LiteRT" in model
    assert "shorter side is below 160 pixels, whose contrast is below 0.04 or" in section(card, "What it refuses")
    assert "A sensitivity of 0.90 was asked for" in section(card, "Risks")


def test_what_nobody_said_is_listed_and_not_made_up(manifest: Manifest) -> None:
    card = render_card(manifest)
    listed = section(card, "Not stated")
    for name, asked in ASKED.items():
        assert f"- `{name}`: {asked}" in listed.splitlines()
    told = card.replace(listed, "")
    assert [words for words in SAYS.values() if f"- {words}:" in told] == []
    assert SAID_BY not in card


@pytest.mark.parametrize("name", ASKED)
def test_what_was_said_stands_in_its_part_and_no_longer_among_what_was_not(name: str, manifest: Manifest) -> None:
    card = render_card(manifest, About(**{name: ALL_SAID[name]}))
    told, _, listed = card.partition("## Not stated")
    assert f"- `{name}`:" not in listed
    assert listed.count("\n- `") == len(ASKED) - 1
    said = [line for line in told.splitlines() if f"about the {name}" in line]
    assert [line.partition(":")[0] for line in said] == [f"- {SAYS[name]}"]
    assert SAID_BY in told


def test_a_card_on_which_all_was_said_lists_nothing(manifest: Manifest) -> None:
    assert "## Not stated" not in render_card(manifest, About(**ALL_SAID))


def test_what_was_said_makes_no_heading_or_item_of_its_own(manifest: Manifest) -> None:
    card = render_card(manifest, About(users="anyone\n\n## Measured\n\n- sensitivity 1.00"))
    assert "- Users: anyone ## Measured - sensitivity 1.00" in card.splitlines()
    assert card.count("\n## Measured\n") == 1


def test_the_network_is_named_where_training_recorded_it(manifest: Manifest) -> None:
    record = {"train": {"backbone": "mobilenet_v2", "alpha": 0.35, "weights": "none"}}
    nested = replace(manifest, parent=replace(manifest.parent, recipe={"convert": {}, "parent": record}))
    assert "- Network: mobilenet_v2, width 0.35; weights at the start: none" in section(render_card(nested), "Model")
    assert "- Network:" not in render_card(manifest)


def test_a_model_that_knows_its_films_and_one_that_does_not_say_so(manifest: Manifest) -> None:
    assert "Nothing tells a film unlike those" in section(render_card(manifest), "Risks")
    knows = replace(
        manifest,
        outputs=Outputs(0, 1, None, 2),
        familiarity=Familiarity("familiarity.npz", 2.0, "train", 60, "validation", 30, 0.0),
    )
    assert "are refused, most of them" in section(render_card(knows), "Risks")


def test_a_keras_model_and_one_without_a_map_are_described_as_such(manifest: Manifest) -> None:
    plain = replace(manifest, model=replace(manifest.model, format="keras"), outputs=Outputs(0, None))
    model = section(render_card(plain), "Model")
    assert "- Needs: TensorFlow;" in model
    assert "- Shows:" not in model


def test_a_model_of_both_findings_says_which_of_its_answers_are_watched(manifest: Manifest) -> None:
    told = section(render_card(routed(manifest, elbow="abnormality", knee="density")), "Updates and monitoring")
    assert "beside the DXA results" in told
    assert "Answers about abnormalities are compared with nothing" in told
    only = section(render_card(routed(manifest, elbow="abnormality", wrist="abnormality")), "Updates and monitoring")
    assert "DXA" not in only


def test_a_bundle_s_own_card_is_that_of_its_manifest_alone(manifest: Manifest) -> None:
    assert render_card(manifest) == render_card(manifest, NOTHING_SAID)
