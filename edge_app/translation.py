"""How a text for the user gets into the user's language: English in, the language of the settings out."""

from collections.abc import Callable

Translate = Callable[[str], str]
