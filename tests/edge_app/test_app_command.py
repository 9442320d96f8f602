import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from osteo_edge.cli import COMMANDS
from osteo_edge.data_folder import default_data_folder
from osteo_edge.edge_app.app_command import app
from osteo_edge.edge_app.virtual_display import virtual_display
from osteo_edge.errors import OsteoEdgeError

pytestmark = pytest.mark.kivy
LONG_S = 60.0


@pytest.fixture(scope="module")
def display() -> Iterator[dict[str, str]]:
    if find_spec("kivy") is None:  # not imported here: it would take over this process's log
        pytest.skip("no Kivy: pip install 'osteo-edge[app]'")
    try:
        with virtual_display() as environment:
            yield environment
    except OsteoEdgeError as error:
        pytest.skip(str(error))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "osteo_edge", "app", *map(str, arguments)]


def ends(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), env=environment, capture_output=True, text=True, timeout=LONG_S, check=False
    )


@pytest.fixture
def open_window(display: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start the app in a process of its own, and wait until its window is there."""
    started = list[subprocess.Popen[str]]()

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command("--data", tmp_path, "--size", "800x480"),
            env=os.environ | display,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        wait_for(lambda: windows(display) >= len([one for one in started if one.poll() is None]))
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def windows(display: dict[str, str]) -> int:
    tree = subprocess.run(
        ["xwininfo", "-root", "-tree"], env=os.environ | display, capture_output=True, text=True, check=True
    )
    return tree.stdout.count('"osteo-edge"')


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_without_a_screen_it_says_so_in_one_line(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    finished = ends(environment | {"SDL_VIDEODRIVER": "x11"}, "--data", tmp_path)
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("osteo-edge: no window can be opened: ")
    assert "osteo-edge watch" in line


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path, display: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    finished = ends(os.environ | display, "--data", tmp_path / "file" / "clinic")
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert line.endswith("Not a directory); check the disk, or choose another --data")


@pytest.mark.parametrize("size", ["800", "800x", "1x1", "99999x480", "800x480x3", "wide"])
def test_a_size_that_is_none_is_refused(size: str) -> None:
    found = CliRunner().invoke(app, ["--size", size])
    assert found.exit_code == 2
    assert "write it like 800x480" in found.output


def test_a_bundle_that_cannot_be_used_is_refused_before_a_window_opens(tmp_path: Path) -> None:
    finished = ends(dict(os.environ), tmp_path, "--data", tmp_path / "clinic")
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert str(tmp_path) in line


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_leaves_nothing_behind(
    open_window: Callable[[], "subprocess.Popen[str]"], tmp_path: Path, number: int, code: int
) -> None:
    process = open_window()
    process.send_signal(number)
    out, errors = process.communicate(timeout=LONG_S)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in errors
    assert not list(tmp_path.rglob("*.partial"))


def test_two_windows_on_one_data_folder_both_work(open_window: Callable[[], "subprocess.Popen[str]"]) -> None:
    first, second = open_window(), open_window()
    time.sleep(0.5)
    assert first.poll() is None
    assert second.poll() is None


def test_nothing_but_its_own_folder_is_written(
    open_window: Callable[[], "subprocess.Popen[str]"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    process = open_window()
    process.terminate()
    process.communicate(timeout=LONG_S)
    written = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    assert written <= {".cache"}  # shaders of the graphics driver


def test_the_data_folder_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_folder() == tmp_path / "osteo-edge"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_data_folder() == Path.home() / ".local" / "share" / "osteo-edge"


def test_the_command_is_in_the_overview() -> None:
    assert COMMANDS["app"].module == "osteo_edge.edge_app.app_command"


def test_the_probe_of_the_start_tells_when_the_home_screen_was_drawn(display: dict[str, str], tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "osteo_edge.edge_app.ui.probe", "start", str(tmp_path)],
        env=os.environ | display,
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=True,
    )
    found = json.loads(finished.stdout)
    assert found["drawn_at"] < found["model_at"]
    assert 50 < found["peak_mb"] < 1000
