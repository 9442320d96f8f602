"""The recovery code of an encrypted history, the only time that it is shown."""

from __future__ import annotations

from typing import Any

from kivy.properties import StringProperty

from osteo_edge.edge_app.ui.screen import Screen, load_kv


class RecoveryCodeScreen(Screen):
    """Shows the code until somebody has written it down."""

    groups = StringProperty()

    def __init__(self, *, code: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.groups = code.replace("-", "  ")

    def leave(self) -> bool:
        return True  # by its button only: the code is shown once

    def done(self) -> None:
        """It was written down."""
        self.shell.close(self)


load_kv(__file__)
