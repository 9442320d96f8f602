"""What the app tells by itself when it starts on a damaged history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.history_list import DAMAGE, DAMAGED
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.opening import Damage
    from osteo_edge.edge_app.ui.shell import Shell

SLOT: Final = "damage"


def tell_damage(shell: Shell) -> None:
    """Open the history, and tell at once if it was damaged: nobody may find out weeks later."""
    clinic = shell.clinic
    shell.jobs.start(SLOT, lambda task: clinic.history().damage, lambda damage: _tell(shell, damage), shell.complain)


def _tell(shell: Shell, damage: Damage | None) -> None:
    def restore() -> None:
        shell.go("history", part="copies")

    if damage is not None:
        words = say(DAMAGED, name=damage.kept.name)
        shell.ask(say(DAMAGE), words, say("Restore a backup"), restore, no=say("Later"))
