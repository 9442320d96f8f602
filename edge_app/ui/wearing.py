"""Language, theme and text size of the settings, put on."""

from typing import Final

from kivy.core.window import Window
from kivy.metrics import Metrics

from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.settings import Settings
from osteo_edge.edge_app.ui import words
from osteo_edge.edge_app.ui.look import look

LARGEST_TEXT: Final = 1.75
"""Times the usual size; beyond it words would no longer fit on a line of a phone."""


def wear(settings: Settings, *, is_dark: bool = False) -> None:
    """Say everything in the language of the settings, in their theme and text size, from now on.

    `is_dark` is whether the device itself is, for those who leave the theme to it.
    """
    words.use(open_catalogue(settings.language))
    look.scale = min(LARGEST_TEXT, settings.text_percent / 100 * Metrics.fontscale)
    wear_theme(settings, is_dark=is_dark)


def wear_theme(settings: Settings, *, is_dark: bool) -> None:
    """The theme alone: all that is open follows it."""
    look.theme = ("dark" if is_dark else "light") if settings.theme == "system" else settings.theme
    Window.clearcolor = look.paper
