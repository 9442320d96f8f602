"""Forms that are being filled in: kept as drafts of the history, each by the window that works on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.history.drafts import Draft
from osteo_edge.edge_app.history.entry import utc
from osteo_edge.edge_app.screening_form import FormFields
from osteo_edge.locking import in_turn

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.store import History
    from osteo_edge.edge_app.open_windows import OpenWindow

WINDOW: Final = "window"
"""The field of a draft that names the window which keeps it."""
LOCK: Final = "forms.lock"


class RunningForms:
    """The forms of one window; `windows` is the folder of all windows on the same history. Any thread may use it.

    What reads or writes raises `HistoryError` where the history cannot be used.
    """

    def __init__(self, history: Callable[[], History], window: OpenWindow, windows: Path) -> None:
        self._history, self._window, self._windows = history, window, windows
        self._saved = set[str]()

    def keep(self, form_id: str, fields: FormFields) -> None:
        """Keep a form as it stands."""
        self._write(Draft(form_id, utc(datetime.now(timezone.utc)), asdict(fields)))

    def unfinished(self) -> tuple[Draft, ...]:
        """The drafts that nobody works on, and those of this window; the newest first."""
        drafts = self._history().drafts()
        return tuple(draft for draft in drafts if not self._window.is_other(draft.fields.get(WINDOW, "")))

    def take(self, form_id: str) -> Draft | None:
        """Let this window work on an unfinished form; None if it is there no more, or another window has taken it."""
        with in_turn(self._windows, LOCK):
            draft = next((draft for draft in self.unfinished() if draft.id == form_id), None)
            return None if draft is None else self._write(draft)

    def bring_back(self, draft: Draft) -> None:
        """Keep again a draft that was dropped."""
        self._write(draft)

    def drop(self, form_id: str) -> None:
        """Keep a form no more."""
        self._history().drop_draft(form_id)

    def end(self, form_id: str) -> None:
        """The form's screening is in the history."""
        self._saved.add(form_id)

    def has_ended(self, form_id: str) -> bool:
        """Whether the form's screening was saved by this window: another patient's must not begin with it."""
        return form_id in self._saved

    def _write(self, draft: Draft) -> Draft:
        marked = replace(draft, fields=draft.fields | {WINDOW: self._window.show_itself()})
        self._history().save_draft(marked)
        return marked
