"""A film in the window, to be looked at closely: two fingers, the wheel or buttons enlarge it, one finger moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kivy.graphics.texture import Texture
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.stencilview import StencilView
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui.kit import Reachable
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from osteo_edge.edge_app.film_picture import FilmPicture
    from osteo_edge.wording import Finding

MOST_ZOOM: Final = 12.0
STEP: Final = 1.5
"""How much one press of a button, or one notch of the wheel, enlarges."""
KEY_SHARE: Final = 0.2
"""How much of what is seen of an enlarged film an arrow key moves it by."""
WHEEL: Final = {"scrolldown": 1.0, "scrollup": -1.0}
OPACITY: Final = 0.55
RAMP_PX: Final = 128


class Film(Reachable, StencilView):  # type: ignore[misc]
    """The film with the evidence over it, fitted into the widget at `zoom` 1.

    `middle_x` and `middle_y` say which place of the film, as shares of its width and of its height from below, is in
    the middle of the widget; the arrow keys move it while the film is enlarged. The textures are made when they are
    needed, and let go by `release`.
    """

    is_marked = BooleanProperty(False)
    zoom = NumericProperty(1.0)
    middle_x = NumericProperty(0.5)
    middle_y = NumericProperty(0.5)
    overlay_opacity = NumericProperty(OPACITY)
    shows_overlay = BooleanProperty(True)
    colour_map = OptionProperty("viridis", options=["viridis", "cividis", "jet"])
    picture: FilmPicture | None = ObjectProperty(None, allownone=True)
    film_texture = ObjectProperty(None, allownone=True)
    overlay_texture = ObjectProperty(None, allownone=True)
    film_pos = ObjectProperty((0, 0))
    film_size = ObjectProperty((0, 0))

    def __init__(self, **kwargs: Any) -> None:
        self._fingers: dict[Any, tuple[float, float]] = {}
        self._levels: dict[int, Any] = {}
        super().__init__(**kwargs)
        for name in ("pos", "size", "zoom", "middle_x", "middle_y"):
            self.fbind(name, self._place)

    def on_picture(self, *_: object) -> None:
        self.fit()
        self.release()
        self._place()
        self._lay_over()

    def on_shows_overlay(self, *_: object) -> None:
        self._lay_over()

    def on_colour_map(self, *_: object) -> None:
        self.overlay_texture = None
        self._lay_over()

    def fit(self) -> None:
        """Show all of the film."""
        self.zoom, self.middle_x, self.middle_y = 1.0, 0.5, 0.5

    def enlarge(self, factor: float, at: tuple[float, float] | None = None) -> None:
        """Make the film larger, or smaller, around a point of the window (the widget's middle by default)."""
        x, y = at or self.center
        across, up = self._place_under(x, y)
        self.zoom = min(MOST_ZOOM, max(1.0, self.zoom * factor))
        self._bring(across, up, x, y)

    @property
    def is_reachable(self) -> bool:
        return super().is_reachable and bool(self.zoom > 1)

    def move(self, across: int, up: int) -> bool:
        x, y = self.center_x + across * KEY_SHARE * self.width, self.center_y + up * KEY_SHARE * self.height
        self._bring(*self._place_under(x, y), *self.center)
        return self.is_reachable

    def step(self, steps: float, at: tuple[float, float] | None = None) -> None:
        """Enlarge by some steps, fewer than none to make it smaller."""
        self.enlarge(STEP**steps, at)

    def release(self) -> None:
        """Let the textures go; `show_again` makes them anew."""
        self._levels.clear()
        self.film_texture = self.overlay_texture = None

    def show_again(self) -> None:
        """Make the textures that `release` let go."""
        self._place()
        self._lay_over()

    def on_touch_down(self, touch: Any) -> bool:
        if self.picture is None or not self.collide_point(*touch.pos):
            return False
        if "button" in touch.profile and touch.button in WHEEL:
            self.step(WHEEL[touch.button], touch.pos)
            return True
        if touch.is_double_tap:
            self.fit()
            return True
        touch.grab(self)
        self._fingers[touch] = touch.pos
        return True

    def on_touch_move(self, touch: Any) -> bool:
        if touch.grab_current is not self or touch not in self._fingers:
            return False
        before, others = self._fingers[touch], [pos for one, pos in self._fingers.items() if one is not touch]
        self._fingers[touch] = touch.pos
        if not others:
            self._bring(*self._place_under(*before), *touch.pos)
            return True
        other = others[0]
        middle_before, middle = _between(before, other), _between(touch.pos, other)
        held = self._place_under(*middle_before)
        apart_before = max(1.0, _distance(before, other))
        self.zoom = min(MOST_ZOOM, max(1.0, self.zoom * _distance(touch.pos, other) / apart_before))
        self._bring(*held, *middle)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._fingers.pop(touch, None)
        return True

    def _fitted(self) -> tuple[float, float]:
        """The film's width and height in pixels of the window at `zoom` 1."""
        if self.picture is None:
            return 1.0, 1.0
        height, width = self.picture.shape
        scale = max(1e-6, min(self.width / width, self.height / height))
        return width * scale, height * scale

    def _place_under(self, x: float, y: float) -> tuple[float, float]:
        """Which place of the film is at a point of the window."""
        width, height = self._fitted()
        across = self.middle_x + (x - self.center_x) / (width * self.zoom)
        return across, self.middle_y + (y - self.center_y) / (height * self.zoom)

    def _bring(self, across: float, up: float, x: float, y: float) -> None:
        """Bring a place of the film to a point of the window, as far as the film's edges allow."""
        width, height = (side * self.zoom for side in self._fitted())
        self.middle_x = _within(across - (x - self.center_x) / width, self.width / width)
        self.middle_y = _within(up - (y - self.center_y) / height, self.height / height)

    def _place(self, *_: object) -> None:
        """Lay the film where it belongs, in the size of texture that this takes."""
        if self.picture is None or self.width < 2 or self.height < 2:
            return
        width, height = (side * self.zoom for side in self._fitted())
        self.middle_x = _within(self.middle_x, self.width / width)
        self.middle_y = _within(self.middle_y, self.height / height)
        self.film_size = width, height
        self.film_pos = self.center_x - self.middle_x * width, self.center_y - self.middle_y * height
        level = self.picture.level_for(max(width, height))
        if id(level) not in self._levels:
            self._levels[id(level)] = _texture(level, "luminance")
        self.film_texture = self._levels[id(level)]

    def _lay_over(self) -> None:
        if self.picture is None or self.picture.evidence is None or not self.shows_overlay:
            return
        if self.overlay_texture is None:
            from osteo_edge.overlay import layer

            self.overlay_texture = _texture(layer(self.picture.evidence, self.colour_map), "rgba")


class FilmView(BoxLayout):  # type: ignore[misc]
    """A film with the buttons that enlarge it, or a line that says why there is none.

    `is_alone` is for the screen to follow, if it `can_be_alone`: nothing but the film is to be shown.
    """

    picture: FilmPicture | None = ObjectProperty(None, allownone=True)
    problem = StringProperty()
    overlay_opacity = NumericProperty(OPACITY)
    shows_overlay = BooleanProperty(True)
    colour_map = OptionProperty("viridis", options=["viridis", "cividis", "jet"])
    can_be_alone = BooleanProperty(False)
    is_alone = BooleanProperty(False)

    def on_kv_post(self, _: object) -> None:
        if not self.can_be_alone:
            self.ids.buttons.remove_widget(self.ids.alone)

    def release(self) -> None:
        """Let the textures go while nobody looks."""
        self.ids.film.release()

    def show_again(self) -> None:
        """Make the textures anew."""
        self.ids.film.show_again()


class Ramp(Widget):  # type: ignore[misc]
    """The colours of the evidence from none to strong, as they lie on a film of middle grey."""

    colour_map = OptionProperty("viridis", options=["viridis", "cividis", "jet"])
    strength = NumericProperty(OPACITY)
    texture = ObjectProperty(None, allownone=True)

    def draw(self) -> None:
        """Make the colours: once the overlay itself is there."""
        import numpy as np

        from osteo_edge.overlay import layer

        strength = np.linspace(0, 1, RAMP_PX, dtype=np.float32)[np.newaxis]
        self.texture = _texture(layer(strength, self.colour_map), "rgba")


class OverlayControls(BoxLayout):  # type: ignore[misc]
    """Overlay on or off, how much of the film it hides, and what its colours stand for.

    `about` is said instead where there is nothing to lay over the film.
    """

    view: FilmView | None = ObjectProperty(None, allownone=True)
    about = StringProperty()

    def on_kv_post(self, _: object) -> None:
        self._tools: Widget = self.ids.tools.__self__  # `ids` does not keep what is taken out

    def describe(self, picture: FilmPicture | None, about: str) -> None:
        """Show the controls if there is evidence in the picture, else `about`."""
        shows = picture is not None and picture.evidence is not None and bool(picture.evidence.any())
        self.about = "" if shows else about
        if shows:
            self.ids.ramp.draw()
        else:
            self.remove_widget(self._tools)

    def set_opacity(self, opacity: float) -> None:
        """Have the overlay hide that share of the film."""
        if self.view is not None:
            self.view.overlay_opacity = opacity


def evidence_words(picture: FilmPicture | None, finding: Finding = "density") -> str:
    """What is said where there is nothing to lay over a film."""
    if picture is None:
        return ""
    if picture.evidence is None:
        return say("There is no picture of the evidence for this answer.")
    from osteo_edge.overlay import NO_REGION

    return say(NO_REGION[finding])


def _texture(pixels: npt.NDArray[np.uint8], colours: str) -> Any:
    height, width = pixels.shape[:2]
    texture = Texture.create(size=(width, height), colorfmt=colours, bufferfmt="ubyte")
    texture.wrap, texture.min_filter, texture.mag_filter = "clamp_to_edge", "linear", "linear"

    def fill(texture: Any) -> None:
        texture.blit_buffer(pixels.reshape(-1), colorfmt=colours, bufferfmt="ubyte")

    fill(texture)
    texture.add_reload_observer(fill)
    texture.flip_vertical()
    return texture


def _within(middle: float, view: float) -> float:
    """A middle in [0, 1] such that a view of that share of the film shows nothing beside it; the film's own middle
    where it is smaller than the view."""
    return 0.5 if view >= 1 else min(1 - view / 2, max(view / 2, middle))


def _between(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)


load_kv(__file__)
