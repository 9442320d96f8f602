"""Heads of several bones: their labels, what is chosen for each, and what is asked of the data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.dataset import Case, Dataset
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Router
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.heads import find_router, finding_of, labels_by_bone, least_confidence, with_heads

LABELS = ("elbow normal", "elbow abnormal", "knee normal", "knee osteopenia", "knee osteoporosis")
CONFIG = TrainConfig(labels=LABELS, heads=("elbow", "knee"), target_sensitivity=1.0, abstain_sensitivity=1.0)


def films(**labels: tuple[str, ...]) -> Dataset:
    """A data set with films of each bone, one for each of its labels."""
    cases = [
        Case(Path(f"{bone}-{label}.png"), f"{bone}-{label}.png", label, bone=bone)
        for bone, own in labels.items()
        for label in own
    ]
    return Dataset("films", Path("films"), tuple(cases))


BOTH = films(knee=("osteoporosis", "osteopenia", "normal"), elbow=("abnormal", "normal"))


def test_each_bone_brings_its_labels_with_the_reference_first() -> None:
    config = with_heads(TrainConfig(), BOTH)
    assert (config.heads, config.labels) == (("elbow", "knee"), LABELS)
    assert labels_by_bone(config) == {"elbow": LABELS[:2], "knee": LABELS[2:]}
    assert config.positive_labels == ("elbow abnormal", "knee osteopenia", "knee osteoporosis")


def test_only_the_wanted_bones_get_a_head() -> None:
    three = films(elbow=("normal", "abnormal"), hand=("normal", "abnormal"), wrist=("normal", "abnormal"))
    assert with_heads(TrainConfig(), three, ["wrist", "elbow"]).heads == ("elbow", "wrist")


@pytest.mark.parametrize(
    ("dataset", "wanted", "says"),
    [
        (
            Dataset("x", Path("x"), (Case(Path("a"), "a", "normal"),)),
            [],
            "1 of 1 films name no bone, the first of them a",
        ),
        (films(elbow=("normal", "abnormal")), [], "at least two bones, not of elbow"),
        (BOTH, ["elbow"], "at least two bones, not of elbow"),
        (BOTH, ["elbow", "skull"], "no film shows the bone 'skull'; there are elbow, knee"),
        (films(elbow=("normal",), knee=("normal", "abnormal")), [], "films of the elbow are labelled normal"),
        (films(elbow=("a", "b"), knee=("normal", "abnormal")), [], "films of the elbow are labelled a and b"),
    ],
)
def test_data_that_make_no_cascade_are_refused_in_one_line(dataset: Dataset, wanted: list[str], says: str) -> None:
    with pytest.raises(OsteoEdgeError, match=says):
        with_heads(TrainConfig(), dataset, wanted)


def test_the_labels_say_what_the_finding_is() -> None:
    assert finding_of(["abnormal"]) == finding_of(["elbow abnormal", "wrist Abnormal"]) == "abnormality"
    assert finding_of(["osteopenia"]) is finding_of(["elbow abnormal", "knee osteoporosis"]) is None


def found_router(probabilities: list[list[float]], classes: list[int]) -> Router:
    router = find_router(np.array(probabilities), np.array(classes), CONFIG)
    assert router is not None
    return router


def test_each_head_has_a_threshold_of_its_own_bones_films() -> None:
    """Elbows are answered low, knees high: one threshold for both would miss every elbow or call every knee."""
    elbow = [[0.9, 0.1, 0, 0, 0], [0.7, 0.3, 0, 0, 0]]
    knee = [[0, 0, 0.4, 0.5, 0.1], [0, 0, 0.2, 0.2, 0.6], [0, 0, 0.3, 0.4, 0.3]]
    router = found_router([*elbow, *knee], [0, 1, 2, 4, 3])
    thresholds = {head.bone: head.decision.threshold for head in router.heads}
    assert thresholds == pytest.approx({"elbow": 0.2, "knee": 0.65})
    assert [head.finding for head in router.heads] == ["abnormality", "density"]
    assert [head.decision.positive_labels for head in router.heads] == [LABELS[1:2], LABELS[3:]]


def test_a_network_without_heads_has_no_router() -> None:
    assert find_router(np.array([[0.5, 0.5]]), np.array([0]), TrainConfig(labels=("normal", "abnormal"))) is None


def test_the_least_confidence_leaves_one_film_in_a_hundred_misrouted() -> None:
    confidence, right = np.linspace(0.5, 1.0, 1001), np.ones(1001, bool)
    assert least_confidence(confidence, right) == pytest.approx(0.525)
    right[400:500] = False
    chosen = least_confidence(confidence, right)
    kept = confidence >= chosen
    assert np.mean(~right[kept]) <= 0.01 < np.mean(~right[confidence >= chosen - 0.0015])
    assert least_confidence(confidence, np.zeros(1001, bool)) == 1.0


def test_a_confidence_is_never_below_a_half() -> None:
    assert least_confidence(np.array([0.2, 0.3]), np.array([True, True])) == 0.5
    assert least_confidence(np.array([0.2, 0.3, 0.4]), np.array([False, True, True])) == 0.5


def test_a_network_that_is_always_right_must_be_as_sure_as_it_usually_is() -> None:
    """Else what shows none of the bones, and leaves it unsure, would be answered."""
    confidence = np.array([0.7, *[0.98] * 199])
    assert least_confidence(confidence, np.ones(200, bool)) == pytest.approx(0.98)


def test_settings_of_heads_survive_the_manifest() -> None:
    from osteo_edge.strict import from_dict, to_dict

    assert from_dict(TrainConfig, to_dict(CONFIG)) == CONFIG
    assert replace(CONFIG, heads=()).positive_labels == LABELS[1:]


@pytest.mark.parametrize("bone", ["hand", "router", "foot/ankle", "../hand", ".hand", ""])
def test_bones_whose_names_would_confuse_labels_or_folders_are_refused(bone: str) -> None:
    bones = {bone: ("normal", "abnormal"), "hand left": ("normal", "abnormal")}
    with pytest.raises(OsteoEdgeError, match=r"cannot be told apart|a bone cannot be called"):
        with_heads(TrainConfig(), films(**bones))


def test_a_head_is_about_density_only_where_its_labels_say_so() -> None:
    assert finding_of(["wrist fracture", "wrist metal"], of_bone=True) == "abnormality"
    assert finding_of(["positive"]) == "abnormality"
    assert finding_of(["knee low density"], of_bone=True) is None
