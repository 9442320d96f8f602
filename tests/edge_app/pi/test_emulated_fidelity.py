"""How the demonstration's bundle answers on emulated processors of a Raspberry Pi, beside x86.

python -m pytest tests/edge_app/pi/test_emulated_fidelity.py        prints the table of docs/pi.md
"""

import sys
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from osteo_edge.edge_app.demo_bundle import FOLDER
from tests.edge_app.pi.beside_x86 import HEAD, answers_here, answers_there, beside, draw_films
from tests.edge_app.pi.emulated import BOOKWORM, CPUS, CURRENT, EmulatedPi

pytestmark = [
    *(pytest.mark.release, pytest.mark.device, pytest.mark.slow),
    pytest.mark.parametrize("suite", [BOOKWORM], indirect=True, scope="session", ids=["bookworm"]),
]

FILMS: Final = 36
DENSEST, THINNEST = 1.5, -4.5
MAX_DIFFERENCE, MAX_MEAN = 0.03, 0.005
"""Of a calibrated probability. Measured on both processors: 0.0178 at most, 0.0021 on average."""
MAX_OTHERWISE: Final = 1
"""Films that may be decided otherwise, since they lie beside a threshold; measured: none of them."""


def test_a_raspberry_pi_answers_as_x86_does(pi: EmulatedPi, shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evenly from thin to dense bone, so that some films lie beside a threshold, where the least difference shows."""
    folder = shown / "fidelity"
    folder.mkdir()
    films = draw_films(folder, np.linspace(THINNEST, DENSEST, FILMS))
    here = answers_here(FOLDER, films)
    found = {cpu: beside(cpu, here, answers_there(pi, f"{CURRENT}/bundle", films, cpu)) for cpu in CPUS}
    with capsys.disabled():
        sys.stdout.write("\n".join(["", HEAD, *(one.row for one in found.values()), ""]))
    for one in found.values():
        assert one.largest_difference <= MAX_DIFFERENCE
        assert one.mean_difference.value <= MAX_MEAN
        assert one.same_outcome.value >= 1 - MAX_OTHERWISE / FILMS
