"""The package's metadata: what setup.cfg lists is what is there (a forgotten package works in editable mode only)."""

import ast
import configparser
from fnmatch import fnmatch
from pathlib import Path

import pytest

from osteo_edge.version import VERSION

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = ("osteo_edge", "train", "convert", "benchmarks", "edge_app")
STAGED = REPOSITORY / "edge_app" / "android" / "project"
"""What is copied into the Android project and runs in its build: data here, no modules of the package."""
SOURCES = sorted(
    path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*.py") if not path.is_relative_to(STAGED)
)


@pytest.fixture
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg", "utf-8")
    return parser


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def package_of(folder: Path) -> str:
    words = folder.relative_to(REPOSITORY).parts
    return ".".join(words if words[0] == "osteo_edge" else ("osteo_edge", *words))


def test_every_package_is_listed_and_every_listed_one_is_there(setup: configparser.ConfigParser) -> None:
    listed = setup["options"]["packages"].split()
    there = [package_of(path.parent) for path in SOURCES if path.name == "__init__.py"]
    assert sorted(listed) == sorted(there)


def test_every_folder_with_modules_is_a_package() -> None:
    assert {path.parent for path in SOURCES} == {path.parent for path in SOURCES if path.name == "__init__.py"}


def test_every_folder_is_mapped_to_its_package(setup: configparser.ConfigParser) -> None:
    words = setup["options"]["package_dir"].replace("=", " ").split()
    for package, folder in zip(words[::2], words[1::2], strict=True):
        assert package_of(REPOSITORY / folder) == package
    assert set(FOLDERS) <= set(words[1::2])


def test_the_command_leads_to_a_function(setup: configparser.ConfigParser) -> None:
    from osteo_edge.cli import main

    name, target = (word.strip() for word in setup["options.entry_points"]["console_scripts"].split("="))
    assert (name, target) == ("osteo-edge", f"{main.__module__}:{main.__name__}")


def test_the_version_has_one_source(setup: configparser.ConfigParser) -> None:
    assert setup["metadata"]["version"] == "attr: osteo_edge.version.VERSION"
    assert len(VERSION.split(".")) == 3


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("osteo_edge", "py.typed"),
        ("osteo_edge", "knee_template.npz"),
        ("osteo_edge.edge_app.exports", "fonts/DejaVuSansCondensed.ttf"),
        ("osteo_edge.edge_app.exports", "fonts/DejaVuSansCondensed-Bold.ttf"),
        ("osteo_edge.edge_app.exports", "fonts/LICENSE"),
        ("osteo_edge.edge_app.android", "project/buildozer.spec"),
        ("osteo_edge.edge_app.android", "project/recipes/kivy/__init__.py"),
        ("osteo_edge.edge_app.android", "java/org/osteoedge/app/EdgeActivity.java"),
        ("osteo_edge.edge_app", "drawn_film.jpg"),
        ("osteo_edge.edge_app", "demo_bundle/MODEL_CARD.md"),
        ("osteo_edge.edge_app", "demo_bundle/manifest.json"),
        ("osteo_edge.edge_app", "demo_bundle/model.tflite"),
    ],
)
def test_what_is_no_module_is_shipped_too(package: str, name: str, setup: configparser.ConfigParser) -> None:
    patterns = setup["options.package_data"][package].split(", ")
    words = setup["options"]["package_dir"].replace("=", " ").split()
    folder = dict(zip(words[::2], words[1::2], strict=True))[package]
    assert any(fnmatch(name, pattern) for pattern in patterns)
    assert (REPOSITORY / folder / name).is_file()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring
    assert not docstring.splitlines()[0].endswith(",")
