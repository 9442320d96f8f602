import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from osteo_edge.edge_app.pi import own_wheel
from osteo_edge.edge_app.pi.own_wheel import package_files, write_own_wheel
from osteo_edge.hashing import sha256_file
from osteo_edge.version import VERSION

STDLIB_ONLY = """\
import sys
sys.path.insert(0, sys.argv[1])
import osteo_edge.edge_app.pi.installer as installer
assert sys.argv[1] in installer.__file__
print(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


def test_the_installer_runs_out_of_the_wheel_with_pythons_own_library(tmp_path: Path) -> None:
    wheel = write_own_wheel(tmp_path)
    command: list[str | Path] = [sys.executable, "-I", "-S", "-c", STDLIB_ONLY, wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['__main__', 'osteo_edge']"


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert sha256_file(write_own_wheel(tmp_path)) == sha256_file(write_own_wheel(tmp_path / "again"))


def test_the_wheel_says_what_it_needs_and_which_command_it_brings(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_own_wheel(tmp_path)) as wheel:
        about = wheel.read(f"osteo_edge-{VERSION}.dist-info/METADATA").decode()
        commands = wheel.read(f"osteo_edge-{VERSION}.dist-info/entry_points.txt").decode()
        record = wheel.read(f"osteo_edge-{VERSION}.dist-info/RECORD").decode().splitlines()
        assert sorted(line.split(",")[0] for line in record) == sorted(wheel.namelist())
    assert f"\nVersion: {VERSION}\n" in about
    assert "\nRequires-Dist: numpy>=1.26\n" in about
    assert '\nRequires-Dist: kivy>=2.3.1; python_version < "3.14" and extra == "app"\n' in about
    assert "osteo-edge = osteo_edge.cli:main" in commands


def test_the_page_that_is_packed_on_a_workstation_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sources, page = own_wheel._source_files, "osteo_edge/edge_app/web/built/index.html"
    monkeypatch.setattr(own_wheel, "_source_files", lambda folder: {**sources(folder), page: Path(__file__)})
    found = package_files()
    assert page not in found
    assert "osteo_edge/edge_app/web/__init__.py" in found


def test_an_installed_program_makes_the_same_wheel(tmp_path: Path) -> None:
    """Without its sources: from what is installed, and what that says of itself."""
    wheel = write_own_wheel(tmp_path)
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (tmp_path / "again").mkdir()
    script = (
        "import sys; from pathlib import Path; from osteo_edge.edge_app.pi.own_wheel import write_own_wheel as write; "
        "import osteo_edge; assert sys.argv[1] in osteo_edge.__file__; write(Path(sys.argv[2]))"
    )
    path = {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    command: list[str | Path] = [sys.executable, "-S", "-c", script, site, tmp_path / "again"]
    subprocess.run(command, env=os.environ | path, cwd=tmp_path, check=True)
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(tmp_path / "again" / wheel.name) as two:
        assert {name: one.read(name) for name in one.namelist()} == {name: two.read(name) for name in two.namelist()}
