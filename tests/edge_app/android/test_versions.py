import ast
import configparser
import re
from importlib import metadata, util
from pathlib import Path

import pytest

from osteo_edge.edge_app.android import versions

REPOSITORY = Path(__file__).resolve().parents[3]


def p4a_folder() -> Path:
    spec = util.find_spec("pythonforandroid")
    if spec is None or spec.origin is None:
        pytest.skip("python-for-android is not installed: pip install osteo-edge[android]")
    return Path(spec.origin).parent


def recipe_version(name: str) -> str:
    """The version in a recipe's source: its first assignment in a class."""
    source = (p4a_folder() / "recipes" / name / "__init__.py").read_text("utf-8")
    found = [
        statement.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "version"
        if isinstance(statement.value, ast.Constant)
    ]
    return str(found[0]).removeprefix("v")


def test_the_builders_are_those_that_the_extra_installs() -> None:
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg", "utf-8")
    extra = setup["options.extras_require"]["android"]
    assert f"buildozer=={versions.BUILDOZER}" in extra
    assert f"python-for-android=={versions.PYTHON_FOR_ANDROID}" in extra


def test_the_tag_is_that_of_the_release() -> None:
    year, month, day = map(int, versions.PYTHON_FOR_ANDROID.split("."))
    assert f"v{year}.{month:02}.{day:02}" == versions.P4A_COMMIT


@pytest.mark.parametrize(
    ("recipe", "pin"),
    [
        ("python3", versions.PYTHON),
        ("hostpython3", versions.PYTHON),
        ("kivy", versions.KIVY),
        ("numpy", versions.NUMPY),
        ("Pillow", versions.PILLOW),
    ],
)
def test_the_recipes_of_the_pinned_release_build_the_pinned_versions(recipe: str, pin: str) -> None:
    assert recipe_version(recipe) == pin


def test_the_ndk_is_the_recommended_one_and_the_oldest_android_that_of_numpy() -> None:
    recommended = (p4a_folder() / "recommendations.py").read_text("utf-8")
    assert f'RECOMMENDED_NDK_VERSION = "{versions.NDK}"' in recommended
    numpy = (p4a_folder() / "recipes" / "numpy" / "__init__.py").read_text("utf-8")
    assert f"min_ndk_api_support = {versions.MIN_API}" in numpy


@pytest.mark.parametrize("package", ["pydicom", "fpdf2", "fonttools", "defusedxml", "filetype"])
def test_what_the_app_uses_on_a_phone_is_what_it_is_tested_with(package: str) -> None:
    pin = {name.lower(): pin for name, pin in versions.pins().items()}[package]
    assert metadata.version(package) == pin


def test_every_pin_has_its_name() -> None:
    assert versions.pins()["API"] == "35"
    assert all(re.fullmatch(r"[A-Z0-9_]+", name) for name in versions.pins())
