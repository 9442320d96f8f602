import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge import preflight
from osteo_edge.backends import ANDROID
from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.host import Host
from osteo_edge.preflight import (
    Choice,
    PassedOver,
    find_choice,
    is_wanted,
    kept_choices,
    open_checked,
    run_preflight,
)
from osteo_edge.runtime import BACKENDS, Backend, default_threads

FAKE_RUNTIMES = {
    "illegal": "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
    "dies_running": """
import os, signal
class Interpreter:
    def __init__(self, model_path, num_threads): pass
    def allocate_tensors(self): pass
    def invoke(self): os.kill(os.getpid(), signal.SIGSEGV)
""",
    "unloadable": "raise ImportError('GLIBC_9.9 not found')",
    "slow": "import time; time.sleep(60)",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OSTEO_EDGE_PREFLIGHT", raising=False)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Backend]:
    """A runtime that fails in the way of that name."""

    def make(name: str) -> Backend:
        folder = tmp_path / "runtimes"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}_runtime.py").write_text(FAKE_RUNTIMES[name])
        monkeypatch.syspath_prepend(str(folder))
        return Backend(name.capitalize(), f"{name}_runtime")

    return make


def test_the_runtime_runs_the_model_and_every_number_of_threads_is_timed(bundle: Bundle) -> None:
    choice = run_preflight(bundle)
    assert choice is not None
    assert choice.runtime == "LiteRT"
    assert choice.passed_over == ()
    assert choice.warning is None
    assert set(choice.median_ms) == {str(count) for count in {1, 2, default_threads()} if count <= default_threads()}
    assert all(0 < value < 10_000 for value in choice.median_ms.values())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("illegal", "Illegal is built for another processor (illegal instruction)"),
        ("dies_running", "Dies_running is killed by signal 11 (Segmentation fault) when it runs the model"),
        ("unloadable", "Unloadable does not run the model (ImportError: GLIBC_9.9 not found)"),
    ],
)
def test_a_runtime_that_dies_is_passed_over_with_a_clear_line(
    bundle: Bundle, fake: Callable[[str], Backend], name: str, reason: str
) -> None:
    choice = run_preflight(bundle, backends=(fake(name), BACKENDS[0]))
    assert choice is not None
    assert choice.runtime == "LiteRT"
    assert choice.warning == f"{reason}; LiteRT is used instead, which may be slower"


def test_a_runtime_that_never_answers_is_passed_over(
    bundle: Bundle, fake: Callable[[str], Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LIMIT_S", 1.5)
    choice = run_preflight(bundle, backends=(fake("slow"), BACKENDS[0]))
    assert choice is not None
    assert choice.passed_over == (PassedOver("Slow", "does not run the model within 1.5 s"),)


def test_where_every_runtime_is_killed_one_line_says_so(bundle: Bundle, fake: Callable[[str], Backend]) -> None:
    with pytest.raises(OsteoEdgeError, match=r"illegal instruction.*nothing here can run .*osteo-edge doctor"):
        run_preflight(bundle, backends=(fake("illegal"), fake("unloadable")))


def test_a_broken_model_is_told_by_what_opens_it(
    golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTEO_EDGE_PREFLIGHT", "1")
    monkeypatch.setattr(preflight, "installed_backends", lambda: BACKENDS[:1])
    with pytest.raises(BundleError, match="not a TFLite model that this runtime can load"):
        open_checked(golden_bundle(model=b"no model"))


def test_what_cannot_be_tried_is_not_held_against_a_runtime(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert run_preflight(bundle) is None


def test_the_choice_is_kept_and_found_again(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    first = find_choice(bundle)
    (kept,) = kept_choices().iterdir()
    assert json.loads(kept.read_bytes())["runtime"] == "LiteRT"
    monkeypatch.setattr(preflight, "run_preflight", lambda bundle: pytest.fail("measured again"))
    assert find_choice(bundle) == first


@pytest.mark.parametrize("damage", ["", "{", '{"schema": 9}', '{"runtime": "LiteRT", "threads": 64, "median_ms": {}}'])
def test_a_kept_choice_that_cannot_be_used_is_made_again(bundle: Bundle, damage: str) -> None:
    first = find_choice(bundle)
    assert first is not None
    (kept,) = kept_choices().iterdir()
    kept.write_text(damage)
    again = find_choice(bundle)
    assert again is not None
    assert json.loads(kept.read_bytes())["runtime"] == "LiteRT"


def test_another_processor_or_model_is_measured_anew(
    bundle: Bundle, golden_bundle: Callable[..., Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = Choice("LiteRT", 1, {"1": 1.0}, ())
    monkeypatch.setattr(preflight, "run_preflight", lambda bundle: choice)
    for name, features in (("a", "fp asimd"), ("b", "fp asimd asimddp")):
        (tmp_path / name / "proc").mkdir(parents=True)
        (tmp_path / name / "proc" / "cpuinfo").write_text(f"Features\t: {features}\nBogoMIPS\t: {len(name)}\n")
        find_choice(bundle, host=Host(tmp_path / name))
    assert len(list(kept_choices().iterdir())) == 2
    find_choice(golden_bundle("other", precision="float32"), host=Host(tmp_path / "a"))
    assert len(list(kept_choices().iterdir())) == 3


def test_a_cache_that_cannot_be_written_is_done_without(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert find_choice(bundle) is not None


def test_the_choice_is_what_opens_the_model_and_given_threads_win(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTEO_EDGE_PREFLIGHT", "1")
    choice = Choice("LiteRT", 3, {"3": 1.0}, (PassedOver("Other", "is built for another processor"),))
    monkeypatch.setattr(preflight, "run_preflight", lambda bundle: choice)
    told: list[str] = []
    assert open_checked(bundle, tell=told.append).name.endswith("3 threads")
    assert open_checked(bundle, threads=1).name.endswith("1 thread")
    assert told == ["Other is built for another processor; LiteRT is used instead, which may be slower"]


def test_on_arm_it_is_done_and_the_environment_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert is_wanted({})
    assert not is_wanted({"OSTEO_EDGE_PREFLIGHT": "0"})
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert not is_wanted({})
    assert is_wanted({"OSTEO_EDGE_PREFLIGHT": "1"})
    monkeypatch.setattr(preflight, "installed_backends", lambda: (ANDROID, *BACKENDS))
    assert not is_wanted({"OSTEO_EDGE_PREFLIGHT": "1"})


def test_a_screening_survives_a_runtime_that_kills_and_says_so(
    bundle: Bundle,
    film: Path,
    fake: Callable[[str], Backend],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OSTEO_EDGE_PREFLIGHT", "1")
    backends = (fake("illegal"), BACKENDS[0])
    monkeypatch.setattr(preflight, "installed_backends", lambda: backends)
    assert run(["screen", str(bundle.path), str(film)]) == 0
    printed = capsys.readouterr()
    assert "LiteRT" in printed.out
    assert printed.err == (
        "osteo-edge: Illegal is built for another processor (illegal instruction); "
        "LiteRT is used instead, which may be slower\n"
    )
