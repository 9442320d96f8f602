"""What the app does by itself once it can be used: it tells of damage, sees to old screenings, and tidies up."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.ui.damage import tell_damage
from osteo_edge.edge_app.ui.retention import ask_retention, purge_deleted_later

if TYPE_CHECKING:
    from osteo_edge.edge_app.ui.shell import Shell

SLOT: Final = "tidying"
LOCKED_SLOT: Final = "tidying while locked"


def begin(shell: Shell) -> None:
    """Begin all of it, beside the window; what needs the history waits until that is open."""
    shell.jobs.save(shell.clinic.trail.begin, lambda _: None, shell.complain)
    shell.jobs.start(LOCKED_SLOT, lambda task: shell.clinic.tidy_locked(), lambda _: None, _note, background=True)
    shell.when_open(partial(_begin_with_history, shell))


def _begin_with_history(shell: Shell) -> None:
    tell_damage(shell)
    ask_retention(shell)
    purge_deleted_later(shell)
    shell.jobs.start(SLOT, lambda task: shell.clinic.tidy(), lambda _: None, _note, background=True)


def _note(line: str) -> None:
    """A disk that cannot be tidied keeps nobody from screening; whoever looks after the device finds it in the log."""
    logging.getLogger(__name__).warning("not tidied: %s", line)
