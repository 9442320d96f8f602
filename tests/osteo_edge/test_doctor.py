import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge import doctor
from osteo_edge.backends import BACKENDS, Backend
from osteo_edge.cli import run
from osteo_edge.device_checks import CHECKS, DeviceLine
from osteo_edge.doctor import INTERPRETERS, REQUIREMENTS, Requirement, find, load, loads, try_runtimes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"


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


@pytest.fixture
def all_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed loads, as in most cases; no process is started for it."""
    monkeypatch.setattr(doctor, "loads", lambda module: "works")


def test_json_tells_what_would_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["interpreter"] == "LiteRT"
    assert found["threads"] >= 1
    assert list(found["runtimes"]) == [backend.title for backend in BACKENDS]
    assert [package["package"] for package in found["packages"]] == [needed.package for needed in REQUIREMENTS]


@pytest.mark.usefixtures("all_load")
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


@pytest.mark.usefixtures("all_load")
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


@pytest.mark.usefixtures("all_load")
def test_what_is_red_is_named_at_the_end_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    red = DeviceLine("Clock", "1970-01-01 00:12 UTC", "set it: sudo date --set 'YEAR-MM-DD HH:MM'")
    monkeypatch.setattr(doctor, "check_device", lambda: (DeviceLine("Disk", "takes what is written"), red))
    assert run(["doctor"]) == 0  # the exit code tells whether a model can run, and no more
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "To see to: Clock"
    assert "set it: sudo date --set" in printed
    assert run(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["amiss"] == ["Clock"]
    assert found["device"][1] == {"line": "Clock", "found": red.found, "remedy": red.remedy}


@pytest.mark.usefixtures("all_load")
def test_where_nothing_is_amiss_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "check_device", lambda: (DeviceLine("Disk", "takes what is written"),))
    assert run(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing is amiss."


@pytest.mark.usefixtures("fake_backends")
def test_a_runtime_that_is_there_and_does_not_load_is_red(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["amiss"][:2] == ["Killed", "Broken"]


@pytest.mark.usefixtures("all_load")
def test_no_runtime_at_all_is_red(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "installed_backends", lambda: ())
    assert run(["doctor"]) == 1
    assert re.match(rf"To see to: {INTERPRETERS}\b", capsys.readouterr().out.splitlines()[-1])


def test_it_tells_of_packages_that_it_could_not_run_with() -> None:
    """Without OpenCV nothing else here starts, and doctor is what says so."""
    program = (
        "import sys; sys.modules['cv2'] = None; sys.modules['numpy'] = None; from osteo_edge.cli import run;"
        "sys.exit(run(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "pip install opencv-python-headless" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("To see to: opencv-python-headless")


def test_a_needed_package_that_is_there_but_damaged_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "damaged_package.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    found = find(Requirement("opencv", "damaged_package", "reading images", "pip install opencv", needed=True))
    assert (found.is_amiss, found.state) == (True, "ImportError: libGL.so.1: cannot open shared object file")
    assert find(Requirement("opencv", "json", "reading images", "pip install opencv", needed=True)).is_amiss is False


@pytest.mark.parametrize(
    ("on_device", "remedy", "is_amiss"),
    [(True, "install the kit or the .deb again", True), (False, "not for a device", False)],
)
def test_on_a_device_the_kit_mends_what_pip_does_elsewhere(
    on_device: bool, remedy: str, is_amiss: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kit.json").touch()
    monkeypatch.setattr("osteo_edge.__file__", str(tmp_path / "lib" / "osteo_edge" / "__init__.py"))
    found = find(Requirement("nothing", "no_such_module", "nothing", "pip install nothing", on_device=on_device))
    assert (found.version, found.remedy, found.is_amiss) == (None, remedy, is_amiss)


def test_a_machine_that_can_start_no_process_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(command: list[str], **_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert loads("json") == "cannot be tried (Cannot allocate memory)"


def entries() -> dict[str, str]:
    """What the page says of each line; several lines may share one text."""
    sections = re.split(
        r"^### (.+)\n", re.sub(r"^## .*\n", "", PAGE.read_text("utf-8"), flags=re.MULTILINE), flags=re.MULTILINE
    )
    names, texts = sections[1::2], [text.strip() for text in sections[2::2]]
    for place in reversed(range(len(texts) - 1)):
        texts[place] = texts[place] or texts[place + 1]
    return dict(zip(names, texts, strict=True))


def test_each_line_that_can_be_printed_has_its_entry_in_the_page_and_no_other_has() -> None:
    lines = [
        INTERPRETERS,
        *(backend.title for backend in BACKENDS),
        *(needed.package for needed in REQUIREMENTS),
        *CHECKS,
    ]
    assert list(entries()) == lines, "bring docs/doctor.md up to date"


@pytest.mark.parametrize("line", entries())
def test_an_entry_says_what_the_line_means_and_what_to_do(line: str) -> None:
    meaning, to_do = entries()[line].split("**What to do:**")
    assert len(meaning.split()) > 3
    assert to_do.strip()
