"""The window itself: whether there is one, and that a fault in the program does not close it."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kivy import kivy_options
from kivy.app import App
from kivy.base import ExceptionHandler, ExceptionManager
from kivy.clock import Clock

from osteo_edge.edge_app.jobs import UNEXPECTED, Call
from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.ui.app import ScreeningApp


def require_window() -> None:
    """Open Kivy's window, which is empty yet; `OsteoEdgeError` where there is no screen to open it on."""
    kivy_options["cutbuffer"] = ()  # the one of the middle mouse button, for which it would start programs
    from kivy.core.window import Window

    if Window is None:
        raise OsteoEdgeError(
            "no window can be opened: start the app on a desktop, or on a Raspberry Pi's own screen as a user in the "
            "groups video, render and input; for a device without a screen there is osteo-edge watch"
        )


def post(call: Call) -> None:
    """Have a call made soon on the window's thread; any thread may ask for it."""
    Clock.schedule_once(lambda _: call())


@contextmanager
def closed_by_signals(app: App) -> Iterator[None]:
    """While the block runs, SIGTERM and Ctrl-C close the window as its button does: at the next turn of its loop.

    Not at once: a signal comes in the midst of anything, also where a lock is held that closing needs, or where Python
    drops what a Ctrl-C raises. After a Ctrl-C the block ends with `KeyboardInterrupt`; a second one does not wait.
    """
    interrupted: list[bool] = []

    def interrupt(*_: object) -> None:
        if interrupted:
            raise KeyboardInterrupt
        interrupted.append(True)
        post(app.stop)

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: post(app.stop)),
        signal.SIGINT: signal.signal(signal.SIGINT, interrupt),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupted:
        raise KeyboardInterrupt


def keep_open(app: ScreeningApp) -> None:
    """From now on a fault is written to the log and told, and the window stays: what is typed in it must not go."""
    ExceptionManager.add_handler(_Faults(app))


class _Faults(ExceptionHandler):  # type: ignore[misc]
    def __init__(self, app: ScreeningApp) -> None:
        super().__init__()
        self._app = app

    def handle_exception(self, fault: BaseException) -> Any:
        if not isinstance(fault, Exception):  # Ctrl-C
            return ExceptionManager.RAISE
        logging.getLogger(__name__).error("a fault in the window", exc_info=fault)
        shell = getattr(self._app, "shell", None)
        if shell is None:
            return ExceptionManager.RAISE
        shell.complain(UNEXPECTED)
        return ExceptionManager.PASS
