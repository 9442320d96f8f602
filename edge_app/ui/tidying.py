"""Memory that closed screens held, given back soon: they refer to each other, so only the garbage collector frees them.

What is there once the app is ready stays until its end; the collector need not go through it, which makes it quick.
"""

import gc
from typing import Final

from kivy.clock import Clock

from osteo_edge.heap import give_back

PAUSE_S: Final = 0.1
"""After a screen was left: by then the next one has been drawn."""


class Tidying:
    """Collects what was left, between two frames, and not during what the user does."""

    def __init__(self) -> None:
        self._collect = Clock.create_trigger(self._tidy, PAUSE_S)

    def begin(self) -> None:
        """The app is ready: keep what there is out of all collections."""
        gc.collect()
        gc.freeze()

    def soon(self) -> None:
        """Something was left: collect it in a moment."""
        self._collect()

    def end(self) -> None:
        """The app ends: what was kept out is as everything else again."""
        self._collect.cancel()
        gc.unfreeze()

    def _tidy(self, _: float) -> None:
        gc.collect()
        give_back()
