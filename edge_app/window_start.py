"""Opening the app's window and staying until it is closed; whoever starts the app calls this."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.log_file import log_to, stop_logging
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.heap import keep_little_memory

if TYPE_CHECKING:
    from osteo_edge.edge_app.device_services import DeviceServices
    from osteo_edge.edge_app.jobs import Post
    from osteo_edge.edge_app.ui.app import ScreeningApp

DRIVERS: Final = "x11,wayland,kmsdrm"
"""What SDL may draw on: without a word from us it falls back to a window that nobody can see."""


def run_window(
    folders: Folders,
    bundle: Path | None = None,
    *,
    size: tuple[int, int] | None = None,
    fullscreen: bool = False,
    camera: str = "auto",
    keyboard: bool = False,
    device: Callable[[Post], DeviceServices] | None = None,
    shipped: Path | None = None,
    when_ready: Callable[[ScreeningApp], None] | None = None,
) -> tuple[str, ...]:
    """Open the window and stay until it is closed; gives lines about what could not be saved.

    `device` makes what the system does for the app, on Android. `shipped` is a bundle that the app comes with.
    `when_ready` is called once, on the window's thread, when the model was loaded or could not be. SIGTERM and Ctrl-C
    close the window as its button does, and the latter raises `KeyboardInterrupt` then. `OsteoEdgeError` where there is
    no screen, or the data folder cannot be used.
    """
    keep_little_memory()
    folders.make()
    with logging_to(folders.log):
        prepare_kivy(folders, size=size, fullscreen=fullscreen, keyboard=keyboard)
        from osteo_edge.edge_app.ui.window import keep_open, require_window

        require_window()
        from osteo_edge.edge_app.clinic import Clinic
        from osteo_edge.edge_app.ui.app import ScreeningApp
        from osteo_edge.edge_app.ui.window import closed_by_signals, post

        services = None if device is None else device(post)
        clinic = Clinic(folders, bundle=bundle, shipped=shipped)
        window = ScreeningApp(clinic, camera=camera, device=services, when_ready=when_ready)
        keep_open(window)
        try:
            with closed_by_signals(window):
                window.run()
        finally:
            window.end()
        return window.unsaved


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Let warnings and errors, the window toolkit's too, go to the log file and nowhere else while the block runs."""
    handler, kivy = log_to(path), logging.getLogger("kivy")
    kivy.propagate = False
    kivy.addHandler(handler)
    try:
        yield
    finally:
        kivy.removeHandler(handler)
        stop_logging(handler)


def prepare_kivy(
    folders: Folders, *, size: tuple[int, int] | None = None, fullscreen: bool = False, keyboard: bool = False
) -> None:
    """Tell Kivy what it wants to know before it is imported: it reads these from the environment, once."""
    try:
        folders.window.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OsteoEdgeError(f"{folders.window}: cannot be made ({error.strerror or error}); check the disk") from error
    wanted: dict[str, Any] = {
        "KIVY_HOME": folders.window,
        "KIVY_NO_CONFIG": 1,  # two windows that start at once would both make its file and its folders
        "KIVY_NO_ARGS": 1,
        "KIVY_WINDOW": "sdl2",
        "KIVY_IMAGE": "sdl2",
        "KIVY_TEXT": "sdl2",
        "KIVY_CLIPBOARD": "sdl2",
        "KIVY_LOG_MODE": "PYTHON",  # its lines go the way of all others, and standard error stays what it is
        "KCFG_KIVY_EXIT_ON_ESCAPE": 0,
        "KCFG_KIVY_KEYBOARD_MODE": "systemanddock" if keyboard else "",
        "KCFG_INPUT_MOUSE": "mouse,disable_multitouch",
        "KCFG_GRAPHICS_MULTISAMPLES": 0,
        "KCFG_GRAPHICS_FULLSCREEN": "auto" if fullscreen else 0,
    }
    if size is not None:
        wanted |= {"KCFG_GRAPHICS_WIDTH": size[0], "KCFG_GRAPHICS_HEIGHT": size[1]}
    os.environ.update({name: str(value) for name, value in wanted.items()})
    if sys.platform == "linux":
        os.environ.setdefault("SDL_VIDEODRIVER", DRIVERS)
