"""What lies over all screens while the app is locked."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.properties import BooleanProperty

from osteo_edge.edge_app.pin import Verdict
from osteo_edge.edge_app.ui.pin_pad import PinPad
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

SLOT = "pin"


class LockScreen(Screen):
    """Asks for the PIN, and says what to do when it is forgotten. It cannot be left otherwise."""

    forgotten = BooleanProperty(False)

    @property
    def pad(self) -> PinPad:
        pad: PinPad = self.ids.pad
        return pad

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pad.bind(on_entered=self._check)

    @property
    def spoken(self) -> str:
        return say("Enter the PIN")

    def shown(self) -> None:
        self.pad.listen()
        self.pad.ask(say("Enter the PIN"))
        self.pad.hold()
        self.jobs.start(SLOT, lambda task: self.clinic.pin_lock.wait_s(), self.pad.wait, self._fail)

    def hidden(self) -> None:
        self.pad.rest()

    def left(self) -> None:
        self.jobs.cancel(SLOT)

    def leave(self) -> bool:
        return True

    def on_forgotten(self, *_: object) -> None:
        Clock.schedule_once(self._scroll_to_foot)

    def _scroll_to_foot(self, _: float) -> None:
        self.ids.page.scroll_y = 0

    def _check(self, _: PinPad, pin: str) -> None:
        self.pad.hold()
        known = self.clinic.settings.pin
        if known is None:
            self.shell.unlock()
            return

        def work(task: object) -> tuple[Verdict, float]:
            return self.clinic.check_pin(pin, known)

        self.jobs.start(SLOT, work, self._answer, self._fail)

    def _answer(self, found: tuple[Verdict, float]) -> None:
        verdict, wait_s = found
        if verdict == "right":
            self.shell.unlock()
            return
        self.pad.ask(say("Enter the PIN"), say("Wrong PIN"))
        if wait_s > 0:
            self.pad.wait(wait_s)

    def _fail(self, line: str) -> None:
        self.pad.ask(say("Enter the PIN"), say(line))


load_kv(__file__)
