"""Everything by keys: Tab and Shift+Tab go round what can be reached, Enter and the space bar press it.

What the arrow keys do not move, they scroll, as Page Up, Page Down, Home and End do.
"""

from collections.abc import Iterator

from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui.kit import Reachable, TextBox
from osteo_edge.edge_app.ui.look import look

TAB, ENTER, KEYPAD_ENTER, SPACE = 9, 13, 271, 32
ARROWS = {276: (-1, 0), 274: (0, -1), 275: (1, 0), 273: (0, 1)}
UP, DOWN, HOME, END, PAGE_UP, PAGE_DOWN = 273, 274, 278, 279, 280, 281
SCROLLING = (UP, DOWN, HOME, END, PAGE_UP, PAGE_DOWN)
PAGE_SHARE = 0.9
"""How much of what is seen goes by at once; the rest shows where one was."""


class FocusRing:
    """Which widget the keys go to. Touching the window takes the mark away; Tab brings it back."""

    def __init__(self) -> None:
        self._marked: Reachable | None = None

    @property
    def marked(self) -> Reachable | None:
        return self._marked

    def key(self, root: Widget, key: int, modifiers: list[str]) -> bool:
        """Take a key that was pressed; whether it was of use. `root` is what is on the screen, or over it."""
        if key == TAB:
            self._move(root, -1 if "shift" in modifiers else 1)
            return True
        marked = self._marked if self._marked is not None and _is_below(self._marked, root) else None
        if isinstance(marked, TextBox):
            return False
        if marked is not None and key in (ENTER, KEYPAD_ENTER, SPACE):
            marked.press()
            return True
        if marked is not None and key in ARROWS and marked.move(*ARROWS[key]):
            return True
        return key in SCROLLING and _scroll(marked or root, root, key)

    def clear(self) -> None:
        """Take the mark away."""
        self._mark(None)

    def _move(self, root: Widget, step: int) -> None:
        stops = list(_stops(root))
        start = stops.index(self._marked) if self._marked in stops else -1 if step > 0 else 0
        round_from_there = (stops[(start + step * count) % len(stops)] for count in range(1, len(stops) + 1))
        reachable = next((stop for stop in round_from_there if stop.is_reachable), None)
        if reachable is not None:
            self._mark(reachable)

    def _mark(self, widget: Reachable | None) -> None:
        if self._marked is not None:
            self._marked.is_marked = False
        self._marked = widget
        if widget is not None:
            widget.is_marked = True
            scroll_to(widget)


def _stops(root: Widget) -> Iterator[Reachable]:
    """All that can be reached at times, in the order in which it was added, which is that of reading."""
    if isinstance(root, Reachable):
        yield root
    for child in reversed(root.children):
        yield from _stops(child)


def _is_below(widget: Reachable, root: Widget) -> bool:
    return any(one is widget for one in root.walk(restrict=True))


def scroll_to(widget: Widget) -> None:
    """Have it seen, in whatever it scrolls in."""
    above = widget.parent
    while above is not None and above is not above.parent:
        if isinstance(above, ScrollView):
            scroll(above, widget)
            return
        above = above.parent


def scroll(page: ScrollView, widget: Widget) -> None:
    """Scroll a page to what is on it, and end the movement that it may still be in: that would take it away again."""
    beyond, movement = _beyond(page), page.effect_y
    if beyond > 0:
        page.scroll_to(widget, animate=False)
        movement.min, movement.max = 0, -beyond  # they follow the page's size a frame late
        movement.reset(-beyond * page.scroll_y)


def _scroll(start: Widget, root: Widget, key: int) -> bool:
    """Scroll what is nearest to a widget; whether there is anything to scroll."""
    page = _nearest_scrollable(start, root)
    if page is None:
        return False
    steps = {UP: look.touch, DOWN: -look.touch, PAGE_UP: PAGE_SHARE * page.height, PAGE_DOWN: -PAGE_SHARE * page.height}
    ends = {HOME: 1.0, END: 0.0}
    page.scroll_y = ends[key] if key in ends else min(1.0, max(0.0, page.scroll_y + steps[key] / _beyond(page)))
    return True


def _nearest_scrollable(start: Widget, root: Widget) -> ScrollView | None:
    """Around the widget, within it or beside it; else around, within or beside what it is in, and so on."""
    widget = start
    while True:
        found = next((one for one in _below(widget) if isinstance(one, ScrollView) and _beyond(one) > 0), None)
        if found is not None or widget is root:
            return found
        widget = widget.parent


def _below(root: Widget) -> Iterator[Widget]:
    """What is seen, in the order of reading."""
    if root.opacity > 0:
        yield root
        for child in reversed(root.children):
            yield from _below(child)


def _beyond(page: ScrollView) -> float:
    """How many pixels of what a page holds have no room in it."""
    return max(0.0, page.viewport_size[1] - page.height) if page.do_scroll_y else 0.0
