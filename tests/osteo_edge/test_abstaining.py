from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.abstaining import band_words, stated_miss
from osteo_edge.manifest import Manifest
from tests.routed import routed


def recorded(manifest: Manifest, recipe: dict[str, Any]) -> Manifest:
    return replace(manifest, parent=replace(manifest.parent, recipe=recipe))


def test_the_rate_stands_in_the_record_of_the_training_however_often_the_model_was_converted(
    manifest: Manifest,
) -> None:
    train = {"train": {"abstain_sensitivity": 0.97}}
    for recipe in (train, {"convert": {}, "parent": train}, {"parent": {"prune": {}, "parent": train}}):
        assert stated_miss(recorded(manifest, recipe)) == 0.03
        words = band_words(recorded(manifest, recipe))
        assert words == (
            "Uncertain below the threshold, down to 0.400: chosen on validation, so that no more than 3.0% of the "
            "positive films there get no finding."
        )


@pytest.mark.parametrize("told", [None, [], {}, {"abstain_sensitivity": "0.97"}, {"abstain_sensitivity": True}, 3])
def test_a_record_that_does_not_say_it_states_no_rate(told: Any, manifest: Manifest) -> None:
    silent = recorded(manifest, {"train": told})
    assert stated_miss(silent) is None
    assert band_words(silent) == "Uncertain below the threshold, down to 0.400: chosen on validation."


def test_a_model_of_bones_has_a_band_for_each(manifest: Manifest) -> None:
    limbs = routed(manifest, elbow="abnormality", hand="abnormality")
    assert "down to elbow 0.250, hand 0.350: chosen" in band_words(limbs)
