"""Starting must stay light: on a small device every module that is loaded for nothing is waited for."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import COMMANDS

HEAVY = {
    "IPython",
    "PIL",
    "gdcm",
    "keras",
    "kivy",
    "matplotlib",
    "pandas",
    "pyarrow",
    "pydicom",
    "ray",
    "rich",
    "scipy",
    "skimage",
    "sklearn",
    "tensorflow",
    "tensorflow_model_optimization",
    "tf_keras",
    "torch",
    "xgboost",
}
REPORT_MODULES = """
import sys
from osteo_edge.cli import run
code = run(sys.argv[1:])
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(code)
"""


def modules_after(*arguments: object) -> set[str]:
    """The top-level modules that one `osteo-edge` command has loaded in a process of its own."""
    command = [sys.executable, "-c", REPORT_MODULES, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].removeprefix("modules: ").split())


@pytest.mark.parametrize("options", [[], ["--json"], ["--overlay", "pictures"]], ids=" ".join)
def test_screening_loads_nothing_heavy(options: list[str], bundle: Bundle, film: Path, tmp_path: Path) -> None:
    options = [str(tmp_path / option) if option == "pictures" else option for option in options]
    loaded = modules_after("screen", bundle.path, film, *options)
    assert {"numpy", "cv2"} <= loaded
    assert loaded & HEAVY == set()


def test_watching_loads_nothing_heavy(bundle: Bundle, film: Path, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    film.rename(tmp_path / "films" / film.name)
    loaded = modules_after(
        "watch",
        bundle.path,
        tmp_path / "films",
        "--out",
        tmp_path / "results",
        "--once",
        "--overlay",
        "--every",
        "50ms",
    )
    assert {"numpy", "cv2"} <= loaded
    assert loaded & HEAVY == set()


def test_help_loads_neither_numpy_nor_opencv() -> None:
    loaded = modules_after("--help")
    assert "click" in loaded
    assert loaded & (HEAVY | {"numpy", "cv2"}) == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert modules_after(command, "--help") & HEAVY == set()


@pytest.mark.timed
def test_help_takes_less_than_a_third_of_a_second() -> None:
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "osteo_edge", "--help"], capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert statistics.median(seconds) < 0.3
