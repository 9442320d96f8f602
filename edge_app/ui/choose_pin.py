"""Set, change or remove the PIN; encrypt what is saved, or decrypt it; make another recovery code."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from osteo_edge.edge_app.pin import PinHash, Verdict, hash_pin, pin_problem
from osteo_edge.edge_app.ui.pin_pad import PinPad
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.vault import Vault
    from osteo_edge.edge_app.jobs import Progress, Task

SLOT: Final = "pin"

Purpose = Literal["set", "remove", "encrypt", "renew", "code"]

TITLES: Final[dict[Purpose, str]] = {
    "set": "Set a PIN",
    "remove": "Remove the PIN",
    "encrypt": "Encrypt what is saved",
    "renew": "New PIN",
    "code": "New recovery code",
}
"""Messages, as are those below."""
CHANGE: Final = "New PIN"
KEEPS_PASSERS_BY: Final = (
    "The PIN keeps passers-by from an unattended screen. It encrypts nothing: whoever can read the disk needs no PIN."
)
OPENS: Final = "The PIN opens what is encrypted on this device. The recovery code stays as it is."
ENCRYPTS: Final = (
    "All films and answers on this device are encrypted with the PIN. You also get a recovery code to write down. If "
    "both are lost, what is saved is lost: nobody can open it."
)
DECRYPTS: Final = "Without a PIN nothing is encrypted: whoever can read the disk can read all films and answers."
REPLACES: Final = "The recovery code that was written down before opens nothing any more."
ENCRYPTING: Final = "What is saved is being encrypted…"
DECRYPTING: Final = "What is saved is being decrypted…"


class ChoosePinScreen(Screen):
    """Asks for the PIN that is set, if there is one, then for the new one, twice, as far as its purpose needs them.

    "remove" and "code" need the PIN that is set only; "renew" follows the recovery code, and needs the new one only.
    """

    title = StringProperty()
    remark = StringProperty()
    is_busy = BooleanProperty(False)
    share = NumericProperty(-1)
    message = StringProperty()

    def __init__(self, *, purpose: Purpose = "set", **kwargs: Any) -> None:
        self._purpose: Purpose = purpose
        self._new: str | None = None
        self._warnings: list[str] = []
        super().__init__(**kwargs)
        self._is_encrypted = self.clinic.access.is_encrypted
        self._ask_again()
        is_change = purpose == "set" and self._known is not None
        self.title = say(CHANGE if is_change else TITLES[purpose])
        self.remark = say(self._remark())
        self.pad.bind(on_entered=self._take)

    @property
    def pad(self) -> PinPad:
        pad: PinPad = self.ids.pad
        return pad

    def shown(self) -> None:
        if self.is_busy:
            return
        self.pad.listen()
        if self._known is None:
            self._ask_new()
            return
        self._ask_known()
        self.pad.hold()
        self.jobs.start(SLOT, lambda task: self.clinic.pin_lock.wait_s(), self.pad.wait, self._ask_known)

    def hidden(self) -> None:
        self.pad.rest()
        if not self.is_busy:
            self._ask_again()

    def left(self) -> None:
        self.jobs.cancel(SLOT)

    def stop(self) -> None:
        """Encrypt or decrypt no further: all stays as it was."""
        if self.jobs.cancel(SLOT):
            self._fail(say("Stopped."))

    def _remark(self) -> str:
        if self._purpose == "encrypt":
            return ENCRYPTS
        if not self._is_encrypted:
            return KEEPS_PASSERS_BY
        return {"remove": DECRYPTS, "code": REPLACES}.get(self._purpose, OPENS)

    def _ask_again(self) -> None:
        """Begin anew, from the PIN as it is set now."""
        self._new = None
        self._replaced = self._now_set()
        self._known = None if self._purpose == "renew" else self._replaced

    def _now_set(self) -> PinHash | Vault | None:
        try:
            return self.clinic.access.known_pin()
        except OsteoEdgeError as error:
            self.shell.complain(str(error))
            return None

    def _ask_known(self, message: str = "") -> None:
        self.pad.ask(say("The PIN that is set now"), say(message))

    def _ask_new(self, message: str = "") -> None:
        self._new = None
        asked = say("A new PIN of 6 to 12 digits") if self._encrypts else say("A new PIN of 4 to 12 digits")
        self.pad.ask(asked, say(message))

    @property
    def _encrypts(self) -> bool:
        """Whether the new PIN will be that of an encrypted history."""
        return self._is_encrypted or self._purpose == "encrypt"

    def _take(self, _: PinPad, pin: str) -> None:
        if self._known is not None:
            self._check(pin, self._known)
        elif self._new is None:
            self._choose(pin)
        elif pin != self._new:
            self._ask_new(say("The two were not the same. Enter a new PIN again."))
        else:
            self._save(pin)

    def _check(self, pin: str, known: PinHash | Vault) -> None:
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
        elif self._purpose == "remove":
            self._remove()
        elif self._purpose == "code":
            self._make_code()
        else:
            self._known = None
            self._ask_new()

    def _choose(self, pin: str) -> None:
        problem = pin_problem(pin, encrypts=self._encrypts)
        if problem is not None:
            self._ask_new(problem)
            return
        self._new = pin
        self.pad.ask(say("The new PIN once more"))

    def _save(self, pin: str) -> None:
        if self._purpose == "encrypt":
            self._rewrite(partial(self._encrypt, pin), self._show_code)
        else:
            self._do(partial(self._set, pin, self._replaced), lambda _: self._done(say("The PIN is set.")))

    def _set(self, pin: str | None, replaced: PinHash | Vault | None) -> None:
        """Set a PIN, or none, on a worker thread."""
        if replaced is None or isinstance(replaced, PinHash):
            self.clinic.set_pin(None if pin is None else hash_pin(pin), in_place_of=replaced)
        elif pin is not None:
            self.clinic.access.change_pin(pin, in_place_of=replaced)

    def _remove(self) -> None:
        if self._is_encrypted:
            words = say("What is saved is not encrypted any more. The PIN is removed.")
            self._rewrite(self._decrypt, lambda _: self._done(words))
        else:
            self._do(partial(self._set, None, self._replaced), lambda _: self._done(say("The PIN is removed.")))

    def _make_code(self) -> None:
        self._do(self.clinic.access.new_code, self._show_code)

    def _do(self, work: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
        self.pad.hold()
        self.jobs.save(work, on_result, self._fail)

    def _rewrite(self, work: Callable[[Task], Any], on_result: Callable[[Any], None]) -> None:
        """Do what takes long, and can be stopped."""
        self.pad.hold()
        self.pad.rest()
        self.is_busy = True
        self.jobs.start(SLOT, work, on_result, self._fail, self._show_progress)

    def _encrypt(self, pin: str, task: Task) -> str:
        return self.clinic.access.encrypt(
            pin, on_progress=lambda share: task.report(share, ENCRYPTING), warn=self._warnings.append
        )

    def _decrypt(self, task: Task) -> None:
        self.clinic.access.decrypt(on_progress=lambda share: task.report(share, DECRYPTING), warn=self._warnings.append)

    def _show_progress(self, progress: Progress) -> None:
        self.share = -1 if progress.share is None else progress.share
        self.message = say(progress.message)

    def _show_code(self, code: str) -> None:
        self.is_busy = False
        self.shell.close(self)
        self.shell.go("recovery_code", code=code)
        self._warn()

    def _done(self, line: str) -> None:
        self.is_busy = False
        self.shell.tell(line)
        self.shell.close(self)
        self._warn()

    def _warn(self) -> None:
        """Tell what the user must know although it was done."""
        for line in self._warnings:
            self.shell.complain(line)

    def _fail(self, line: str) -> None:
        self.is_busy = False
        self.shell.complain(line)
        self.shell.close(self)


load_kv(__file__)
