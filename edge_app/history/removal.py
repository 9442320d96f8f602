"""What was deleted can be brought back for a while; what is removed for good leaves nothing behind."""

import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from osteo_edge.edge_app.history.entry import utc

UNUSED = """
    NOT EXISTS (SELECT 1 FROM entries WHERE image_sha256 = images.sha256)
    AND NOT EXISTS (SELECT 1 FROM entries WHERE overlay_sha256 = images.sha256)"""


class Deletions:
    """When screenings were deleted since the history was opened, by a clock that nobody can set."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], float] = {}
        """By the screening and the time that its row has."""

    def remember(self, entry_id: str, deleted_at: str) -> None:
        """Remember that a screening was deleted just now."""
        self._seconds[entry_id, deleted_at] = time.monotonic()

    def over(self, connection: sqlite3.Connection, undo_window: timedelta) -> list[str]:
        """The deleted screenings that cannot be brought back any more.

        Of those that were deleted before the history was opened, what seems to have been deleted in the future is over,
        too: the clock was set back since.
        """
        rows = connection.execute("SELECT id, deleted_at FROM entries WHERE deleted_at NOTNULL").fetchall()
        return [deletion[0] for deletion in map(tuple, rows) if self._is_over(deletion, undo_window)]

    def _is_over(self, deletion: tuple[str, str], undo_window: timedelta) -> bool:
        if deletion in self._seconds:
            return time.monotonic() - self._seconds[deletion] >= undo_window.total_seconds()
        now = datetime.now(timezone.utc)
        return not utc(now - undo_window) < deletion[1] <= utc(now + undo_window)


def remove_rows(connection: sqlite3.Connection, where: str, values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Delete the screenings of an SQL condition, and what names the pictures that no other shows; their ids and hashes.

    The files of the pictures are left for whoever calls this, once it is committed.
    """
    doomed = [one for (one,) in connection.execute(f"SELECT id FROM entries WHERE {where}", values)]
    connection.execute(f"DELETE FROM entries WHERE {where}", values)
    unused = [sha256 for (sha256,) in connection.execute(f"SELECT sha256 FROM images WHERE {UNUSED}")]
    connection.execute(f"DELETE FROM images WHERE {UNUSED}")
    return doomed, unused
