"""Layer 1: python-for-android's own graph of what is built, and in which order."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.android import versions

pytestmark = pytest.mark.skipif(
    find_spec("pythonforandroid") is None or find_spec("buildozer") is None,
    reason="python-for-android is not installed: pip install osteo-edge[android]",
)
PURE = {"defusedxml", "filetype", "pydicom", "six"}


@pytest.fixture(scope="module")
def found(staged_project: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("recipe_order.py")
    command = [sys.executable, str(script), str(staged_project)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_requirement_has_a_recipe_or_is_pure_python(found: dict[str, Any]) -> None:
    assert set(found["modules"]) == PURE
    assert set(found["requirements"]) <= PURE | set(found["order"])


def test_every_pure_python_package_is_named_with_its_version(found: dict[str, Any]) -> None:
    pins = {name.lower(): pin for name, pin in versions.pins().items()}
    assert {name: found["requirements"][name] for name in PURE} == {name: pins[name] for name in PURE}


def test_what_others_need_is_built_before_them(found: dict[str, Any]) -> None:
    order = found["order"]
    for first, then in [("python3", "numpy"), ("pillow", "fpdf2"), ("fonttools", "fpdf2"), ("sdl2", "kivy")]:
        assert order.index(first) < order.index(then), (first, then)


def test_nothing_large_comes_along(found: dict[str, Any]) -> None:
    assert not {"opencv", "opencv_extras", "tflite-runtime", "requests", "charset-normalizer", "scipy"} & {
        *found["order"],
        *found["modules"],
    }


def test_our_own_recipes_are_taken(found: dict[str, Any], staged_project: Path) -> None:
    assert found["kinds"]["kivy"] == "OfflineKivyRecipe"
    recipes = staged_project / "recipes"
    assert {name: Path(found["folders"][name]) for name in ("fonttools", "fpdf2")} == {
        name: recipes / name for name in ("fonttools", "fpdf2")
    }
    assert found["missing_patches"] == []


def test_the_versions_are_the_pinned_ones(found: dict[str, Any]) -> None:
    pinned = {
        "python3": versions.PYTHON,
        "kivy": versions.KIVY,
        "numpy": f"v{versions.NUMPY}",
        "pillow": versions.PILLOW,
        "fonttools": versions.FONTTOOLS,
        "fpdf2": versions.FPDF2,
    }
    assert {name: found["versions"][name] for name in pinned} == pinned
