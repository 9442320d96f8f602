"""A JVM in which the app's Android code runs unchanged: its own Java, and doubles of Android's classes (tests/java)."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = (REPOSITORY / "edge_app" / "android" / "java", REPOSITORY / "tests" / "java")
LIMIT_S = 300


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled classes; skips where there is no JDK (`make android`) or no pyjnius."""
    if shutil.which("javac") is None:
        pytest.skip("no JDK: make android")
    if importlib.util.find_spec("jnius") is None:
        pytest.skip("no pyjnius: pip install 'osteo-edge[android]'")
    return _compiled(tmp_path_factory)


def run_in_jvm(script: Path, *arguments: str, classes: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a Python file, whose pyjnius starts a JVM with those classes, in a process of its own.

    As on the phone without assertions and docstrings (-OO). A JVM can be started only once in a process, and takes a
    second: a script should do all that a module's tests look at.
    """
    return subprocess.run(
        [sys.executable, "-OO", str(script), *arguments],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(REPOSITORY), *filter(None, sys.path))),
            "JAVA_HOME": str(java_home()),
            "CLASSPATH": str(classes),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def java_home() -> Path:
    """The JDK's folder, where pyjnius finds the JVM."""
    javac = shutil.which("javac")
    if javac is None:
        raise FileNotFoundError("javac")
    return Path(javac).resolve().parent.parent


def _compiled(factory: pytest.TempPathFactory) -> Path:
    classes = factory.mktemp("java-classes")
    sources = sorted(str(path) for folder in SOURCES for path in folder.rglob("*.java"))
    command = ["javac", "-Xlint:all", "-Werror", "-encoding", "utf-8", "-d", str(classes), *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return classes
