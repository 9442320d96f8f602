"""The keys to enter a PIN with, by touch or on a keyboard."""

import math
import time
from typing import Any, Final

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.pin import MAX_DIGITS, wait_words
from osteo_edge.edge_app.ui.keys import ENTER, KEYPAD_ENTER
from osteo_edge.edge_app.ui.kit import QuietTap, Tap
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

BACKSPACE: Final = 8
DIGIT_KEYS: Final = {first + digit: str(digit) for first in (48, 256) for digit in range(10)}
"""Those of a keyboard and of its number pad, as Kivy numbers them."""
DOT: Final = "\u2022"
TICK_S: Final = 0.25


class PinPad(BoxLayout):  # type: ignore[misc]
    """Ten digits, erase and OK; `on_entered` is given what was entered, which is then gone from here.

    `title` is what to enter, `message` what was wrong with what was entered before: the first digit takes its place.
    Nothing can be entered while it is `waiting`. The keyboard is its own between `listen` and `rest`.
    """

    title = StringProperty()
    message = StringProperty()
    dots = StringProperty()
    waiting = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_entered")
        self._entered = ""
        self._typed_at: Tap | None = None
        self._until = -math.inf
        self._ticking: Any = None
        super().__init__(**kwargs)

    def on_kv_post(self, _: object) -> None:
        for digit in "123456789":
            self._add(QuietTap(text=digit), lambda _, digit=digit: self._tapped(digit))
        self._add(QuietTap(text=say("Erase")), lambda _: self._erase())
        self._add(QuietTap(text="0"), lambda _: self._tapped("0"))
        self._add(Tap(text=say("OK")), lambda _: self._done())

    def on_entered(self, pin: str) -> None:
        pass

    def listen(self) -> None:
        """Take what is typed on the keyboard."""
        Window.bind(on_keyboard=self._on_key)

    def rest(self) -> None:
        """Leave the keyboard alone, and forget what was entered."""
        Window.unbind(on_keyboard=self._on_key)
        self._forget()
        self._stop_ticking()

    def ask(self, title: str, message: str = "") -> None:
        """Ask for a PIN, after telling what was wrong with the last one."""
        self._stop_ticking()
        self.title, self.message, self.waiting = title, message, False
        self._forget()

    def hold(self) -> None:
        """Take nothing until `ask` or `wait`: what was entered is being looked at."""
        self.waiting = True
        self._forget()

    def wait(self, wait_s: float) -> None:
        """Take nothing for so many seconds, and count them down."""
        self._stop_ticking()
        self._until = time.monotonic() + wait_s
        if self._tick(0):
            self._ticking = Clock.schedule_interval(self._tick, TICK_S)

    def _stop_ticking(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None

    def _tick(self, _: float) -> bool:
        left_s = self._until - time.monotonic()
        is_waiting = self.waiting = left_s > 0
        self.message = wait_words(left_s, say) if is_waiting else ""
        return is_waiting

    def _add(self, tap: Tap, on_release: Any) -> None:
        tap.font_size = self.ids.taps.font_size
        tap.bind(on_release=on_release)
        self.bind(waiting=tap.setter("disabled"))
        self.ids.taps.add_widget(tap)

    @property
    def _marked(self) -> Tap | None:
        """The key that the keyboard's Enter would tap."""
        return next((tap for tap in self.ids.taps.children if tap.is_marked), None)

    def _tapped(self, digit: str) -> None:
        self._typed_at = None
        self._put(digit)

    def _put(self, digit: str) -> None:
        if not self.waiting and len(self._entered) < MAX_DIGITS:
            self._entered += digit
            self._show()

    def _erase(self) -> None:
        self._entered = self._entered[:-1]
        self._show()

    def _done(self) -> None:
        if self._entered and not self.waiting:
            self.dispatch("on_entered", self._entered)

    def _forget(self) -> None:
        self._entered, self._typed_at = "", None
        self._show()

    def _show(self) -> None:
        self.dots = " ".join(DOT * len(self._entered))

    def _on_key(self, window: Any, key: int, scancode: int, text: str | None, modifiers: list[str]) -> bool:
        if key in (ENTER, KEYPAD_ENTER):
            marked = self._marked
            if not self._entered or (marked is not None and marked is not self._typed_at):
                return False
            self._done()
        elif key == BACKSPACE:
            self._erase()
        elif key in DIGIT_KEYS:
            self._typed_at = self._marked
            self._put(DIGIT_KEYS[key])
        else:
            return False
        return True


load_kv(__file__)
