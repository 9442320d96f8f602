"""What all screens have: the shell that they live in, and what they were opened with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.lang import Builder
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout

from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.edge_app.own_copies import take_in
from osteo_edge.edge_app.ui.kit import TopBar

if TYPE_CHECKING:
    from osteo_edge.edge_app.clinic import Clinic, LoadedModel
    from osteo_edge.edge_app.jobs import Jobs
    from osteo_edge.edge_app.left_off import Left
    from osteo_edge.edge_app.ui.shell import Shell


class Screen(BoxLayout):  # type: ignore[misc]
    """One screen: made when it is opened, dropped when it is left.

    Its constructor takes what it was opened with, by name (`shell.go("result", entry_id=...)`); the same again makes
    it anew when the language or the text size changes.
    """

    shell: Shell = ObjectProperty()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(orientation="vertical", **kwargs)

    @property
    def spoken(self) -> str:
        """What a screen reader says when it is opened: its title."""
        return next((child.title for child in self.children if isinstance(child, TopBar)), "")

    @property
    def clinic(self) -> Clinic:
        return self.shell.clinic

    @property
    def jobs(self) -> Jobs:
        return self.shell.jobs

    def show_model(self, model: LoadedModel) -> None:
        """The model has been loaded while this screen was open."""

    def show_no_model(self) -> None:
        """No model could be loaded; why has been told."""

    def own_copy(
        self, then: Callable[[Path], None], on_error: Callable[[str], None] | None = None
    ) -> Callable[[Path | None], None]:
        """What takes the file that the system gives, if it gives one: makes it the app's own, and then does `then`.

        If this screen was left meanwhile, nobody wants the file any more.
        """

        def taken(own: Path) -> None:
            if self.shell.has(self):
                then(own)
            else:
                self.remove(own)

        def take(copy: Path | None) -> None:
            if copy is not None:
                work = partial(take_in, copy, self.clinic.folders)
                self.jobs.save(work, taken, on_error or self.shell.complain)

        return take

    def remove(self, own: Path) -> None:
        """Overwrite and remove a file of the app's own that nobody wants any more."""
        self.jobs.save(partial(wipe_file, own), lambda _: None, self.shell.complain)

    def shown(self) -> None:
        """It is in the window: for the first time, or again since the screen above it was left."""

    def hidden(self) -> None:
        """It is not in the window any more: another one lies above it, or it was left."""

    def left(self) -> None:
        """It will not be shown again."""

    def kept(self) -> dict[str, Any]:
        """What it is made anew with when the language or the text size changes, beside what it was opened with."""
        return {}

    def paused(self) -> None:
        """The app is not seen any more, and may be ended without another word: keep what was typed."""

    def lasting(self) -> Left | None:
        """What opens it again at the next start, if the system ends the app; None where nothing can."""
        return None

    def reopen(self, name: str, arguments: dict[str, Any]) -> Screen:
        """Open again a screen that was opened from this one."""
        return self.shell.go(name, **arguments)

    def unsaved(self) -> str | None:
        """What to ask before the window closes, in the user's language; None where nothing would be lost by it."""
        return None

    def leave(self) -> bool:
        """The user wants to go back; whether the screen takes care of that itself."""
        return False


def load_kv(module: str) -> None:
    """Load the .kv file beside a module, once: to be called at its end with `__file__`."""
    path = str(Path(module).with_suffix(".kv"))
    if path not in Builder.files:
        Builder.load_file(path)
