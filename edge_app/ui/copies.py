"""Ways out for all screenings together: the table, the backup, and the restore of one."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from osteo_edge.edge_app.ui.kit import Page
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say


class Copies(Page):
    """What can be done with all of them, how far that has come, and what came of it; the screen does the work."""

    found = StringProperty()
    may_restore = BooleanProperty(False)
    is_phone = BooleanProperty(False)
    is_busy = BooleanProperty(False)
    share = NumericProperty(-1)
    message = StringProperty()
    done = StringProperty()
    asks_secret = BooleanProperty(False)
    problem = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        for event in ("on_table", "on_backup", "on_restore", "on_secret", "on_cancel"):
            self.register_event_type(event)
        super().__init__(**kwargs)
        self.ids.place.options = (
            (False, say("In the app's own folder")),
            (True, say("On a stick or in another folder")),
        )
        self.ids.place.value = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether the user wants to choose the folder."""
        return bool(self.ids.place.value)

    def on_table(self) -> None:
        pass

    def on_backup(self) -> None:
        pass

    def on_restore(self) -> None:
        pass

    def on_secret(self) -> None:
        pass

    def on_cancel(self) -> None:
        pass

    def ask_secret(self, asks: bool, problem: str = "") -> None:
        """Ask for the PIN or the recovery code of a backup, or no more; `problem` is what was wrong with the last."""
        self.asks_secret, self.problem = asks, problem
        self.ids.secret.text, self.scroll_y = "", 1


load_kv(__file__)
