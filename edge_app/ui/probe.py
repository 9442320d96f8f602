"""One measurement of the window, in a process of its own; `app_timing` starts it and reads what it prints.

python -m osteo_edge.edge_app.ui.probe JOB FOLDER [FILM] [COUNT]
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.ui.window import require_window
from osteo_edge.edge_app.window_start import prepare_kivy
from osteo_edge.heap import keep_little_memory
from osteo_edge.host import THIS_MACHINE

SIZE: Final = (800, 480)
SETTLE_S: Final = 3.0
IDLE_S: Final = 10.0
WARM_UPS: Final = 2

Steps = Iterator[Callable[[], bool]]
"""What a job waits for, one after another: each is asked after every frame until it is so."""


def measure(job: str, folder: Path, film: Path | None = None, count: int = 1) -> dict[str, Any]:
    """Do a job in a window on the data in `folder`; times are in seconds, moments as `time.time` has them."""
    keep_little_memory()
    prepare_kivy(Folders(folder), size=SIZE)
    require_window()
    if job == "bare":
        return _bare()
    found: dict[str, Any] = {}
    jobs: dict[str, Callable[[Any], Steps]] = {
        "start": lambda app: _start(app, found),
        "idle": lambda app: _idle(app, found),
        "screen": lambda app: _screen(app, film, count, found),
        "save": lambda app: _save(app, film, count, found),
    }
    _run(folder, jobs[job])
    return found


def peak_mb() -> float:
    """The kernel's high-water mark of this process's memory, in MB of 10^6 bytes."""
    return _status_mb("VmHWM")


def _run(folder: Path, job: Callable[[Any], Steps]) -> None:
    from kivy.clock import Clock
    from kivy.core.window import Window

    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.ui.app import ScreeningApp

    app = ScreeningApp(Clinic(Folders(folder)))
    steps = job(app)
    waiting = [next(steps)]

    def after_frame(*_: object) -> None:
        try:
            while waiting[0]():
                waiting[0] = next(steps)
        except StopIteration:
            Window.unbind(on_flip=after_frame)
            Clock.schedule_once(lambda _: app.stop())

    Window.bind(on_flip=after_frame)
    app.run()


def _bare() -> dict[str, Any]:
    """What any program in Kivy takes: a window with one text."""
    from kivy.app import App
    from kivy.core.window import Window
    from kivy.uix.label import Label

    found: dict[str, Any] = {}

    class Bare(App):  # type: ignore[misc]
        def build(self) -> Label:
            return Label(text="Bone screening")

    def after_frame(*_: object) -> None:
        found.setdefault("drawn_at", time.time())
        app.stop()

    app = Bare()
    Window.bind(on_flip=after_frame)
    app.run()
    return found | {"peak_mb": peak_mb()}


def _start(app: Any, found: dict[str, Any]) -> Steps:
    yield lambda: _is_home(app)
    found["drawn_at"] = time.time()
    _draw_always(app)
    yield lambda: app.shell.model is not None
    yield _frames(2)
    found["model_at"] = time.time()
    found["peak_mb"] = peak_mb()


def _idle(app: Any, found: dict[str, Any]) -> Steps:
    stop = _draw_always(app)
    yield lambda: app.shell.model is not None
    yield _seconds(SETTLE_S)
    stop()
    from kivy.clock import Clock

    before = time.process_time(), time.monotonic()

    def look(_: float) -> None:
        used_s, passed_s = time.process_time() - before[0], time.monotonic() - before[1]
        found["cpu_share"] = used_s / passed_s
        _draw_always(app)

    Clock.schedule_once(look, IDLE_S)
    yield lambda: "cpu_share" in found


def _screen(app: Any, film: Path | None, count: int, found: dict[str, Any]) -> Steps:
    """Open a film's answer again and again: the time until it is drawn, and the longest time between two frames.

    That of frames while the film was read and screened, and that of all, with the building of the screen.
    """
    from osteo_edge.edge_app.history.entry import Patient

    _draw_always(app)
    yield lambda: app.shell.model is not None
    works = _timed(app.clinic)
    found["drawn_s"], found["longest_working_s"], found["longest_s"] = [], [], []
    for number in range(WARM_UPS + count):
        yield _seconds(0.2)
        start, drawn_at = time.perf_counter(), [time.perf_counter()]
        screen = app.shell.go("result", film=film, patient=Patient())
        yield lambda screen=screen, at=drawn_at: at.append(time.perf_counter()) or screen.is_drawn  # type: ignore[misc]
        yield _frames(1)
        if number >= WARM_UPS:
            found["drawn_s"].append(time.perf_counter() - start)
            found["longest_working_s"].append(_longest_within(drawn_at, works[-1]))
            found["longest_s"].append(max(later - earlier for earlier, later in pairwise(drawn_at)))
        app.shell.close(screen)
    found["peak_mb"] = peak_mb()


def _save(app: Any, film: Path | None, count: int, found: dict[str, Any]) -> Steps:
    """Screen and save again and again, another film each time; memory after a tenth of them, and at the end."""
    from osteo_edge.edge_app.history.entry import Patient

    assert film is not None
    data = film.read_bytes()
    _draw_always(app)
    yield lambda: app.shell.model is not None
    for number in range(count):
        other = film.with_name(f"{number}-{film.name}")
        other.write_bytes(data + number.to_bytes(4, "big"))  # after the end of a JPEG: another file of the same film
        screen = app.shell.go("result", film=other, patient=Patient(code=f"M{number}"))
        yield lambda screen=screen: screen.is_drawn  # type: ignore[misc]
        screen.save()
        yield lambda screen=screen: screen.is_saved  # type: ignore[misc]
        app.shell.close(screen)
        other.unlink()
        if number + 1 == max(1, count // 10):
            found["early_mb"] = _status_mb("VmRSS")
    found["late_mb"], found["peak_mb"] = _status_mb("VmRSS"), peak_mb()
    found["saved"] = app.clinic.history().count()


def _timed(clinic: Any) -> list[tuple[float, float]]:
    """When each screening begins and ends from now on."""
    works, screen = list[tuple[float, float]](), clinic.screen

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        answered = screen(*arguments, **options)
        works.append((start, time.perf_counter()))
        return answered

    clinic.screen = timed
    return works


def _longest_within(moments: Sequence[float], work: tuple[float, float]) -> float:
    """The longest time without a frame while the work went on."""
    start, end = work
    return max(min(later, end) - max(earlier, start) for earlier, later in pairwise(moments))


def _is_home(app: Any) -> bool:
    return app.root is not None and app.shell.is_open


def _draw_always(app: Any) -> Callable[[], None]:
    """Draw frames whether anything changes or not, as fast as the window does; gives what stops it."""
    from kivy.clock import Clock
    from kivy.core.window import Window

    clock = Clock.schedule_interval(lambda _: Window.canvas.ask_update(), 0)
    return lambda: clock.cancel()


def _seconds(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _frames(count: int) -> Callable[[], bool]:
    left = [count + 1]

    def passed() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return passed


def _status_mb(name: str) -> float:
    status = THIS_MACHINE.read("/proc/self/status") or ""
    (line,) = [line for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    job, folder, *rest = sys.argv[1:]
    film = Path(rest[0]) if rest and rest[0] else None
    result = measure(job, Path(folder), film, int(rest[1]) if len(rest) > 1 else 1)
    print(json.dumps(result), flush=True)  # noqa: T201
