"""Layer 2: what pip gives python-for-android for a phone, asked with its own flags."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.android import versions

PLATFORMS = {  # PyProjectRecipe.get_wheel_platform_tags
    "arm64-v8a": ("arm64_v8a", "aarch64"),
    "armeabi-v7a": ("arm",),
    "x86_64": ("x86_64",),
}
PINS = {name.lower(): pin for name, pin in versions.pins().items()}
MODULES = ("defusedxml", "filetype", "pydicom", "six")
RECIPES = ("fonttools", "fpdf2")
NO_INDEX = ("from versions: none", "Retrying", "ConnectionError", "NewConnectionError")


def resolve(names: tuple[str, ...], arch: str, constraints: Path, *, alone: bool = False) -> dict[str, str]:
    """The files that pip would install, by package; skips where no package index answers."""
    report = constraints.with_name(f"report-{arch}-{len(names)}.json")
    platforms = [f"--platform=android_{versions.MIN_API}_{suffix}" for suffix in PLATFORMS[arch]]
    flags = ["--dry-run", "--break-system-packages", "--ignore-installed", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "install", *names, *flags, "--only-binary=:all:", "--report", str(report)]
    command += [*platforms, "--python-version", versions.PYTHON, *(["--no-deps"] if alone else [])]
    environ = os.environ | {"PIP_CONSTRAINT": str(constraints), "PIP_RETRIES": "0", "PIP_TIMEOUT": "10"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environ)
    if done.returncode != 0 and any(words in done.stderr for words in NO_INDEX):
        pytest.skip("no package index answers")
    assert done.returncode == 0, done.stderr
    installed: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
    return {found["metadata"]["name"].lower(): found["download_info"]["url"].rpartition("/")[2] for found in installed}


@pytest.fixture
def constraints(staged_project: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "constraints.txt"
    copy.write_bytes((staged_project / "constraints.txt").read_bytes())
    return copy


@pytest.mark.parametrize("arch", PLATFORMS)
def test_every_package_without_a_recipe_is_pure_python_and_nothing_comes_along(arch: str, constraints: Path) -> None:
    found = resolve(MODULES, arch, constraints)
    assert set(found) == set(MODULES)
    for name, file in found.items():
        assert file.startswith(f"{name}-{PINS[name]}-")
        assert file.endswith("-none-any.whl")


@pytest.mark.parametrize("name", RECIPES)
def test_our_recipes_find_a_wheel_that_is_pure_python(name: str, constraints: Path) -> None:
    found = resolve((f"{name}=={PINS[name]}",), "arm64-v8a", constraints, alone=True)
    assert found == {name: f"{name}-{PINS[name]}-py3-none-any.whl"}


def test_the_constraints_are_what_pip_reads(constraints: Path) -> None:
    lines = [line for line in constraints.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert "charset-normalizer<3.5" in lines
    assert {line for line in lines if "==" in line} == {f"{name}=={PINS[name]}" for name in (*MODULES, *RECIPES)}
