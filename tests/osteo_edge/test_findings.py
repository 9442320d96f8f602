"""What the positive answers of a model speak of."""

from dataclasses import replace

import pytest

from osteo_edge.findings import finding_called, findings_of
from osteo_edge.manifest import Manifest
from osteo_edge.wording import Finding
from tests.routed import routed


def test_a_model_that_does_not_say_looks_for_low_bone_density(manifest: Manifest) -> None:
    assert findings_of(replace(manifest, finding=None)) == ("density",)
    assert findings_of(replace(manifest, finding="abnormality")) == ("abnormality",)


def labelled(manifest: Manifest, *positive: str) -> Manifest:
    """The manifest of a model of these positive labels that does not say what they are."""
    decision = replace(manifest.decision, positive_labels=positive)
    return replace(manifest, labels=("normal", *positive), decision=decision, finding=None)


def test_labels_that_are_all_abnormal_say_it_where_nothing_else_does(manifest: Manifest) -> None:
    assert findings_of(labelled(manifest, "abnormal")) == ("abnormality",)
    assert findings_of(labelled(manifest, "elbow abnormal", "wrist Abnormal")) == ("abnormality",)
    assert findings_of(labelled(manifest, "abnormal", "osteoporosis")) == ("density",)
    assert findings_of(replace(labelled(manifest, "abnormal"), finding="density")) == ("density",)


@pytest.mark.parametrize("labels", [(), ("",), ("paranormal",), ("abnormal density",)])
def test_any_other_label_is_of_bone_density(labels: tuple[str, ...]) -> None:
    assert finding_called(labels) == "density"


@pytest.mark.parametrize(
    ("elbow", "knee", "found"),
    [
        ("abnormality", "abnormality", ("abnormality",)),
        ("density", "density", ("density",)),
        ("abnormality", "density", ("density", "abnormality")),
    ],
)
def test_of_a_model_of_several_bones_the_heads_say_it(
    manifest: Manifest, elbow: Finding, knee: Finding, found: tuple[Finding, ...]
) -> None:
    assert findings_of(routed(manifest, elbow=elbow, knee=knee)) == found
