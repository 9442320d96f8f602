"""What lies over all screens while the app is locked."""

from __future__ import annotations

from typing import Any, Final

from kivy.clock import Clock
from kivy.properties import BooleanProperty, StringProperty

from osteo_edge.edge_app.history.recovery_code import code_problem
from osteo_edge.edge_app.pin import Verdict
from osteo_edge.edge_app.ui.pin_pad import PinPad
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

SLOT = "pin"
WRONG_CODE: Final = "This is not the recovery code of this device"
"""A message."""


class LockScreen(Screen):
    """Asks for the PIN, and says what to do when it is forgotten. It cannot be left otherwise.

    Where the history is encrypted, its recovery code opens it too; another PIN is chosen then.
    """

    forgotten = BooleanProperty(False)
    is_encrypted = BooleanProperty(False)
    problem = StringProperty()

    @property
    def pad(self) -> PinPad:
        pad: PinPad = self.ids.pad
        return pad

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_encrypted = self.clinic.access.is_encrypted
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
        if self.is_encrypted and self.forgotten:
            self.pad.rest()  # the keyboard is for the code now
        elif self.is_encrypted:
            self.shown()
        else:
            Clock.schedule_once(self._scroll_to_foot)

    def open_with_code(self) -> None:
        """Try what was typed as the recovery code."""
        typed = self.ids.code.text
        problem = code_problem(typed)
        self.problem = "" if problem is None else say(problem)
        if problem is None:
            access = self.clinic.access
            self.jobs.start(SLOT, lambda task: access.open_with_code(typed), self._answer_code, self._fail_code)

    def _scroll_to_foot(self, _: float) -> None:
        self.ids.page.scroll_y = 0

    def _check(self, _: PinPad, pin: str) -> None:
        self.pad.hold()

        def work(task: object) -> tuple[Verdict, float]:
            known = self.clinic.access.known_pin()
            return ("right", 0.0) if known is None else self.clinic.check_pin(pin, known)

        self.jobs.start(SLOT, work, self._answer, self._fail)

    def _answer(self, found: tuple[Verdict, float]) -> None:
        verdict, wait_s = found
        if verdict == "right" and not self.clinic.access.is_shut:  # which a lock just before may have done since
            self.shell.unlock()
            return
        self.pad.ask(say("Enter the PIN"), say("Wrong PIN") if verdict != "right" else "")
        if wait_s > 0:
            self.pad.wait(wait_s)

    def _fail(self, line: str) -> None:
        self.pad.ask(say("Enter the PIN"), say(line))

    def _answer_code(self, is_right: bool) -> None:
        if not is_right:
            self._fail_code(WRONG_CODE)
            return
        self.shell.unlock()
        self.shell.go("choose_pin", purpose="renew")

    def _fail_code(self, line: str) -> None:
        self.problem = say(line)


load_kv(__file__)
