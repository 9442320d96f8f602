from dataclasses import replace
from typing import Any

import pytest

from osteo_edge.device import Device
from osteo_edge.edge_app.pi.device import require_fit
from osteo_edge.edge_app.pi.kit import KitError

PI = Device("aarch64", 64, "3.11", "2.36")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"machine": "x86_64"}, "the kit is for aarch64, and this is x86_64"),
        ({"bits": 32}, "this system is a 32-bit one"),
        ({"python": "3.9"}, r"the kit is for Python 3\.11, and this is 3\.9"),
        ({"glibc": "2.27"}, r"the kit needs glibc 2\.28, and this system has 2\.27"),
        ({"glibc": None}, r"the kit needs glibc 2\.28, and this system has none"),
    ],
)
def test_a_device_that_the_kit_is_not_for_is_told_so(make_kit: Any, changes: dict[str, Any], words: str) -> None:
    contents = make_kit(machine="aarch64", python="3.11", glibc="2.28").contents
    require_fit(contents, PI)
    require_fit(contents, replace(PI, glibc="2.100"))
    with pytest.raises(KitError, match=words):
        require_fit(contents, replace(PI, **changes))
