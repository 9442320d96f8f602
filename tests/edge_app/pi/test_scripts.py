"""The two shell scripts of a kit, run as they are, below a folder."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.pi.kit import Kit
from osteo_edge.edge_app.pi.making import SCRIPTS
from osteo_edge.edge_app.pi.versions import Places

HERE = Path(__file__).resolve().parents[3] / "edge_app" / "pi"
SYSTEM_PYTHON = Path("/usr/bin", f"python3.{sys.version_info[1]}")
PROGRAM_BYTES = 10_000_000
"""Ample for the program itself, which is all that these kits install."""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(places: Places, tmp_path: Path) -> Run:
    """Run a script of a kit below the device's root; `uname` and `getconf` say what a test wants."""
    tools = tmp_path / "tools"
    tools.mkdir()

    def start(script: Path, *words: str, **answers: str) -> "subprocess.CompletedProcess[str]":
        for tool, answer in answers.items():
            (tools / tool).write_text(f"#!/bin/sh\necho {answer}\n", "utf-8")
            (tools / tool).chmod(0o755)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "ROOT": str(places.root)}
        command = ["/bin/sh", str(script), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return start


@pytest.fixture
def kit(make_kit: Any) -> Kit:
    """A kit whose installer is the real one, while what it installs is of a few lines."""
    made: Kit = make_kit()
    return made


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_are_clean(script: str) -> None:
    subprocess.run(["/bin/sh", "-n", HERE / script], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck: apt-get install shellcheck")
    subprocess.run(["shellcheck", HERE / script], check=True)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"uname": "armv7l"}, "the kit is for .*, and this is armv7l"),
        ({"getconf": "32"}, "this system is a 32-bit one"),
    ],
)
def test_another_machine_is_told_so(kit: Kit, run: Run, answers: dict[str, str], words: str) -> None:
    done = run(kit.path / "install.sh", **answers)
    assert done.returncode == 1
    assert_one_line(done.stderr, words)


def test_another_python_is_told_so(make_kit: Any, run: Run) -> None:
    done = run(make_kit(python="3.99").path / "install.sh")
    assert_one_line(done.stderr, r"the kit is for Python 3\.99, which is not here")


@pytest.mark.parametrize("name", ["kit.json", "SHA256SUMS", "install.sh", "bundle/manifest.json"])
def test_a_damaged_kit_is_told_so_before_anything_of_it_runs(kit: Kit, run: Run, tmp_path: Path, name: str) -> None:
    copied = Path(shutil.copytree(kit.path, tmp_path / "kit"))
    data = (copied / name).read_bytes()
    (copied / name).write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
    assert_one_line(run(copied / "install.sh").stderr, "damaged: a file is missing or altered|damaged: kit.json")


def test_what_is_missing_is_told(kit: Kit, run: Run, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(kit.path, tmp_path / "kit"))
    (copied / "kit.json").unlink()
    assert_one_line(run(copied / "install.sh").stderr, "damaged: kit.json is missing")


@pytest.mark.skipif(not SYSTEM_PYTHON.is_file(), reason=f"no {SYSTEM_PYTHON}")
def test_the_installer_runs_out_of_the_kit_again_and_again(make_kit: Any, run: Run, places: Places) -> None:
    kit = make_kit(installer=True, installed_bytes=PROGRAM_BYTES)
    for said in ("is installed", "is installed already, and works"):
        done = run(kit.path / "install.sh")
        assert (done.returncode, done.stderr) == (0, "")
        assert said in done.stdout
        assert done.stdout.endswith("{}\n")  # what the kit's program says as its doctor
    installed = subprocess.run([places.current / "bin" / "osteo-edge", "--version"], capture_output=True, check=True)
    assert installed.stdout == b"osteo-edge, version 1.0.0\n"
    assert (places.current / "bin" / "osteo-edge").read_text("utf-8").count(str(SYSTEM_PYTHON)) == 1
    assert run(places.current / "uninstall.sh").returncode == 0
    assert not places.home.exists()


@pytest.mark.skipif(not SYSTEM_PYTHON.is_file(), reason=f"no {SYSTEM_PYTHON}")
def test_the_installer_tells_what_is_wrong_in_one_line(make_kit: Any, run: Run, places: Places) -> None:
    done = run(make_kit(installer=True, installed_bytes=PROGRAM_BYTES, score=0.5).path / "install.sh")
    assert done.returncode == 1
    assert_one_line(
        done.stderr, r"^osteo-edge: .* does not work on this device: its score for the drawn film is 0\.5000"
    )
    assert run(make_kit(installer=True, installed_bytes=PROGRAM_BYTES).path / "install.sh", "--unknown").returncode == 2


def test_uninstalling_leaves_the_data(places: Places, run: Run, kit: Kit) -> None:
    film = places.root / "var" / "lib" / "osteo-edge" / "app" / "film"
    film.parent.mkdir(parents=True)
    film.touch()
    places.versions.mkdir(parents=True)
    places.command.parent.mkdir(parents=True)
    places.command.symlink_to("/opt/osteo-edge/current/bin/osteo-edge")
    done = run(kit.path / "uninstall.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the data in" in done.stdout
    assert not places.home.exists()
    assert not places.command.is_symlink()
    assert film.exists()
    assert run(kit.path / "uninstall.sh", "--purge-data").returncode == 0
    assert not film.exists()


def test_uninstalling_leaves_another_command_alone(places: Places, run: Run, kit: Kit) -> None:
    places.command.parent.mkdir(parents=True)
    places.command.write_text("somebody's own", "utf-8")
    assert run(kit.path / "uninstall.sh").returncode == 0
    assert places.command.exists()


def test_an_unknown_option_is_one_line(run: Run, kit: Kit) -> None:
    assert_one_line(run(kit.path / "uninstall.sh", "--all").stderr, "--all: no such option")


def assert_one_line(text: str, words: str) -> None:
    assert len(text.strip().splitlines()) == 1, text
    assert re.search(words, text), text
