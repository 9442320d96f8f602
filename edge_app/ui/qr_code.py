"""An address as a QR code, for the camera of a phone."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from kivy.lang import Builder
from kivy.properties import NumericProperty, ObjectProperty, StringProperty
from kivy.uix.widget import Widget

from osteo_edge.edge_app.ui.small_picture import texture_of

QUIET_MODULES: Final = 4
"""What must be white around a code, after ISO/IEC 18004, in modules: the squares that it consists of."""
LEAST_MODULE_PX: Final = 4


class QrCode(Widget):  # type: ignore[misc]
    """The code of `address`, black on white in every theme, in the middle of the width; nothing without segno.

    Each module is a whole number of pixels, at least 4: as many as `most` pixels and the width have room for.
    """

    address = StringProperty()
    most = NumericProperty("200dp")
    side = NumericProperty(0)
    texture: Any = ObjectProperty(None, allownone=True)

    def on_address(self, *_: object) -> None:
        self.texture = _texture(self.address) if self.address else None
        self._fit()

    def on_most(self, *_: object) -> None:
        self._fit()

    def on_width(self, *_: object) -> None:
        self._fit()

    def _fit(self) -> None:
        modules = 0 if self.texture is None else self.texture.width
        self.side = modules * max(LEAST_MODULE_PX, int(min(self.most, self.width) / modules)) if modules else 0


def _texture(address: str) -> Any:
    """The code with one pixel a module, enlarged without smoothing; None without segno."""
    try:
        import segno
    except ImportError:
        return None
    code = segno.make(address, error="m", micro=False)
    is_dark = np.array(list(code.matrix_iter(border=QUIET_MODULES)), bool)
    texture = texture_of(np.where(is_dark, 0, 255).astype(np.uint8))
    texture.mag_filter = texture.min_filter = "nearest"
    return texture


Builder.load_string("""
<QrCode>:
    size_hint_y: None
    height: self.side
    canvas:
        Color:
            rgba: 1, 1, 1, 1 if self.texture else 0
        Rectangle:
            texture: self.texture
            pos: round(self.center_x - self.side / 2), round(self.y)
            size: self.side, self.side
""")
