"""What does not fit on a screen: text that is cut off, what sticks out, what is too small to touch, what overlaps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from kivy.core.window import Window
from kivy.metrics import dp
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.label import Label
from kivy.uix.scatterlayout import Scatter
from kivy.uix.scrollview import ScrollView
from kivy.uix.slider import Slider
from kivy.uix.stencilview import StencilView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui.kit import Reachable

SLACK_PX = 1.5
TOUCH_DP = 48
LEAST_OVERLAP_PX = 2
UNBREAKABLE = re.compile(r"[^\W\d_]+", re.UNICODE)
"""What must stay on one line: a run of letters. File names, hashes and links may be broken anywhere."""
DATA_WORD = re.compile(r"[\d/\\_.]|\w{26,}")


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the window, from its lower left corner."""

    x: float
    y: float
    right: float
    top: float

    def cut(self, other: "Box") -> "Box":
        return Box(max(self.x, other.x), max(self.y, other.y), min(self.right, other.right), min(self.top, other.top))

    def is_larger_than(self, side: float) -> bool:
        return self.right - self.x > side and self.top - self.y > side


def flaws(root: Widget) -> list[str]:
    """What does not fit of `root` and all that is shown below it, one line each; empty if all does."""
    shown = list(shown_below(root))
    return list(
        dict.fromkeys(
            [
                *(line for widget in shown for line in _cut_off(widget)),
                *(line for widget in shown for line in _sticks_out(widget)),
                *(line for widget in shown for line in _too_small(widget)),
                *_overlaps(shown),
            ]
        )
    )


def shown_below(widget: Widget) -> Iterator[Widget]:
    """`widget` and what is below it, in the order of reading, without what cannot be seen."""
    if widget.opacity == 0 or getattr(widget, "disabled_and_hidden", False):
        return
    yield widget
    for child in reversed(widget.children):
        yield from shown_below(child)


def name_of(widget: Widget) -> str:
    text = getattr(widget, "text", "") or getattr(widget, "hint_text", "")
    return f"{type(widget).__name__} {text[:60]!r}" if text else type(widget).__name__


def _has_text(widget: Widget) -> bool:
    return isinstance(widget, Label) and bool(widget.text.strip())


def _is_touched(widget: Widget) -> bool:
    is_input = isinstance(widget, ButtonBehavior | TextInput | Slider | Reachable)
    return is_input and not isinstance(widget, ScrollView)


def _cut_off(widget: Widget) -> Iterator[str]:
    if isinstance(widget, TextInput):
        yield from _cut_hint(widget)
    if not _has_text(widget):
        return
    wide, high = widget.texture_size
    if wide > widget.width + SLACK_PX or high > widget.height + SLACK_PX:
        room = f"{widget.width:.0f} x {widget.height:.0f}"
        yield f"{name_of(widget)}: its text of {wide:.0f} x {high:.0f} is cut off at {room}"
    if widget.is_shortened:
        yield f"{name_of(widget)}: its text is shortened"
    room = widget.text_size[0]
    if room is not None:
        for word in _words(widget.text):
            needed = widget._label.get_extents(word)[0]
            if needed > room + SLACK_PX:
                yield f"{name_of(widget)}: the word {word!r} of {needed:.0f} is broken at {room:.0f}"


def _words(text: str) -> list[str]:
    plain = re.sub(r"\[/?\w+(=[^\]]*)?\]", "", text)
    return [word for word in plain.split() if UNBREAKABLE.search(word) and not DATA_WORD.search(word)]


def _cut_hint(box: TextInput) -> Iterator[str]:
    if box.hint_text and not box.text and not box.multiline:
        needed = box._get_text_width(box.hint_text, box.tab_width, box._label_cached)
        room = box.width - box.padding[0] - box.padding[2]
        if needed > room + SLACK_PX:
            yield f"{name_of(box)}: its hint of {needed:.0f} is cut off at {room:.0f}"
    if box.line_height > box.height + SLACK_PX:
        yield f"{name_of(box)}: a line of {box.line_height:.0f} in a box of {box.height:.0f}"


def _sticks_out(widget: Widget) -> Iterator[str]:
    """Out of the window, or out of a widget that does not scroll; a picture that is zoomed may."""
    if not (_has_text(widget) or _is_touched(widget)):
        return
    inner, outer = widget, widget.parent
    while outer is not None and outer is not Window and outer is not outer.parent:
        if isinstance(outer, Scatter):
            return
        if isinstance(outer, ScrollView):
            where, frame = _box(inner), _box(outer)
            if not outer.do_scroll_x and (where.x < frame.x - SLACK_PX or where.right > frame.right + SLACK_PX):
                yield f"{name_of(widget)}: sticks out of what scrolls up and down only"
            if frame.top - frame.y < dp(TOUCH_DP) - SLACK_PX < where.top - where.y:
                yield f"{name_of(widget)}: what it scrolls in is only {frame.top - frame.y:.0f} high"
            inner = outer
        elif not _lies_in(inner, outer):
            yield f"{name_of(widget)}: sticks out of {type(outer).__name__} ({_box(inner)} out of {_box(outer)})"
            return
        outer = outer.parent
    where = _box(inner)
    if where.x < -SLACK_PX or where.y < -SLACK_PX or _right_of(where) or where.top > Window.height + SLACK_PX:
        yield f"{name_of(widget)}: sticks out of the window ({where})"


def _right_of(box: Box) -> bool:
    return bool(box.right > Window.width + SLACK_PX)


def _lies_in(inner: Widget, outer: Widget) -> bool:
    is_content = isinstance(outer.parent, ScrollView)  # it is as high as it is, and scrolls
    a, b = _box(inner), _box(outer)
    across = a.x >= b.x - SLACK_PX and a.right <= b.right + SLACK_PX
    return across and (is_content or (a.y >= b.y - SLACK_PX and a.top <= b.top + SLACK_PX))


def _box(widget: Widget) -> Box:
    x, y = widget.to_window(*widget.pos)
    right, top = widget.to_window(widget.right, widget.top)
    return Box(x, y, right, top)


def _too_small(widget: Widget) -> Iterator[str]:
    if _is_touched(widget) and min(widget.size) < dp(TOUCH_DP) - 0.5:
        yield f"{name_of(widget)}: {widget.width:.0f} x {widget.height:.0f}, less than {TOUCH_DP} dp"


def _overlaps(shown: list[Widget]) -> Iterator[str]:
    texts = [(widget, visible(widget, text_box(widget))) for widget in shown if _has_text(widget)]
    yield from (f"{name_of(a)} lies over {name_of(b)}" for a, b in _crossing(texts))
    touched = [(widget, visible(widget, _box(widget))) for widget in shown if _is_touched(widget)]
    yield from (f"{name_of(a)} and {name_of(b)} are touched at one place" for a, b in _crossing(touched))


def _crossing(boxes: list[tuple[Widget, Box]]) -> Iterator[tuple[Widget, Widget]]:
    for (a, box), (b, other) in combinations(boxes, 2):
        if box.cut(other).is_larger_than(LEAST_OVERLAP_PX) and not _is_above(a, b) and not _is_above(b, a):
            yield a, b


def _is_above(widget: Widget, other: Any) -> bool:
    while other is not None and other is not Window and other is not other.parent:
        other = other.parent
        if other is widget:
            return True
    return False


def text_box(label: Label) -> Box:
    middle, (wide, high) = label.to_window(*label.center), label.texture_size
    return Box(middle[0] - wide / 2, middle[1] - high / 2, middle[0] + wide / 2, middle[1] + high / 2)


def visible(widget: Widget, box: Box) -> Box:
    """What is left of a box behind the edges of what scrolls or clips."""
    above = widget.parent
    while above is not None and above is not Window and above is not above.parent:
        if isinstance(above, ScrollView | StencilView):
            box = box.cut(_box(above))
        above = above.parent
    return box
