import json
import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge import doctor
from osteo_edge.cli import run
from osteo_edge.doctor import REQUIREMENTS, Requirement, find, load, try_runtimes
from osteo_edge.runtime import BACKENDS, Backend


@pytest.fixture
def fake_backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Backend, Backend, Backend]:
    """Three runtimes: one killed when it is loaded, one that does not load, one that works."""
    bodies = {
        "killed": "import os; os.kill(os.getpid(), 4)",
        "broken": "raise ImportError('GLIBC_9.9 not found')",
        "fine": "",
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}_runtime.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    killed, broken, fine = (Backend(name.capitalize(), f"{name}_runtime") for name in bodies)
    monkeypatch.setattr(doctor, "BACKENDS", (killed, broken, fine))
    monkeypatch.setattr(doctor, "installed_backends", lambda: (killed, broken, fine))
    return killed, broken, fine


def test_json_tells_what_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["interpreter"] == "LiteRT"
    assert found["threads"] >= 1
    assert list(found["runtimes"]) == [backend.title for backend in BACKENDS]
    assert [package["package"] for package in found["packages"]] == [needed.package for needed in REQUIREMENTS]


def test_the_tables_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "Screening would use LiteRT with" in printed
    for part in ("tflite-runtime", "opencv-python-headless", "pydicom"):
        assert part in printed


def test_no_slower_runtime_is_loaded_once_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def record(backend: Backend) -> str:
        tried.append(backend.title)
        return "works"

    monkeypatch.setattr(doctor, "installed_backends", lambda: (BACKENDS[0], BACKENDS[2]))
    monkeypatch.setattr(doctor, "load", record)
    assert try_runtimes() == {
        "LiteRT": "works",
        "tflite-runtime": "not installed",
        "TensorFlow": "not tried: LiteRT works",
    }
    assert tried == ["LiteRT"]


def test_a_runtime_for_another_processor_is_found_out_and_the_next_is_tried(
    fake_backends: tuple[Backend, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert try_runtimes() == {
        "Killed": "killed by signal 4 when loaded: built for another processor?",
        "Broken": "ImportError: GLIBC_9.9 not found",
        "Fine": "works",
    }
    assert run(["doctor"]) == 0
    assert "Screening would use Fine" in capsys.readouterr().out


def test_a_runtime_that_hangs_is_given_up(fake_backends: tuple[Backend, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr(subprocess, "run", hang)
    assert load(fake_backends[2]) == "does not load within 60 s"


def test_no_runtime_at_all_ends_with_1_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "installed_backends", lambda: ())
    assert run(["doctor"]) == 1
    assert "pip install ai-edge-litert" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["interpreter"] is None


def test_a_package_is_found_without_being_imported() -> None:
    assert find(Requirement("pytest", "pytest", "tests", "pip install pytest")).version == pytest.__version__
    assert find(Requirement("nothing", "no_such_module", "nothing", "pip install nothing")).version is None
    assert "no_such_module" not in sys.modules
