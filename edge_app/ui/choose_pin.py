"""Set, change or remove the PIN."""

from __future__ import annotations

from typing import Any, Final

from kivy.properties import StringProperty

from osteo_edge.edge_app.pin import Verdict, hash_pin, pin_problem
from osteo_edge.edge_app.ui.pin_pad import PinPad
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

SLOT: Final = "pin"


class ChoosePinScreen(Screen):
    """Asks for the PIN that is set, if there is one, then for the new one, twice; `removing` asks for the old only."""

    title = StringProperty()

    def __init__(self, *, removing: bool = False, **kwargs: Any) -> None:
        self._removing = removing
        self._new: str | None = None
        super().__init__(**kwargs)
        self._known = self._replaced = self.clinic.settings.pin
        self.title = say("Remove the PIN") if removing else say("Set a PIN") if self._known is None else say("New PIN")
        self.pad.bind(on_entered=self._take)

    @property
    def pad(self) -> PinPad:
        pad: PinPad = self.ids.pad
        return pad

    def shown(self) -> None:
        self.pad.listen()
        if self._known is None:
            self._ask_new()
            return
        self._ask_known()
        self.pad.hold()
        self.jobs.start(SLOT, lambda task: self.clinic.pin_lock.wait_s(), self.pad.wait, self._ask_known)

    def hidden(self) -> None:
        self.pad.rest()
        self._new = None
        self._known = self._replaced = self.clinic.settings.pin

    def left(self) -> None:
        self.jobs.cancel(SLOT)

    def _ask_known(self, message: str = "") -> None:
        self.pad.ask(say("The PIN that is set now"), say(message))

    def _ask_new(self, message: str = "") -> None:
        self._new = None
        self.pad.ask(say("A new PIN of 4 to 12 digits"), say(message))

    def _take(self, _: PinPad, pin: str) -> None:
        if self._known is not None:
            self._check(pin)
        elif self._new is None:
            self._choose(pin)
        elif pin != self._new:
            self._ask_new(say("The two were not the same. Enter a new PIN again."))
        else:
            self._save(pin)

    def _check(self, pin: str) -> None:
        known = self._known
        assert known is not None
        self.pad.hold()

        def work(task: object) -> tuple[Verdict, float]:
            return self.clinic.check_pin(pin, known)

        self.jobs.start(SLOT, work, self._answer, self._ask_known)

    def _answer(self, found: tuple[Verdict, float]) -> None:
        verdict, wait_s = found
        if verdict != "right":
            self._ask_known(say("Wrong PIN"))
            if wait_s > 0:
                self.pad.wait(wait_s)
        elif self._removing:
            self._save(None)
        else:
            self._known = None
            self._ask_new()

    def _choose(self, pin: str) -> None:
        problem = pin_problem(pin)
        if problem is not None:
            self._ask_new(problem)
            return
        self._new = pin
        self.pad.ask(say("The new PIN once more"))

    def _save(self, pin: str | None) -> None:
        self.pad.hold()
        replaced = self._replaced

        def work() -> None:
            self.clinic.set_pin(None if pin is None else hash_pin(pin), in_place_of=replaced)

        self.jobs.save(work, lambda _: self._saved(pin is not None), self._fail)

    def _saved(self, is_set: bool) -> None:
        self.shell.tell(say("The PIN is set.") if is_set else say("The PIN is removed."))
        self.shell.close(self)

    def _fail(self, line: str) -> None:
        self.shell.complain(line)
        self.shell.close(self)


load_kv(__file__)
