"""What the window and the device tell each other, where the app runs on a phone: all of it in one place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.clock import Clock
from kivy.uix.textinput import TextInput

from osteo_edge.edge_app.own_copies import take_in
from osteo_edge.edge_app.ui.keys import scroll_to
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.wearing import wear_theme

if TYPE_CHECKING:
    from osteo_edge.edge_app.device_services import DeviceServices, OnFile
    from osteo_edge.edge_app.ui.shell import Shell

SHOW_NO_PATIENT: Final = frozenset({"home", "help", "model", "model_card", "settings"})
"""Screens that anybody may photograph. All others, the lock too, are kept out of screenshots and recent apps."""


class OnDevice:
    """The shell as the device sees it, and the other way round; made once the first screen is open."""

    def __init__(self, shell: Shell, device: DeviceServices) -> None:
        self._shell, self._device = shell, device
        self._keep_in_sight = Clock.create_trigger(self._scroll_to_typing, 0.05)
        """The screen is laid out anew first."""

    def begin(self) -> None:
        """From now on follow the device; what another app has shared comes now or at any time."""
        self._device.on_change(self._changed)
        self._changed()
        shell = self._shell
        self._device.on_shared(self._own(shell.offer_film), shell.complain, self._own(shell.frame_photo))

    def _changed(self) -> None:
        """The device was turned, a keyboard came or went, or the user wants other colours."""
        covered = self._device.insets()
        self._shell.padding = [covered.left, covered.top, covered.right, covered.bottom]
        look.covered_across = max(covered.left, covered.right)
        look.covered_up = max(covered.top, covered.bottom)
        wear_theme(self._shell.clinic.settings, is_dark=self._device.is_dark())
        self._keep_in_sight()

    def _scroll_to_typing(self, _: Any) -> None:
        boxes = (one for one in self._shell.walk(restrict=True) if isinstance(one, TextInput))
        typed_in = next((box for box in boxes if box.focus), None)
        if typed_in is not None:
            scroll_to(typed_in)

    def _own(self, then: Callable[[Path], None]) -> OnFile:
        """What makes a file that the system gives the app's own, and then does `then` with it."""

        def take(copy: Path | None) -> None:
            if copy is not None:
                work = partial(take_in, copy, self._shell.clinic.folders)
                self._shell.jobs.save(work, then, self._shell.complain)

        return take
