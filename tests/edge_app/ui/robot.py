"""A user of the app: sees what is on the screen, touches it, types, and waits for what comes."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kivy.animation import Animation
from kivy.base import EventLoop, runTouchApp
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.uix.label import Label
from kivy.uix.modalview import ModalView
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from osteo_edge.edge_app.clinic import Clinic
from osteo_edge.edge_app.device_services import DeviceServices
from osteo_edge.edge_app.ui.app import ScreeningApp
from osteo_edge.edge_app.ui.keys import scroll
from tests.edge_app.ui.picture import can_be_drawn_on

PATIENCE_S = 30.0
T = TypeVar("T")


class Finger(MotionEvent):  # type: ignore[misc]
    """A touch, as a touch screen gives it; positions in pixels from the window's lower left corner."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__("robot", self.__class__.counter, {"x": x / Window.width, "y": y / Window.height})
        Finger.counter += 1
        self.profile = ["pos"]

    counter = 0

    def depack(self, args: dict[str, float]) -> None:
        self.is_touch = True
        self.type_id = "touch"
        self.sx, self.sy = args["x"], args["y"]
        self.profile = ["pos"]
        super().depack(args)

    def _send(self, kind: str) -> None:
        EventLoop.post_dispatch_input(kind, self)
        EventLoop.idle()

    def down(self) -> "Finger":
        self._send("begin")
        return self

    def move(self, x: float, y: float) -> "Finger":
        self.move_to({"x": x / Window.width, "y": y / Window.height})
        self._send("update")
        return self

    def move_to(self, args: dict[str, float]) -> None:
        self.move_args = args
        super().move(args)

    def up(self) -> None:
        self._send("end")


class Robot:
    """The app in a window of `size`, driven frame by frame on this thread."""

    def __init__(
        self,
        clinic: Clinic,
        size: tuple[int, int] = (800, 480),
        *,
        camera: str = "auto",
        device: DeviceServices | None = None,
    ) -> None:
        self.open(ScreeningApp(clinic, camera=camera, device=device), size)

    def open(self, app: ScreeningApp, size: tuple[int, int]) -> None:
        """Open an app that has not been opened yet."""
        gc.freeze()  # once it is ready it collects garbage: not in all that the tests have loaded
        self.app, self.clinic = app, app.clinic
        if EventLoop.status != "started":
            runTouchApp(embedded=True)
        Window.size = size
        self.app._run_prepare()
        self.frames(3)
        self.until(lambda: tuple(Window.size) == tuple(size))
        assert can_be_drawn_on(*size), f"of this window less than {size[0]} x {size[1]} can be seen"

    def close(self) -> None:
        """Close the app, if it is open, as its window's close button does; the window stays for the next one."""
        if self.app.root not in Window.children:
            return
        for over in self._windows()[1:]:
            if isinstance(over, ModalView):
                over.dismiss(animation=False)
        self.app.dispatch("on_stop")
        for left in list(Window.children):  # also what an app left there that failed to start
            Window.remove_widget(left)
        end_fading()
        gc.collect()  # else what is left of a hundred windows would follow every change of the look

    def end(self) -> None:
        """The system ends the app: nothing of it is called any more."""
        for left in list(Window.children):
            Window.remove_widget(left)
        self.app._has_ended = True
        Window.unbind(on_keyboard=self.app._on_key, on_touch_down=self.app._on_touch)
        Clock.unschedule(self.app._lock_if_idle)
        self.app.shell.tidying.end()
        self.app.jobs.shutdown()
        self.clinic.close()
        end_fading()
        gc.collect()

    @property
    def shell(self) -> Any:
        return self.app.shell

    @property
    def top(self) -> Widget:
        """What lies over all else: a question, or the app itself."""
        return self._windows()[-1]

    @property
    def screen(self) -> Any:
        return self.app.shell.screen

    def frames(self, count: int = 1) -> None:
        for _ in range(count):
            EventLoop.idle()

    def until(self, condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
        """Let the app run until something is so."""
        end = time.monotonic() + patience_s
        while not (found := condition()):
            assert time.monotonic() < end, f"waited for {condition} in vain; on the screen: {self.texts()}"
            EventLoop.idle()
            time.sleep(0.002)
        return found

    def see(self, text: str, patience_s: float = PATIENCE_S) -> Widget:
        """Wait until a text is on the screen, as a whole or as a part; the widget that shows it."""
        found: list[Widget] = self.until(lambda: self._showing(text), patience_s)
        self.frames(2)
        return found[0]

    def sees(self, text: str) -> bool:
        return bool(self._showing(text))

    def texts(self) -> list[str]:
        """All texts that are shown, in the order of reading, those that must be scrolled to among them."""
        return [widget.text for widget in self.widgets() if isinstance(widget, Label | TextInput) and widget.text]

    def widgets(self) -> Iterator[Widget]:
        """All widgets on the screen, or of the question that lies over it."""
        yield from _below(self.top)

    def tap(self, target: str | Widget) -> None:
        """Touch a button by its text, or any widget, in its middle; it is scrolled to first."""
        widget = self.see(target) if isinstance(target, str) else target
        self.scroll_to(widget)
        self.touch(*widget.to_window(*widget.center))

    def touch(self, x: float, y: float) -> None:
        finger = Finger(x, y).down()
        self.frames(2)
        finger.up()
        self.frames(3)

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        finger = Finger(*start).down()
        for step in range(1, steps + 1):
            share = step / steps
            finger.move(start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
        finger.up()
        self.frames(2)

    def pinch(self, middle: tuple[float, float], before: float, after: float, steps: int = 10) -> None:
        """Move two fingers on a horizontal line from `before` to `after` pixels apart."""
        fingers = [Finger(middle[0] + side * before / 2, middle[1]).down() for side in (-1, 1)]
        for step in range(1, steps + 1):
            apart = before + (after - before) * step / steps
            for side, finger in zip((-1, 1), fingers, strict=True):
                finger.move(middle[0] + side * apart / 2, middle[1])
        for finger in fingers:
            finger.up()
        self.frames(2)

    def scroll_to(self, widget: Widget) -> None:
        self.frames(2)  # what has just been opened is laid out
        above = widget.parent
        while above is not None and above is not above.parent:
            if isinstance(above, ScrollView):
                scroll(above, widget)
                self.frames(3)
            above = above.parent

    def type(self, box: Widget, text: str) -> None:
        """Touch a box and type into it, in place of what it holds."""
        self.tap(box)
        box.select_all()
        box.delete_selection()
        for character in text:
            Window.dispatch("on_textinput", character)
        self.frames(2)

    def key(self, code: int, modifiers: Sequence[str] = ()) -> None:
        """Press and release a key, by its code in Kivy (SDL 1)."""
        if not Window.dispatch("on_key_down", code, 0, None, list(modifiers)):
            Window.dispatch("on_keyboard", code, 0, None, list(modifiers))
        Window.dispatch("on_key_up", code, 0)
        self.frames(2)

    def shot(self, path: Path) -> Path:
        """Save a picture of the window as PNG."""
        self.frames(2)
        path.parent.mkdir(parents=True, exist_ok=True)
        written = Path(Window.screenshot(str(path)))
        return written.replace(path)

    def _showing(self, text: str) -> list[Widget]:
        shown = [widget for widget in self.widgets() if isinstance(widget, Label | TextInput)]
        return [w for w in shown if w.text == text] or [w for w in shown if text in w.text]

    def _windows(self) -> list[Widget]:
        """The screen, and what lies over it."""
        return [self.app.root, *[child for child in reversed(Window.children) if child is not self.app.root]]


def end_fading() -> None:
    """Scroll bars fade for a second, and begin again whenever the next app changes the look: all would stay alive."""
    for event in Clock.get_events():
        owner = getattr(event.get_callback(), "__self__", None)
        if isinstance(owner, ScrollView):
            event.cancel()
        elif isinstance(owner, Animation):
            for animated in list(owner._widgets.values()):
                owner.cancel(animated["widget"])


def _below(widget: Widget) -> Iterator[Widget]:
    if widget.opacity == 0:
        return
    yield widget
    for child in reversed(widget.children):
        yield from _below(child)
