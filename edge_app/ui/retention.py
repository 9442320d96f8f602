"""What the app does with old screenings by itself: it asks before they go, and removes for good what was deleted."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final
from weakref import ref

from kivy.clock import Clock

from osteo_edge.edge_app.retention import (
    DELETE,
    KEEP,
    QUESTION,
    Outdated,
    deleted_words,
    find_outdated,
    question_words,
    remove_outdated,
)
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.ui.shell import Shell

PURGE_EVERY_S: Final = 60.0
SLOT: Final = "retention"


def ask_retention(shell: Shell) -> None:
    """Ask, once, whether what is older than the retention period may go; nothing is asked where there is none."""
    days = shell.clinic.settings.retention_days
    if days is None:
        return
    now = datetime.now(timezone.utc)
    shell.jobs.start(
        SLOT,
        lambda task: find_outdated(shell.clinic.history(), days, now),
        lambda outdated: _ask(shell, outdated),
        shell.complain,
    )


def purge_deleted_later(shell: Shell) -> None:
    """From now on, as long as the window is open, remove for good what was deleted and can no longer be undone."""
    known = ref(shell)  # the clock must not keep a closed window alive
    Clock.schedule_interval(lambda _: _purge_deleted(known()), PURGE_EVERY_S)


def _ask(shell: Shell, outdated: Outdated) -> None:
    if outdated.count > 0:
        words = question_words(outdated, say)
        shell.ask(say(QUESTION), words, say(DELETE), lambda: _remove(shell, outdated), no=say(KEEP))


def _remove(shell: Shell, outdated: Outdated) -> None:
    shell.jobs.save(
        lambda: remove_outdated(shell.clinic.history(), outdated),
        lambda count: shell.tell(deleted_words(count, say)),
        shell.complain,
    )


def _purge_deleted(shell: Shell | None) -> bool:
    """False, which ends the repetition, when the window has been closed."""
    if shell is None or shell.parent is None:
        return False
    if shell.notices.offers_undo:  # what can still be brought back must be there, however long the lock lies over it
        return True
    shell.jobs.start(
        "purge", lambda task: shell.clinic.history().purge_deleted(), lambda count: None, lambda line: None
    )
    return True
