"""The wheel: holds what it should, and does the main job in an environment that has never seen the repository."""

import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from osteo_edge.edge_app.pi.making import SCRIPTS
from osteo_edge.edge_app.pi.own_wheel import DIST_INFO, write_own_wheel

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = {"osteo_edge": "osteo_edge"} | {
    name: f"osteo_edge/{name}" for name in ("train", "convert", "benchmarks", "edge_app")
}
PAGE = "osteo_edge/edge_app/web/built/"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, built from the source distribution that lies beside it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, REPOSITORY], check=True, capture_output=True)
    return folder


def test_the_wheel_holds_every_module_under_one_name_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        files = {name for name in wheel.namelist() if ".dist-info/" not in name}
    expected = {
        f"{inside}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for folder, inside in FOLDERS.items()
        for path in (REPOSITORY / folder).rglob("*.py")
    }
    core = {"osteo_edge/py.typed", "osteo_edge/knee_template.npz"}
    emulation = {f"osteo_edge/benchmarks/emulation/{name}" for name in ("instruction_kinds.c", "gate.json")}
    app = {
        f"osteo_edge/{path.relative_to(REPOSITORY).as_posix()}"
        for pattern in (
            "demo_bundle/*",
            "exports/fonts/*",
            "languages/*/LC_MESSAGES/*",
            "pi/units/*",
            "pi/debian/*",
            "ui/*.kv",
            "android/project/**/*.*",
            "android/java/**/*.java",
            "web/litert_operators.json",
        )
        for path in (REPOSITORY / "edge_app").glob(pattern)
        if path.is_file() and path.suffix != ".pyc"
    }
    app |= {f"osteo_edge/edge_app/pi/{name}" for name in SCRIPTS}
    page = {name for name in files if name.startswith(PAGE)}  # as far as it was built
    assert files - page == expected | core | emulation | app | {"osteo_edge/edge_app/drawn_film.jpg"}
    assert not page or f"{PAGE}index.html" in page


def test_the_wheel_that_the_program_makes_of_itself_holds_and_requires_the_same(built: Path, tmp_path: Path) -> None:
    """What a kit for the Raspberry Pi carries, made without a build tool; but the page for a browser is not in it."""
    found = []
    for path in (next(built.glob("*.whl")), write_own_wheel(tmp_path)):
        with zipfile.ZipFile(path) as wheel:
            about = Parser().parsestr(wheel.read(f"{DIST_INFO}/METADATA").decode())
            names = {n for n in wheel.namelist() if not n.endswith("top_level.txt") and not n.startswith(PAGE)}
            required = {Requirement(line) for line in about.get_all("Requires-Dist", [])}
            commands = wheel.read(f"{DIST_INFO}/entry_points.txt").split()
        pythons = set(about["Requires-Python"].split(","))
        found.append((names, required, pythons, set(about.get_all("Provides-Extra", [])), commands))
    assert found[0] == found[1]


def test_the_source_distribution_carries_the_tests_and_the_licence(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "tests/conftest.py", "tests/test_wheel.py", "Makefile", "CHANGELOG.md"} <= names


@pytest.mark.tf
def test_a_fresh_environment_runs_the_demo_from_outside_the_repository(built: Path, tmp_path: Path) -> None:
    wheel = next(built.glob("*.whl"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    binaries = tmp_path / "venv" / "bin"
    quickly = ("--quiet", "--no-compile")  # Python compiles what the demo imports
    install: list[str | Path] = [binaries / "python", "-m", "pip", "install", *quickly, f"{wheel}[train]"]
    subprocess.run(install, check=True, env=environment)
    demo: list[str | Path] = [binaries / "osteo-edge", "demo", "--out", "trial", "--per-class", "20", "--epochs", "2"]
    done = subprocess.run(demo, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    trial = tmp_path / "trial"
    assert {path.name for path in trial.iterdir()} == {
        "phantoms", "split.csv", "knee", "knee-float32", "knee-int8", "report.html", "pictures", "bench",
    }  # fmt: skip
    assert len(list((trial / "pictures").glob("*.png"))) == 1
    assert "LiteRT" in (trial / "bench" / "report.html").read_text("utf-8")
    assert "DEMONSTRATION ONLY" in (trial / "report.html").read_text("utf-8")
