"""The Debian package in an emulated arm64 Debian: installed, used, upgraded, removed and purged.

This machine's dpkg unpacks it there and runs its scripts with DPKG_ROOT, as for an image; what the package brings is
run by the emulator.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.pi.deb import build_deb_for
from osteo_edge.edge_app.pi.kit import Kit
from tests.edge_app.pi.emulated import CURRENT, EmulatedPi, Suite
from tests.edge_app.pi.small_kit import MAINTAINER, write_small_kit
from tests.edge_app.pi.test_deb import System, needs_packaging, needs_root

pytestmark = [pytest.mark.device, pytest.mark.slow, needs_packaging, needs_root]

MAX_DEB_BYTES = 120_000_000


def test_the_whole_life_of_the_package(
    bare_pi: EmulatedPi, pi_kit: Kit, suite: Suite, shown: Path, tmp_path: Path
) -> None:
    package = build_deb_for(suite.python, pi_kit.path, tmp_path, MAINTAINER)
    assert package.stat().st_size <= MAX_DEB_BYTES
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", str(bare_pi.lower[-1]), str(root)], check=True)
    system = System(root)
    board = EmulatedPi((root,), tmp_path, shown)

    done = system.dpkg("--install", package)
    assert done.returncode == 0, done.stderr
    assert system.started_at_boot == ["osteo-edge-watch.service"]
    shutil.copy(DRAWN_FILM, shown / "film.jpg")
    answered = board.run(f"osteo-edge screen {CURRENT}/bundle /mnt/film.jpg --json")
    assert answered.returncode == 0, answered.stderr
    answer = json.loads(answered.stdout)
    assert (answer["outcome"], answer["runtime"].split()[0]) == ("refer", "LiteRT")

    newer = write_small_kit(tmp_path / "kit", version="9.0.0")
    done = system.dpkg("--install", build_deb_for(suite.python, newer.path, tmp_path, MAINTAINER))
    assert done.returncode == 0, done.stderr
    assert board.run("osteo-edge --version").stdout == "osteo-edge 9.0.0\n"

    assert system.dpkg("--remove", "osteo-edge").returncode == 0
    assert not (root / "opt" / "osteo-edge").exists()
    assert system.dpkg("--purge", "osteo-edge").returncode == 0
    assert not (root / "etc" / "osteo-edge").exists()
    assert (root / "var/lib/osteo-edge/in").is_dir()
