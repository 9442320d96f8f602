"""Where phones find the web app that this device serves, as a part of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from kivy.clock import Clock
from kivy.properties import NumericProperty, StringProperty

from osteo_edge.edge_app.served_address import ServedAddress, served_address
from osteo_edge.edge_app.ui import qr_code, texts  # noqa: F401  (named in the .kv file)
from osteo_edge.edge_app.ui.kit import Sometimes
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

LOOK_EVERY_S: Final = 2.0

TO_TRUST: Final = (
    "On each phone, once before: open {address}, and install it as a CA certificate. Its SHA-256 is {sha256}"
)
"""A message, as the next one."""
NOT_KEPT: Final = "Without https the phone keeps nothing of the app: it works only where this address can be reached."


class WebAddress(Sometimes):
    """The address and its code, from `begin` to `end`, and only while something is served.

    `room` is how many pixels of height can be seen at once.
    """

    address = StringProperty()
    advice = StringProperty()
    room = NumericProperty("200dp")

    def __init__(self, **kwargs: Any) -> None:
        self._folder: Path | None = None
        self._look_again = Clock.create_trigger(lambda _: self._look(), LOOK_EVERY_S, interval=True)
        super().__init__(**kwargs)

    def begin(self, data_folder: Path) -> None:
        """Show what is served for a data folder, now and as it changes."""
        self._folder = data_folder
        self._look()
        self._look_again()

    def end(self) -> None:
        """Look no more."""
        self._look_again.cancel()

    def _look(self) -> None:
        served = None if self._folder is None else served_address(self._folder)
        if served is not None:
            self.address, self.advice = served.address, _advice(served)
        self.is_on = served is not None


def _advice(served: ServedAddress) -> str:
    """What a phone needs for it beside the network."""
    if not served.is_secure:
        return say(NOT_KEPT)
    if served.authority is None:
        return ""
    return say(TO_TRUST, address=served.authority, sha256=served.authority_sha256)


load_kv(__file__)
