"""The app's home screen, drawn by the installed app on an emulated Cortex-A76, beside what this machine draws.

Both draw without a screen (SDL's offscreen driver) and in software (Mesa's llvmpipe). The picture of the emulated
system stays in build/screens.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.edge_app.pi.emulated import BOOKWORM, CURRENT, PACKAGES, EmulatedPi, emulated_root

pytestmark = [
    *(pytest.mark.release, pytest.mark.device, pytest.mark.slow),
    pytest.mark.parametrize("suite", [BOOKWORM], indirect=True, scope="session", ids=["bookworm"]),
]

Picture = npt.NDArray[np.int16]

KEPT: Final = Path(__file__).resolve().parents[3] / "build" / "screens" / "emulated-home.png"
SCRIPT: Final = Path(__file__).with_name("draw_home.py")
DRAWING: Final = ("libegl1", "libgl1", "libgl1-mesa-dri", "libgles2", "libmtdev1")
"""What install.sh says is missing of a system without a desktop, and Mesa's drawing in software."""
OFFSCREEN: Final = {
    "SDL_VIDEODRIVER": "offscreen",
    "KIVY_GL_BACKEND": "sdl2",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "GALLIUM_DRIVER": "llvmpipe",
    "LP_NUM_THREADS": "0",
    "LANG": "C.UTF-8",
}
VISIBLE: Final = 24
"""Of 255: what an edge that is smoothed otherwise stays below."""
MAX_SHARE: Final = 0.01
"""Of the pixels that differ visibly. Measured: 0, the pictures are the same bit by bit; Mesa of another version may
smooth edges otherwise. An empty screen differs in 16 %."""


@pytest.fixture
def here(tmp_path: Path) -> Picture:
    """What this machine draws."""
    if find_spec("kivy") is None:
        pytest.skip("no Kivy: pip install 'osteo-edge[app]'")
    picture = tmp_path / "here.png"
    command = [sys.executable, str(SCRIPT), str(tmp_path / "data"), str(picture)]
    return drawn(
        subprocess.run(command, env=os.environ | OFFSCREEN, capture_output=True, text=True, check=False), picture
    )


@pytest.fixture
def there(pi: EmulatedPi, tmp_path: Path) -> Picture:
    """What the app that the kit has installed draws; its picture is kept."""
    work = tmp_path / "pi"
    work.mkdir()
    drawing = pi.on(emulated_root(BOOKWORM, (*PACKAGES, *DRAWING)), work)
    shutil.copy(SCRIPT, pi.shown)
    words = " ".join(f"{name}={value}" for name, value in OFFSCREEN.items())
    command = f"PYTHONPATH={CURRENT}/lib {words} python3 /mnt/{SCRIPT.name} /tmp/data /mnt/home.png"
    picture = drawn(drawing.run(command), pi.shown / "home.png")
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(pi.shown / "home.png", KEPT)
    return picture


def test_the_home_screen_is_drawn_as_on_this_machine(here: Picture, there: Picture) -> None:
    assert here.shape == there.shape == (480, 800, 3)
    assert share_visible(here, there) <= MAX_SHARE
    assert share_visible(np.full_like(there, there[-1, 0]), here) > 10 * MAX_SHARE, "what is drawn here is blank"


def drawn(done: "subprocess.CompletedProcess[str]", picture: Path) -> Picture:
    """The picture of a run of the script, which must have been drawn in software."""
    assert done.returncode == 0, done.stderr
    assert "llvmpipe" in json.loads(done.stdout.splitlines()[-1])["renderer"]
    pixels = cv2.imread(str(picture))
    assert pixels is not None
    return pixels.astype(np.int16)


def share_visible(one: Picture, other: Picture) -> float:
    """The share of the pixels that differ by more than `VISIBLE` in one colour."""
    return float((np.abs(one - other).max(axis=-1) > VISIBLE).mean())
