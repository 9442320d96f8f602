"""Kits for the machine that runs the tests, with a program of a few lines in them; and real ones, installed in
an emulated Raspberry Pi.
"""

import platform
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.kit import KIT_FILE, SUMS_FILE, Contents, Kit, KitFile, KnownAnswer, read_kit, sums_of
from osteo_edge.edge_app.pi.own_wheel import package_files
from osteo_edge.edge_app.pi.packs import tag_of
from osteo_edge.edge_app.pi.versions import Places
from osteo_edge.hashing import sha256_bytes, sha256_file
from tests.edge_app.pi.emulated import (
    BOOKWORM,
    TRIXIE,
    EmulatedPi,
    Installation,
    Suite,
    emulated_root,
    install_kit,
    kit_of,
    start_pi,
)

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
SCORE = 0.75
PROGRAM = """\
import json, sys
from filler import WORDS
if sys.argv[1] == "screen":
    print(json.dumps({{"score": {score}}}))
elif sys.argv[1] == "--version":
    print("osteo-edge, version {version}")
else:
    print("{{}}")
sys.exit({code})
"""

MakeKit = Callable[..., Kit]


@pytest.fixture(scope="session")
def make_kit(tmp_path_factory: pytest.TempPathFactory) -> MakeKit:
    """Make a kit whose program answers every film with `score`, and ends each command with `code`.

    With `installer` the kit's wheel holds all of ours beside that program, so that its own `install.sh` runs.
    """

    def make(
        version: str = "1.0.0",
        *,
        score: object = SCORE,
        code: int = 0,
        made_at: str = "2026-11-21T10:00:00+00:00",
        machine: str = platform.machine(),
        python: str = PYTHON,
        glibc: str = "2.17",
        installed_bytes: int = 1_000_000,
        enable: str = "exit 0",
        installer: bool = False,
    ) -> Kit:
        folder = tmp_path_factory.mktemp("kit") / f"osteo-edge-pi-{version}"
        for part in ("wheels", "bundle", "units"):
            (folder / part).mkdir(parents=True)
        (folder / "bundle" / "manifest.json").write_text("{}", "utf-8")
        (folder / "units" / "enable.sh").write_text(f"#!/bin/sh\n{enable}\n", "utf-8")
        for name in ("install.sh", "uninstall.sh"):
            (folder / name).write_bytes((REPOSITORY / "edge_app" / "pi" / name).read_bytes())
        wheel = folder / "wheels" / f"osteo_edge-{version}-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            program = PROGRAM.format(score=score, version=version, code=code)
            texts = {"osteo_edge/__init__.py": "", "osteo_edge/__main__.py": program}
            for name, path in (package_files() if installer else {}).items():
                if name not in texts:
                    archive.write(path, name)
            for name, text in texts.items():
                archive.writestr(name, text)
        pack = folder / "wheels" / f"{tag_of(python)}.tar.xz"
        filler = folder / "filler.py"
        filler.write_text("WORDS = 'what a package holds'\n" * 500, "utf-8")
        with tarfile.open(pack, "w:xz") as archive:
            for number in range(20):
                archive.add(filler, f"package/module_{number}.py")
            archive.add(filler, "filler.py")
        filler.unlink()
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        contents = Contents(
            schema=1,
            version=version,
            made_at=made_at,
            made_by=f"osteo-edge {version}",
            bundle="knee 1",
            model_sha256="0" * 64,
            machine=machine,
            glibc=glibc,
            packages={python: (f"wheels/{pack.name}", f"wheels/{wheel.name}")},
            installed_bytes={python: installed_bytes},
            known_answer=KnownAnswer(SCORE, 0.01, "LiteRT"),
            files={name: KitFile(sha256_file(folder / name), (folder / name).stat().st_size) for name in names},
        )
        (folder / KIT_FILE).write_bytes(contents.to_bytes())
        (folder / SUMS_FILE).write_bytes(sums_of(contents, sha256_bytes(contents.to_bytes())))
        return read_kit(folder)

    return make


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A device's files, below a folder."""
    root = tmp_path / "device"
    root.mkdir()
    return Places(root)


@pytest.fixture(
    scope="session",
    params=[BOOKWORM, pytest.param(TRIXIE, marks=pytest.mark.release)],
    ids=lambda suite: suite.name,
)
def suite(request: pytest.FixtureRequest) -> Suite:
    """The system that is emulated: Debian 12, and before a release Debian 13 as well."""
    found: Suite = request.param
    return found


@pytest.fixture(scope="session")
def shown(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the emulated system sees of this one: the kit, and what a test puts there."""
    return tmp_path_factory.mktemp(f"shown-{suite.name}")


@pytest.fixture(scope="session")
def bare_pi(suite: Suite, shown: Path, tmp_path_factory: pytest.TempPathFactory) -> EmulatedPi:
    """An emulated Raspberry Pi on which nothing of ours is installed."""
    return start_pi(emulated_root(suite), tmp_path_factory.mktemp(f"pi-{suite.name}"), shown)


@pytest.fixture(scope="session")
def pi_kit(bare_pi: EmulatedPi, suite: Suite, shown: Path) -> Kit:
    """A real kit for that system, with the demonstration's bundle: MobileNetV2 in int8."""
    return kit_of(suite, shown)


@pytest.fixture(scope="session")
def installation(bare_pi: EmulatedPi, pi_kit: Kit) -> Installation:
    return install_kit(bare_pi, pi_kit)


@pytest.fixture(scope="session")
def pi(installation: Installation) -> EmulatedPi:
    """An emulated Raspberry Pi with the kit on it; to change what is installed, work on a copy."""
    done = installation.done
    assert done.returncode == 0, done.stdout + done.stderr
    return installation.pi
