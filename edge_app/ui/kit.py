"""The widgets that the screens are made of: every one follows `look`, wraps its text, and can be reached by keys."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.label import Label
from kivy.uix.modalview import ModalView
from kivy.uix.scrollview import ScrollView
from kivy.uix.slider import Slider
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.symbols import draw_symbol
from osteo_edge.edge_app.ui.words import drawable, say

PHASE_STEP_S = 1 / 20
LINE_WIDTH_SHARE = 0.03


class ShownText(StringProperty):  # type: ignore[misc]
    """A text that can be drawn, whatever it is set to: a file may have any name."""

    def set(self, widget: Any, text: Any) -> Any:
        return super().set(widget, drawable(text) if isinstance(text, str) else text)


class Words(Label):  # type: ignore[misc]
    """A text in as many lines as it takes."""

    text = ShownText()


class Reachable:
    """What the Tab key stops at; `is_marked` while it is there. Enter and the space bar call `press`."""

    is_marked: Any
    disabled: Any
    opacity: Any

    @property
    def is_reachable(self) -> bool:
        """Whether there is something to do here now."""
        return not self.disabled and self.opacity > 0

    def press(self) -> None:
        """Do what a tap would do."""

    def nudge(self, steps: int) -> bool:
        """Move by the arrow keys; whether there is something to move."""
        return False

    def move(self, across: int, up: int) -> bool:
        """The same for what moves both ways: a step to the right, or up, is 1."""
        return self.nudge(across + up)


class Tap(Reachable, ButtonBehavior, Label):  # type: ignore[misc]
    """A button: at least 48 dp high, its text wrapped."""

    text = ShownText()
    tint = ColorProperty()
    is_marked = BooleanProperty(False)

    def press(self) -> None:
        if not self.disabled:
            self.trigger_action(0)


class QuietTap(Tap):
    """A button for what is not the next step."""


class ChoiceTap(Tap):
    """One of several, of which one is chosen: bold and underlined then, not in another colour only."""

    chosen = BooleanProperty(False)


class Card(BoxLayout):  # type: ignore[misc]
    """Some widgets on a ground of their own, one below the other."""

    tint = ColorProperty(None, allownone=True)


class Sometimes(BoxLayout):  # type: ignore[misc]
    """Its children are there while `is_on`: out of it they take no room, no touch and no key."""

    is_on = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self._content: tuple[Widget, ...] | None = None
        super().__init__(**kwargs)

    def on_kv_post(self, _: object) -> None:
        self._content = tuple(reversed(self.children))
        self.on_is_on()

    def on_is_on(self, *_: object) -> None:
        if self._content is not None:
            self.clear_widgets()
            for widget in self._content if self.is_on else ():
                self.add_widget(widget)


class Shown(BoxLayout):  # type: ignore[misc]
    """Some widgets, one below the other, that take no room while they are not shown."""

    is_shown = BooleanProperty(True)

    def on_touch_down(self, touch: Any) -> bool:
        return self.is_shown and bool(super().on_touch_down(touch))  # else what is disabled would swallow it


class Cells(GridLayout):  # type: ignore[misc]
    """Widgets side by side, in as many columns of at least `least` pixels as there is room for."""

    least = NumericProperty("150dp")
    most = NumericProperty(12)


class Page(ScrollView):  # type: ignore[misc]
    """What a screen shows, one below the other; it scrolls where it is longer than the window."""

    column = ObjectProperty(None, allownone=True)
    widest = NumericProperty("1000dp")

    def add_widget(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        if self.column is None or widget is self.column:
            super().add_widget(widget, *args, **kwargs)
        else:
            self.column.add_widget(widget, *args, **kwargs)

    def clear(self) -> None:
        """Take everything out."""
        self.column.clear_widgets()


class TopBar(BoxLayout):  # type: ignore[misc]
    """The way back and the title of a screen."""

    title = StringProperty()
    back_text = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_back")
        kwargs.setdefault("back_text", say("Back"))
        super().__init__(**kwargs)

    def on_back(self) -> None:
        pass


class TextBox(Reachable, TextInput):  # type: ignore[misc]
    """One line to type in; Tab leaves it."""

    is_marked = BooleanProperty(False)

    def on_is_marked(self, _: object, is_marked: bool) -> None:
        self.focus = is_marked

    def keyboard_on_key_down(self, window: Any, keycode: Any, text: Any, modifiers: Any) -> bool:
        if keycode[1] in ("tab", "escape"):
            return False
        return bool(super().keyboard_on_key_down(window, keycode, text, modifiers))


class Field(BoxLayout):  # type: ignore[misc]
    """A line to type in with its title, and below it what is wrong with it, or to be checked (`advice`)."""

    title = StringProperty()
    text = StringProperty()
    hint = StringProperty()
    problem = StringProperty()
    advice = StringProperty()
    input_type = OptionProperty("text", options=["text", "number", "tel"])

    def on_text(self, _: object, text: str) -> None:
        if self.ids and self.ids.box.text != text:
            self.ids.box.text = text

    def on_kv_post(self, _: object) -> None:
        self.ids.box.text = self.text


class _ValueTap(ChoiceTap):
    value: Any = ObjectProperty(None, allownone=True)


class Choice(BoxLayout):  # type: ignore[misc]
    """One of several `options`, pairs of a value and its words; `value` is the chosen one's."""

    title = StringProperty()
    options: Any = ObjectProperty(())
    value: Any = ObjectProperty(None, allownone=True)
    least = NumericProperty("110dp")

    def on_kv_post(self, _: object) -> None:
        self._fill()

    def on_options(self, *_: object) -> None:
        self._fill()

    def on_value(self, *_: object) -> None:
        for tap in self.ids.cells.children if self.ids else ():
            tap.chosen = tap.value == self.value

    def _fill(self) -> None:
        if not self.ids:
            return
        cells = self.ids.cells
        cells.clear_widgets()
        for value, words in self.options:
            tap = _ValueTap(text=words, value=value, chosen=value == self.value)
            tap.bind(on_release=self._choose)
            cells.add_widget(tap)

    def _choose(self, tap: Any) -> None:
        self.value = tap.value


class Slide(Reachable, Slider):  # type: ignore[misc]
    """A slider that can be moved by the arrow keys, a twentieth at a time."""

    is_marked = BooleanProperty(False)
    value: Any

    def nudge(self, steps: int) -> bool:
        step = (self.max - self.min) / 20
        self.value = min(self.max, max(self.min, self.value + steps * step))
        return True


class Busy(BoxLayout):  # type: ignore[misc]
    """How far something is, and the way to stop it; `share` below 0 means that it is not known."""

    message = StringProperty()
    share = NumericProperty(-1)
    phase = NumericProperty(0)
    cancel_text = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_cancel")
        kwargs.setdefault("cancel_text", say("Cancel"))
        super().__init__(**kwargs)
        self._clock = Clock.schedule_interval(self._move, PHASE_STEP_S)

    def on_cancel(self) -> None:
        pass

    def on_parent(self, _: object, parent: Widget | None) -> None:
        if parent is None:
            self._clock.cancel()
        else:
            self._clock()

    def _move(self, elapsed_s: float) -> None:
        if self.share < 0:
            self.phase = (self.phase + elapsed_s) % 1


class Question(ModalView):  # type: ignore[misc]
    """A question over the screen, answered by one of two buttons; Escape is the first."""

    title = StringProperty()
    text = StringProperty()
    yes = StringProperty()
    no = StringProperty()

    def __init__(self, on_yes: Callable[[], None], **kwargs: Any) -> None:
        self._on_yes = on_yes
        super().__init__(**kwargs)

    def answer(self, yes: bool) -> None:
        self.dismiss(animation=False)
        if yes:
            self._on_yes()


class Symbol(Widget):  # type: ignore[misc]
    """The symbol of an outcome: a shape of its own, so that the colour is not needed."""

    outcome = StringProperty("refer")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bind(pos=self._draw, size=self._draw, outcome=self._draw)
        look.bind(theme=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        draw_symbol(self.canvas, self.outcome, self.pos, self.size)


def choices(words: dict[Any, str]) -> Sequence[tuple[Any, str]]:
    """The options of a `Choice`: values with their messages, said in the user's language."""
    return tuple((value, say(message)) for value, message in words.items())


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
