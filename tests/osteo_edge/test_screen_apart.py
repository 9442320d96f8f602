"""`osteo-edge screen` decodes in a process apart: a film that breaks a decoder is one film that cannot be read."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are confined on Linux alone")

REPOSITORY = Path(__file__).resolve().parents[2]
ENDS_GDCM = REPOSITORY / "tests" / "data" / "frame-that-ends-gdcm.dcm"
"""Drawn, and damaged by the fuzzer: python-gdcm calls abort() over it."""
BREAKS = "the file breaks the image decoder (Segmentation fault); export the radiograph as PNG or DICOM"
Completed = subprocess.CompletedProcess[str]


def screen(*words: object, module: str = "tests.osteo_edge.hostile_screen") -> Completed:
    command = [sys.executable, "-m", module, "screen", *map(str, words), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def hostile(film: Path) -> Callable[[str], Path]:
    """Make a film whose decoder does a deed."""

    def make(deed: str) -> Path:
        path = film.with_name(f"{deed}.png")
        path.write_bytes(film.read_bytes() + f"#{deed}".encode())
        return path

    return make


def test_a_film_that_breaks_its_decoder_does_not_stop_the_others(
    bundle: Bundle, film: Path, hostile: Callable[[str], Path]
) -> None:
    refused = [hostile(deed) for deed in ("connect", "read", "write", "fork", "signal", "trace", "code")]
    crashing = hostile("crash")
    done = screen(bundle.path, *refused, crashing, film)
    *errors, answer = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["error"] for each in errors] == [
        *(f"{path}: PermissionError" for path in refused),
        f"{crashing}: {BREAKS}",
    ]
    assert (answer["image"], answer["outcome"], done.returncode) == (str(film), "refer", 1)
    assert done.stderr.splitlines() == [f"osteo-edge: {each['error']}" for each in errors]


def test_a_film_of_a_study_that_breaks_its_decoder_is_left_out(
    bundle: Bundle, film: Path, hostile: Callable[[str], Path], tmp_path: Path
) -> None:
    hostile("crash")
    done = screen(bundle.path, "--study", film.parent, "--overlay", tmp_path / "pictures")
    answer = json.loads(done.stdout)
    left_out = {Path(each["image"]).name: each["left_out"] for each in answer["films"]}
    assert left_out == {"crash.png": [BREAKS], film.name: []}
    assert (answer["outcome"], done.returncode) == ("refer", 0)


def test_in_one_process_such_a_film_ends_the_program(bundle: Bundle, hostile: Callable[[str], Path]) -> None:
    assert screen(bundle.path, hostile("crash"), "--one-process").returncode == -signal.SIGSEGV


def test_a_frame_that_ends_gdcm_is_one_film_that_cannot_be_read(bundle: Bundle, film: Path) -> None:
    pytest.importorskip("gdcm")
    done = screen(bundle.path, ENDS_GDCM, film, module="osteo_edge")
    error, answer = [json.loads(line) for line in done.stdout.splitlines()]
    assert error["error"].startswith(f"{ENDS_GDCM}: the file breaks the image decoder")
    assert (answer["outcome"], done.returncode) == ("refer", 1)
    assert screen(bundle.path, ENDS_GDCM, "--one-process", module="osteo_edge").returncode == -signal.SIGABRT
