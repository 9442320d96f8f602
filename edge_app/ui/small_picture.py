"""Pictures from memory in the window: as a texture, and as a widget that shows the whole of it."""

from typing import Any

from kivy.graphics.texture import Texture
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty
from kivy.uix.widget import Widget


class SmallPicture(Widget):  # type: ignore[misc]
    """A texture as large as it fits, `margin` aside, with its own proportions, in the middle."""

    texture: Any = ObjectProperty(None, allownone=True)
    margin = NumericProperty(0)

    def fitted(self) -> tuple[float, float, float, float]:
        """Where the picture is, in the coordinates of the widget: x, y, width, height."""
        if self.texture is None:
            return self.x, self.y, 0.0, 0.0
        width, height = self.texture.size
        scale = max(0.0, min((self.width - 2 * self.margin) / width, (self.height - 2 * self.margin) / height))
        size = width * scale, height * scale
        return self.center_x - size[0] / 2, self.center_y - size[1] / 2, *size


def texture_of(picture: Any, reused: Any = None) -> Any:
    """A texture of a picture, uint8 (height, width) or (height, width, 3) in red, green, blue, its top row first.

    `reused` is written over, where it has the size and colours that are needed. On the window's thread only.
    """
    height, width, *channels = picture.shape
    colours = "rgb" if channels else "luminance"
    if reused is None or (reused.size, reused.colorfmt) != ((width, height), colours):
        reused = Texture.create(size=(width, height), colorfmt=colours)
        reused.flip_vertical()
    reused.blit_buffer(picture.tobytes(), colorfmt=colours, bufferfmt="ubyte")
    return reused


Builder.load_string("""
<SmallPicture>:
    canvas:
        Color:
            rgba: 1, 1, 1, 1 if self.texture else 0
        Rectangle:
            texture: self.texture
            pos: self.fitted()[:2] if (self.pos, self.size, self.texture) else self.pos
            size: self.fitted()[2:] if (self.pos, self.size, self.texture) else self.size
""")
