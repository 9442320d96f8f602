"""What the positive answers of a model speak of."""

from dataclasses import replace

import pytest

from osteo_edge.findings import findings_of
from osteo_edge.manifest import Manifest
from osteo_edge.wording import Finding
from tests.routed import routed


def test_a_model_that_does_not_say_looks_for_low_bone_density(manifest: Manifest) -> None:
    assert findings_of(replace(manifest, finding=None)) == ("density",)
    assert findings_of(replace(manifest, finding="abnormality")) == ("abnormality",)


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
