"""How the app starts on Android: `main.py` of the staged project calls `main`, on the thread that Java has started.

At the top only Python's own library is imported, and modules that need no more: whatever else is missing or broken
in the package is then told on the screen and in the logs, and never a black screen without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.android.places import Places, places_here
from osteo_edge.edge_app.android.system_log import HEAD, Tell, private_output, trace

if TYPE_CHECKING:
    from osteo_edge.edge_app.device_services import DeviceServices
    from osteo_edge.edge_app.jobs import Post
    from osteo_edge.edge_app.ui.app import ScreeningApp

TEST_SLOT: Final = "built-in test"
"""The name of the test among the window's jobs."""


def main() -> None:
    """Open the app and stay until it is closed; ends by `SystemExit`, with 1 where it could not run or save all."""
    with private_output() as tell:
        tell(f"{HEAD} starting")
        raise SystemExit(_run_told(tell))


def run(places: Places, tell: Tell) -> tuple[str, ...]:
    """Open the window and stay until it is closed; gives lines about what could not be saved."""
    places.make_ready()
    from osteo_edge import litert_gpu, litert_java
    from osteo_edge.edge_app.android.starting_intent import wants_test
    from osteo_edge.edge_app.folders import Folders
    from osteo_edge.edge_app.window_start import run_window

    is_test = wants_test()
    tell(f"{HEAD} preparing the runtime")
    litert_java.prepare()
    litert_gpu.prepare()
    tell(f"{HEAD} opening the window")
    return run_window(
        Folders(places.data),
        shipped=places.bundle,
        device=_device_services,
        when_ready=lambda window: _on_ready(window, places, tell, is_test=is_test),
    )


def _run_told(tell: Tell) -> int:
    """The exit code; what stops the app, and what it could not save, is logged and shown."""
    places = places_here()
    try:
        unsaved = run(places, tell)
    except BaseException as error:  # whatever it is: the user would else see nothing
        tell(f"{HEAD} start failed: {trace(error)}")
        from osteo_edge.edge_app.android.failure import show_dialog, show_failure

        show_failure(places, error, show_dialog)
        return 1
    tell(f"{HEAD} closed")
    if unsaved:
        from osteo_edge.edge_app.android.failure import show_dialog, show_unsaved

        show_unsaved(places, unsaved, show_dialog)
    return 1 if unsaved else 0


def _device_services(post: Post) -> DeviceServices:
    from osteo_edge.edge_app.android.services.android_services import AndroidServices

    return AndroidServices(post)


def _on_ready(window: ScreeningApp, places: Places, tell: Tell, *, is_test: bool) -> None:
    """The window is up and its model is loaded."""
    tell(f"{HEAD} ready")
    if is_test:
        from osteo_edge.edge_app.android.built_in_test import Shipped, failed_line, run_built_in_test

        shipped, threads = Shipped(places.bundle, places.expected), window.clinic.settings.threads
        window.jobs.start(
            TEST_SLOT,
            lambda task: run_built_in_test(shipped, places.temporary / "test", threads=threads),
            tell,
            lambda line: tell(failed_line(line)),
        )
