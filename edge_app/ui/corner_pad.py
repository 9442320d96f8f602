"""A photo in the window whose four corners of a film can be dragged, or moved by keys."""

from typing import Any, Final

from kivy.graphics import Color, Ellipse, Line
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty
from kivy.utils import get_color_from_hex

from osteo_edge.edge_app.ui.kit import Reachable
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.small_picture import SmallPicture

GRABBED_WITHIN_DP: Final = 40
HANDLE_DP: Final = 13
STEP: Final = 0.005
"""How far an arrow key moves a corner, in shares of the photo."""

Corner = tuple[float, float]


class CornerPad(Reachable, SmallPicture):
    """A photo with the four corners of its film, each to be dragged.

    `corners` are x and y in shares of the photo, from its top left; none are shown where there are none. By keys, Enter
    goes from corner to corner, first across and then up and down, and the arrows move it.
    """

    corners: Any = ListProperty()
    is_marked = BooleanProperty(False)
    held = NumericProperty(-1)
    stop = NumericProperty(0)

    def __init__(self, **kwargs: Any) -> None:
        self.register_event_type("on_moved")
        super().__init__(**kwargs)
        for name in ("pos", "size", "texture", "corners", "held", "is_marked", "stop"):
            self.fbind(name, self._draw)

    def on_moved(self) -> None:
        pass

    def at(self, corner: Corner) -> tuple[float, float]:
        """Where a corner is in the window's coordinates of the pad."""
        x, y, width, height = self.fitted()
        return x + corner[0] * width, y + (1 - corner[1]) * height

    def press(self) -> None:
        self.stop = (self.stop + 1) % 8

    def nudge(self, steps: int) -> bool:
        if self.corners:
            across, up = (steps * STEP, 0.0) if self.stop % 2 == 0 else (0.0, steps * STEP)
            x, y = self.corners[self.stop // 2]
            self._move(self.stop // 2, (x + across, y - up))
            self.dispatch("on_moved")
        return True

    def on_touch_down(self, touch: Any) -> bool:
        if self.disabled or not self.corners or not self.collide_point(*touch.pos):
            return bool(super().on_touch_down(touch))
        distances = [(touch.x - x) ** 2 + (touch.y - y) ** 2 for x, y in map(self.at, self.corners)]
        nearest = min(range(4), key=distances.__getitem__)
        if distances[nearest] <= dp(GRABBED_WITHIN_DP) ** 2 and self.held < 0:
            touch.grab(self)
            self.held = nearest
            x, y = self.at(self.corners[nearest])
            touch.ud["from the corner"] = x - touch.x, y - touch.y
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return bool(super().on_touch_move(touch))
        x, y, width, height = self.fitted()
        across, up = touch.ud["from the corner"]
        if width > 0 and height > 0:
            self._move(int(self.held), ((touch.x + across - x) / width, 1 - (touch.y + up - y) / height))
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return bool(super().on_touch_up(touch))
        touch.ungrab(self)
        self.held = -1
        self.dispatch("on_moved")
        return True

    def _move(self, index: int, corner: Corner) -> None:
        within = min(max(0.0, corner[0]), 1.0), min(max(0.0, corner[1]), 1.0)
        self.corners = [within if at == index else other for at, other in enumerate(self.corners)]

    def _draw(self, *_: object) -> None:
        self.canvas.after.clear()
        if not self.corners or self.texture is None:
            return
        points = [self.at(corner) for corner in self.corners]
        chosen = self.held if self.held >= 0 else self.stop // 2 if self.is_marked else -1
        with self.canvas.after:
            for colour, width in (("#000000", dp(2.5)), ("#ffd23f", dp(1.2))):
                Color(*get_color_from_hex(colour))
                Line(points=[number for point in points for number in point], width=width, close=True)
            for index, point in enumerate(points):
                self._draw_handle(point, index == chosen)

    def _draw_handle(self, point: tuple[float, float], is_chosen: bool) -> None:
        radius = dp(HANDLE_DP) * (1.4 if is_chosen else 1)
        Color(1, 0.82, 0.25, 0.15)
        Ellipse(pos=(point[0] - radius, point[1] - radius), size=(2 * radius, 2 * radius))
        for colour, width in (("#000000", dp(2.5)), ("#ffd23f", dp(1.4))):
            Color(*get_color_from_hex(colour))
            Line(circle=(*point, radius), width=width)
        if is_chosen and self.is_marked:
            across, up = (radius * 1.8, 0.0) if self.stop % 2 == 0 else (0.0, radius * 1.8)
            Line(points=[point[0] - across, point[1] - up, point[0] + across, point[1] + up], width=dp(1.4))


load_kv(__file__)
