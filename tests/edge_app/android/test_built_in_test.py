"""The app's test of itself: its line for the system's log, right and wrong."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.edge_app.android import built_in_test
from osteo_edge.edge_app.android.built_in_test import Shipped, failed_line, run_built_in_test
from osteo_edge.edge_app.android.expected_answer import write_expected
from osteo_edge.edge_app.answer import open_saved
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.screening import screen

PASSED = re.compile(
    r"osteo-edge self-test: passed score=(?P<score>[\d.]+) expected=(?P=score) tolerance=0\.02 "
    r'model="[^"]+" runtime="LiteRT [\w.]+, 1 thread" seconds=\d+\.\d'
)
WITHOUT_DESKTOP = """
import sys
for name in ("cv2", "click", "rich"):
    sys.modules[name] = None
from pathlib import Path
from osteo_edge.edge_app.android.built_in_test import Shipped, run_built_in_test
print(run_built_in_test(Shipped(Path(sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[3]), threads=1))
"""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The demonstration with what it answers here, as it is staged."""
    folder = tmp_path_factory.mktemp("staged")
    shutil.copytree(FOLDER, folder / "bundle")
    write_expected(folder / "bundle", folder / "expected.json")
    return Shipped(folder / "bundle", folder / "expected.json")


def test_it_passes_where_the_answer_is_the_one_that_was_staged_and_leaves_nothing(
    shipped: Shipped, tmp_path: Path
) -> None:
    line = run_built_in_test(shipped, tmp_path / "test", threads=1)
    assert PASSED.fullmatch(line), line
    assert list(tmp_path.iterdir()) == []


def test_it_passes_without_opencv_docstrings_and_assertions(shipped: Shipped, tmp_path: Path) -> None:
    words = [str(shipped.bundle), str(shipped.expected), str(tmp_path / "test")]
    command = [sys.executable, "-OO", "-c", WITHOUT_DESKTOP, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("osteo-edge self-test: passed "), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 0.9}, r"score 0\.\d{4}, expected 0\.9000 \(at most 0\.02 apart, and 1 in log odds\)"),
        ({"score": 0.99}, r"score 0\.99\d\d, expected 0\.9900"),
        ({"model_sha256": "0" * 64}, r"the model is another one than was staged \(\w{12}, expected 0{12}\)"),
        ({"film_sha256": "0" * 64}, "the drawn film is another one"),
        ({"schema": 7}, r"expected\.json: not as this version writes it"),
    ],
)
def test_another_answer_fails(shipped: Shipped, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    other = tmp_path / "expected.json"
    other.write_text(json.dumps(json.loads(shipped.expected.read_bytes()) | changes), "utf-8")
    line = run_built_in_test(Shipped(shipped.bundle, other), tmp_path / "test", threads=1)
    assert re.match(rf"osteo-edge self-test: failed: .*{words}", line), line
    assert not (tmp_path / "test").exists()


def test_a_bundle_that_is_missing_or_damaged_fails(shipped: Shipped, tmp_path: Path) -> None:
    none = run_built_in_test(Shipped(tmp_path / "none", shipped.expected), tmp_path / "test")
    assert none.startswith("osteo-edge self-test: failed: "), none
    shutil.copytree(shipped.bundle, tmp_path / "torn")
    model = tmp_path / "torn" / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1])
    torn = run_built_in_test(Shipped(tmp_path / "torn", shipped.expected), tmp_path / "test")
    assert torn.startswith(f"osteo-edge self-test: failed: {model}"), torn


def test_a_film_that_the_model_rejects_fails(shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rejected(*words: Any, **options: Any) -> Any:
        radiograph, screening = screen(*words, **options)
        return radiograph, replace(screening, outcome="rejected", score=None, reasons=("too dark",))

    monkeypatch.setattr(built_in_test, "screen", rejected)
    line = run_built_in_test(shipped, tmp_path / "test", threads=1)
    assert re.match(r"osteo-edge self-test: failed: no score: .*\(too dark\)", line), line


def test_what_nobody_thought_of_fails_in_one_line_too(
    shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines " + "long " * 200)

    monkeypatch.setattr(built_in_test, "open_checked", broken)
    line = run_built_in_test(shipped, tmp_path / "test")
    assert line.startswith("osteo-edge self-test: failed: RuntimeError: two lines long")
    assert len(line) < 400
    assert "\n" not in line


@pytest.mark.parametrize("changes", [{"entry": None}, {"picture": None, "problem": "the image was altered"}])
def test_a_history_that_gives_back_something_else_fails(
    shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(
        built_in_test, "open_saved", lambda *words, **more: replace(open_saved(*words, **more), **changes)
    )
    line = run_built_in_test(shipped, tmp_path / "test", threads=1)
    problem = changes.get("problem", "the history gives back another entry than was saved")
    assert line == f"osteo-edge self-test: failed: {problem}"


def test_a_disk_that_takes_nothing_fails(shipped: Shipped, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = run_built_in_test(shipped, tmp_path / "file" / "test", threads=1)
    assert line.startswith("osteo-edge self-test: failed: "), line


def test_the_line_of_one_that_could_not_begin() -> None:
    assert failed_line("no\n memory") == "osteo-edge self-test: failed: no memory"
