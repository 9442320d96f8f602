"""The frame around all screens: which one is open, the mark of a demonstration, and lines that the user must see."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.modalview import ModalView

from osteo_edge.edge_app.audit_trail import What
from osteo_edge.edge_app.clinic import Clinic, LoadedModel
from osteo_edge.edge_app.demo_mark import FALLEN_BACK, MARK
from osteo_edge.edge_app.jobs import Jobs
from osteo_edge.edge_app.left_off import Left, forget_left_off, write_left_off
from osteo_edge.edge_app.ui.kit import Question
from osteo_edge.edge_app.ui.notices import Notices
from osteo_edge.edge_app.ui.on_device import SHOW_NO_PATIENT, OnDevice
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.tidying import Tidying
from osteo_edge.edge_app.ui.wearing import wear
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.device_services import DeviceServices

SCREENS: Final = {
    "home": "HomeScreen",
    "new_screening": "NewScreeningScreen",
    "files": "FilesScreen",
    "camera": "CameraScreen",
    "result": "ResultScreen",
    "side_by_side": "SideBySideScreen",
    "history": "HistoryScreen",
    "follow_up": "FollowUpScreen",
    "model": "ModelScreen",
    "settings": "SettingsScreen",
    "help": "HelpScreen",
    "lock": "LockScreen",
    "model_card": "ModelCardScreen",
    "choose_pin": "ChoosePinScreen",
    "recovery_code": "RecoveryCodeScreen",
}
"""The screens, each in the module of its name; imported when they are first opened."""

FILM_GONE: Final = "A film that was not saved is not there any more. Choose it again."
"""A message."""


class Shell(BoxLayout):  # type: ignore[misc]
    """The window's content. Screens open each other by name, `go` and `back`; only the last one is shown.

    The lock lies over them all. They go on beneath it, and may open others there; nothing of them is seen.
    """

    def __init__(
        self,
        clinic: Clinic,
        jobs: Jobs,
        *,
        camera: str = "auto",
        device: DeviceServices | None = None,
        **kwargs: Any,
    ) -> None:
        self.register_event_type("on_ready")
        super().__init__(**kwargs)
        self.clinic, self.jobs, self.camera, self.device = clinic, jobs, camera, device
        self.model: LoadedModel | None = None
        self._open: list[tuple[str, dict[str, Any], Screen]] = []
        self._lock: Screen | None = None
        self._aside: list[ModalView] = []
        self._is_ready = False
        self._when_open: list[Callable[[], None]] = []
        self._on_device = None if device is None else OnDevice(self, device)
        self.tidying = Tidying()
        self.mark_demo(True)

    def on_ready(self) -> None:
        """The model was loaded for the first time, or could not be: the app can be used."""

    @property
    def is_open(self) -> bool:
        """Whether any screen is."""
        return bool(self._open)

    @property
    def screen(self) -> Screen:
        """The screen that is shown."""
        return self._lock or self._top

    @property
    def name(self) -> str:
        """The name of the screen that is shown."""
        return "lock" if self._lock else self._open[-1][0]

    @property
    def is_locked(self) -> bool:
        return self._lock is not None

    @property
    def notices(self) -> Notices:
        """The lines at the foot."""
        notices: Notices = self.ids.notices
        return notices

    @property
    def _top(self) -> Screen:
        """The screen that is shown, or would be but for the lock."""
        return self._open[-1][2]

    def go(self, name: str, **arguments: Any) -> Screen:
        """Open a screen over the one that is shown; "lock" over all, if there is a PIN."""
        if name == "lock":
            self.lock()
            return self.screen
        screen = self._make(name, arguments)
        if self._open:
            self._hide_top()
        self._open.append((name, arguments, screen))
        self._show()
        return screen

    def lock(self) -> None:
        """Cover all screens, questions and lines until `unlock`, if a PIN is set; an encrypted history is shut then."""
        if self._lock is not None or not self.clinic.access.has_pin:
            return
        self._record(What.LOCKED)
        self.clinic.trail.leave()
        lock = self._make("lock", {})
        self._hide_top()
        self._lock = lock
        self._aside = [over for over in Window.children if isinstance(over, ModalView)]
        for over in self._aside:
            Window.remove_widget(over)
        self._show()
        if not self.notices.offers_undo:  # what can still be brought back must be there after the lock
            self.jobs.save(self.clinic.access.shut, lambda _: None, self.complain)

    def when_open(self, call: Callable[[], None]) -> None:
        """Make the call now; or, while the history is shut, as soon as the PIN was entered."""
        if self.clinic.access.is_shut:
            self._when_open.append(call)
        else:
            call()

    def unlock(self) -> None:
        """Show again what the lock has covered."""
        if self._lock is None:
            return
        self._record(What.UNLOCKED)
        self._take_lock_off()
        self._show()
        for over in reversed(self._aside):
            Window.add_widget(over)
        self._aside = []
        calls, self._when_open = self._when_open, []
        for call in calls:
            self.when_open(call)

    def back(self, *_: object) -> bool:
        """Leave the screen that is shown, unless it is the last one; whether there was another one below."""
        if self.is_locked:
            return True
        if len(self._open) <= 1:
            return False
        if not self.screen.leave():
            self._drop()
            self._show()
        return True

    def close(self, screen: Screen) -> None:
        """Leave a screen without asking it, also one that others lie above, such as a film shared meanwhile."""
        at = next((at for at, (_, _, one) in enumerate(self._open) if one is screen), 0)
        if at == 0:  # the first one stays
            return
        if self._top is screen:
            self._drop()
            self._show()
        else:
            del self._open[at]
            screen.left()
            self.tidying.soon()

    def has(self, screen: Screen) -> bool:
        """Whether a screen is open, seen or not."""
        return any(one is screen for _, _, one in self._open)

    def replace(self, name: str, **arguments: Any) -> Screen:
        """Open a screen in place of the one that is shown."""
        screen = self._make(name, arguments)
        self._drop()
        self._open.append((name, arguments, screen))
        self._show()
        return screen

    def home(self) -> None:
        """Leave all screens but the first."""
        while len(self._open) > 1:
            self._drop()
        self._show()

    def rebuild(self) -> None:
        """Make all open screens anew, in another language or text size."""
        opened = [(name, arguments, screen.kept()) for name, arguments, screen in self._open]
        while self._open:
            self._drop()
        for name, arguments, kept in opened:
            self._open.append((name, arguments, self._make(name, arguments | kept)))
        if self._lock is not None:
            self._take_lock_off()
            self._lock = self._make("lock", {})
        self.mark_demo(bool(self.ids.mark.text))
        if self._open:
            self._show()

    def load_model(self) -> None:
        """Load the model beside the window, at the start and when another one is in use."""
        self.model = None
        self.mark_demo(True)
        self.jobs.start("model", lambda task: self.clinic.model(), self._show_model, self._show_no_model)

    def wear_settings(self) -> None:
        """Show all open screens as the settings have it now."""
        wear(self.clinic.settings, is_dark=self.device is not None and self.device.is_dark())
        self.rebuild()

    def follow_device(self) -> None:
        """From now on follow what the device tells, if it tells anything."""
        if self._on_device is not None:
            self._on_device.begin()

    def announce(self, text: str) -> None:
        """Have the device's screen reader say a text, if there is one and the text can be seen."""
        if self.device is not None and text and not self.is_locked:
            self.device.announce(text)

    def offer_film(self, film: Path) -> None:
        """Offer a film that another app has shared, in the form that is open or in a new one; it may lie locked."""
        if self._open[-1][0] == "new_screening":
            self._top.offer_film(film)
        else:
            self.go("new_screening", films=(film,))

    def frame_photo(self, photo: Path) -> None:
        """Go on with a photo that was being taken when the system ended the app; it may lie locked."""
        name, _, screen = self._open[-1]
        if name == "camera":
            screen.begin_with(photo)
        elif name == "new_screening":
            screen.frame(photo)
        else:
            self.go("new_screening")
            self._top.frame(photo)

    def pause(self) -> None:
        """The app is not seen any more, and may be ended: have everything kept that a user would miss."""
        for _, _, screen in self._open:
            screen.paused()
        if self.clinic.access.is_encrypted:  # what it keeps would be in clear
            return
        work = partial(write_left_off, self.clinic.folders.left_off, self._left_off(), datetime.now(timezone.utc))
        self.jobs.save(work, lambda _: None, self.complain)

    def resume(self) -> None:
        """The app is seen again: what was kept of its screens is not needed."""
        work = partial(forget_left_off, self.clinic.folders.left_off)
        self.jobs.save(work, lambda _: None, self.complain)

    def reopen(self, left: Sequence[tuple[str, Left]]) -> None:
        """Open again the screens that were open when the system ended the app, as far as their films are there."""
        for name, screen in left:
            if not all(path.is_file() for path in screen.files()):
                self.complain(FILM_GONE)
                return
            self._top.reopen(name, screen.arguments())

    def _left_off(self) -> list[tuple[str, Left]]:
        """The screens above the first one, as far up as each can be opened again."""
        found = list[tuple[str, Left]]()
        for name, _, screen in self._open[1:]:
            left = screen.lasting()
            if left is None:
                break
            found.append((name, left))
        return found

    def mark_demo(self, is_demo: bool) -> None:
        """Show on every screen, or not, that the model in use is a demonstration, or may be one."""
        self.ids.mark.text = say(MARK) if is_demo else ""
        self.ids.mark.opacity = 1 if is_demo else 0

    def tell(self, line: str, *, lasts: bool = False) -> None:
        """Show a line at the foot of the window: for some seconds, or until it is tapped away."""
        self.notices.tell(line, say("OK"), lasts=lasts)
        self.announce(line)

    def complain(self, line: str) -> None:
        """Tell what went wrong, until it is tapped away."""
        self.tell(say(line), lasts=True)

    def offer_undo(self, line: str, undo: Callable[[], None]) -> Callable[[], None]:
        """Tell what was done, with a button that undoes it, for a minute in which the app is not locked.

        What it gives takes the offer away.
        """
        self.announce(line)
        return self.notices.offer_undo(line, say("Undo"), undo)

    def ask(self, title: str, text: str, yes: str, on_yes: Callable[[], None], no: str | None = None) -> Question:
        """Ask before something that cannot be undone."""
        question = Question(on_yes, title=title, text=text, yes=yes, no=no or say("Cancel"))
        question.open(animation=False)
        if self.is_locked:
            Window.remove_widget(question)
            self._aside.insert(0, question)
        self.announce(f"{title} {text}")
        return question

    def unsaved(self) -> str | None:
        """What to ask before the window closes, since something on a screen would be lost by it; None if nothing."""
        questions = (screen.unsaved() for _, _, screen in reversed(self._open))
        return next((question for question in questions if question is not None), None)

    def stop(self) -> None:
        """Leave all screens."""
        self.notices.disabled = True  # no clock is to hold what was left
        self._take_lock_off()
        while self._open:
            self._drop()

    def _show_model(self, model: LoadedModel) -> None:
        self.model = model
        self.mark_demo(model.is_demo)
        if model.problem is not None:
            self.tell(f"{say(FALLEN_BACK)} {say(model.problem)}", lasts=True)
        for _, _, screen in self._open:
            screen.show_model(model)
        self._tell_ready()

    def _show_no_model(self, line: str) -> None:
        self.complain(line)
        for _, _, screen in self._open:
            screen.show_no_model()
        self._tell_ready()

    def _tell_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self.dispatch("on_ready")

    def _record(self, what: What) -> None:
        """Have an event recorded; what it is about does not wait for it, for a full disk must lock nobody out."""
        self.jobs.save(self.clinic.trail.of_now(what), lambda _: None, self.complain)

    def _make(self, name: str, arguments: dict[str, Any]) -> Screen:
        module = importlib.import_module(f"osteo_edge.edge_app.ui.{name}")
        screen: Screen = getattr(module, SCREENS[name])(shell=self, **arguments)
        return screen

    def _drop(self) -> None:
        if self._top.parent is not None:
            self._hide_top()
        *_, screen = self._open.pop()
        screen.left()
        self.tidying.soon()

    def _take_lock_off(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.hidden()
            lock.left()

    def _hide_top(self) -> None:
        """Tell the screen on top that it is not seen any more, once."""
        if not self.is_locked:
            Window.release_all_keyboards()
            self._top.hidden()

    def _show(self) -> None:
        """Show the screen on top, or the lock."""
        self.notices.disabled = self.is_locked
        if self.screen.parent is None:
            self.ids.body.clear_widgets()
            self.ids.body.add_widget(self.screen)
            self._tell_device()
            self.screen.shown()

    def _tell_device(self) -> None:
        if self.device is not None:
            self.device.keep_secret(self.name not in SHOW_NO_PATIENT)
            if self.screen.spoken:
                self.device.announce(self.screen.spoken)


load_kv(str(Path(__file__)))
