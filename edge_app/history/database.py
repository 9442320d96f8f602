"""The open database of a history: any thread may use it, and one at a time does."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from osteo_edge.edge_app.history.errors import HistoryError, told
from osteo_edge.edge_app.history.opening import DATABASE, Damage, open_database
from osteo_edge.edge_app.history.schema import transaction
from osteo_edge.edge_app.history.vault import Keys


class Database:
    """The database at `path`; `damage` says what was found on opening, if it was damaged.

    `failure` is what a `HistoryError` says where the disk or the database is in the way: "the screening was not saved".
    """

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self.path = folder / DATABASE
        self._folder, self._keys = folder, keys
        self._turn = RLock()
        self._is_closed = False
        self._opened = open_database(folder, keys)
        self.damage: Damage | None = self._opened.damage

    def close(self) -> None:
        """Close it; whoever asks anything of it afterwards gets a `HistoryError`."""
        with self._turn:
            self._is_closed = True
            self._opened.close()

    @contextmanager
    def reading(self, failure: str) -> Iterator[sqlite3.Connection]:
        """The connection, while the block runs nobody else's."""
        with self._turn, told(self.path, failure):
            if self._is_closed:
                raise HistoryError(f"{self.path}: {failure} (the history was closed); open it again")
            yield self._opened.connection

    @contextmanager
    def writing(self, failure: str) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction: what the block writes is on the disk after it, or nothing of it."""
        with self.reading(failure) as connection:
            try:
                with transaction(connection):
                    yield connection
            except sqlite3.OperationalError as error:
                if "readonly" in str(error):
                    self._open_again()
                raise

    def empty_log(self, failure: str) -> None:
        """Have what was removed overwritten in the file of the database, too, and not only in what is written last."""
        with self.reading(failure) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _open_again(self) -> None:
        """Open the database once more, which could only be read: SQLite falls back to that, and stays there."""
        before, self._opened = self._opened, open_database(self._folder, self._keys)
        before.close()
