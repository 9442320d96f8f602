"""What the input gate says of a picture reaches the reader in the language of the app."""

from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.languages.extract import LANGUAGES
from osteo_edge.gate import fault_of
from osteo_edge.image_quality import ImageQuality

FAULTS: dict[str, dict[str, Any]] = {
    "a strip": {"aspect": 3.72},
    "noise": {"smoothness": 0.1, "even": 0.01},
    "a page of text": {"smoothness": 0.5, "even": 0.6},
    "far too dark": {"brightest": 0.1},
    "a negative": {"relief": -0.5, "side": 0.9},
    "over-exposed": {"white": 0.237},
    "compressed": {"blocks": 3.0},
    "the picture is blurred": {"detail": 0.2},
    "a screenshot": {"screen": 0.3},
    "a white patch": {"patch": 0.02},
}
SOUND = ImageQuality(
    aspect=1.2,
    tones=200,
    smoothness=0.99,
    even=0.4,
    screen=0.0,
    brightest=0.9,
    white=0.0,
    side=0.02,
    relief=0.6,
    patch=0.0,
    detail=0.65,
    blocks=1.1,
)
"""The figures of most films."""


def test_a_sound_picture_has_no_fault() -> None:
    assert fault_of(SOUND) is None


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_is_told_in_every_language_with_its_numbers(fault: str, language: str) -> None:
    line = fault_of(replace(SOUND, **FAULTS[fault]))
    assert line is not None
    assert line.startswith(fault)
    told = open_catalogue(language)(line)
    assert told != line
    assert [word for word in ("3.7", "24 %") if word in line] == [word for word in ("3.7", "24 %") if word in told]
    assert "{" not in told
