"""A staged project, made once for all tests that look into it."""

import compileall
import shutil
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.spec import Project
from osteo_edge.edge_app.android.staging import Staged, stage
from osteo_edge.edge_app.demo_bundle import FOLDER


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """The demo bundle in a project for a phone and an emulator; not to be changed."""
    project = Project(archs=("arm64-v8a", "x86_64"))
    return stage(FOLDER, tmp_path_factory.mktemp("android") / "project", project)


@pytest.fixture(scope="session")
def staged_project(staged: Staged) -> Path:
    """The folder of that project."""
    return staged.path


@pytest.fixture(scope="session")
def unpacked_app(staged_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's folder as python-for-android packs it: compiled without docstrings and assertions, without sources."""
    folder = tmp_path_factory.mktemp("unpacked") / "app"
    shutil.copytree(staged_project / "app", folder)
    assert compileall.compile_dir(folder, quiet=1, force=True, legacy=True, optimize=2)
    for source in folder.rglob("*.py"):
        source.unlink()
    return folder
