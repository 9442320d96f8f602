"""The app: the shell in a window, with what is heavy loaded after the first picture."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.modalview import ModalView

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.idle import CHECK_S, Idle
from osteo_edge.edge_app.jobs import Jobs
from osteo_edge.edge_app.left_off import forget_left_off, take_left_off
from osteo_edge.edge_app.ui.keys import FocusRing
from osteo_edge.edge_app.ui.kit import Question
from osteo_edge.edge_app.ui.shell import Shell
from osteo_edge.edge_app.ui.wearing import wear
from osteo_edge.edge_app.ui.window import post
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.device_services import DeviceServices

ESCAPE, ANDROID_BACK = 27, 1001
PAUSE_PATIENCE_S = 2.0
"""The system waits about so long for an app that it puts away."""


class ScreeningApp(App):  # type: ignore[misc]
    """One window on one clinic's data."""

    title = "osteo-edge"
    use_kivy_settings = False

    def __init__(
        self,
        clinic: Clinic,
        *,
        camera: str = "auto",
        device: DeviceServices | None = None,
        when_ready: Callable[[ScreeningApp], None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.clinic, self.camera, self.device, self._when_ready = clinic, camera, device, when_ready
        self.jobs = Jobs(post)
        self.ring = FocusRing()
        self.idle = Idle()
        self._closing: Question | None = None
        self._has_ended = False
        self.unsaved: tuple[str, ...] = ()
        """Lines about what could not be saved when the window closed."""

    def build(self) -> Shell:
        wear(self.clinic.settings, is_dark=self.device is not None and self.device.is_dark())
        self.shell = Shell(self.clinic, self.jobs, camera=self.camera, device=self.device)
        return self.shell

    def on_start(self) -> None:
        Window.bind(on_keyboard=self._on_key, on_touch_down=self._on_touch)
        Window.bind(on_key_up=self._on_use, on_textinput=self._on_use, on_request_close=self._on_request_close)
        Clock.schedule_interval(self._lock_if_idle, CHECK_S)
        self.shell.go("home")
        self.shell.reopen(take_left_off(self.clinic.folders.left_off, datetime.now(timezone.utc)))
        self.shell.lock()
        self.shell.follow_device()
        if self.clinic.note is not None:
            self.shell.tell(self.clinic.note, lasts=True)
        self.shell.bind(on_ready=self._begin)
        Window.bind(on_flip=self._load_model)

    def on_stop(self) -> None:
        self.end()

    def end(self) -> None:
        """Wait until all is saved, and close the data; nothing happens the second time."""
        if self._has_ended:
            return
        self._has_ended = True
        Window.unbind(on_keyboard=self._on_key, on_touch_down=self._on_touch)
        Window.unbind(on_key_up=self._on_use, on_textinput=self._on_use, on_request_close=self._on_request_close)
        Clock.unschedule(self._lock_if_idle)
        self.shell.stop()
        self.shell.tidying.end()
        self.unsaved = self.jobs.shutdown()
        with suppress(OSError):
            forget_left_off(self.clinic.folders.left_off)
        self.clinic.close()

    def on_pause(self) -> bool:
        """The window is not seen any more: from here on the system may end the app without a word."""
        if not self._has_ended:
            self.shell.pause()
            self.jobs.flush(PAUSE_PATIENCE_S)
        return True

    def on_resume(self) -> None:
        self._lock_if_idle(0)
        self.shell.resume()

    def _load_model(self, *_: Any) -> None:
        """The home screen has been drawn: what is heavy may begin."""
        Window.unbind(on_flip=self._load_model)
        Clock.schedule_once(lambda _: self.shell.load_model())

    def _begin(self, shell: Shell) -> None:
        from osteo_edge.edge_app.ui.beginning import begin  # not before the home screen is drawn

        shell.tidying.begin()
        begin(shell)
        if self._when_ready is not None:
            self._when_ready(self)

    def _on_key(self, window: Any, key: int, scancode: int, text: str | None, modifiers: list[str]) -> bool:
        over = next((child for child in Window.children if isinstance(child, ModalView)), None)
        if key in (ESCAPE, ANDROID_BACK):
            return self._go_back(over)
        return self.ring.key(over or self.shell, key, modifiers)

    def _go_back(self, over: Any) -> bool:
        if over is not None:
            over.answer(False)
            return True
        if self.device is None:
            self.shell.back()
        elif self.shell.is_locked or not self.shell.back():
            self.pause()  # the app goes on unseen, as after the home button: opening it again is quick
        return True

    def _on_request_close(self, *_: Any, **__: Any) -> bool:
        """Ask first, once, whether something would be lost: over the lock too, where nothing else of it is seen."""
        title = self.shell.unsaved()
        if title is None or self._closing is not None:
            return False
        self._closing = Question(self.stop, title=title, text=say("It is then lost."), yes=say("Leave"), no=say("Stay"))
        self._closing.bind(on_dismiss=self._on_closing_answered)
        self._closing.open(animation=False)
        return True

    def _on_closing_answered(self, *_: Any) -> None:
        self._closing = None

    def _on_touch(self, window: Any, touch: Any) -> bool:
        self.idle.used()
        self.ring.clear()
        return False

    def _on_use(self, *_: Any) -> bool:
        self.idle.used()
        return False

    def _lock_if_idle(self, _: float) -> None:
        if self.idle.is_over(self.clinic.settings.lock_after_minutes):
            self.shell.lock()
