"""The database as an older version of the program left it, for whoever goes back to that version.

Only the last one is kept. What is removed for good is removed there as well.
"""

import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from osteo_edge.durable import sync_folder
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.vault import Keys
from osteo_edge.edge_app.history.wiping import wipe_file

FORMER: Final = "history.version-*.sqlite3"


def keep_former(path: Path, version: int, keys: Keys | None = None) -> Path:
    """Copy the database `path`, whose tables are of that version, beside it; the copy is whole or not there.

    Encrypted as the database is.

    Nobody may write meanwhile but who calls this, and that is not copied.
    """
    kept = path.with_name(FORMER.replace("*", str(version)))
    partial = path.with_name(f".{kept.name}.partial")
    wipe_file(partial)
    with closing(connect(path, keys)) as source, closing(connect(partial, keys)) as copy:
        source.backup(copy)
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.replace(kept)
    for older in set(former_databases(path.parent)) - {kept}:
        wipe_file(older)
    sync_folder(path.parent)
    return kept


def former_databases(folder: Path) -> list[Path]:
    """The copies in a folder; one at most, unless a power cut came between."""
    return sorted(folder.glob(FORMER))


def forget_in_former(folder: Path, ids: Iterable[str], keys: Keys | None = None) -> None:
    """Overwrite these screenings in the copies, and the forms that were unfinished then."""
    doomed = [(one,) for one in ids]
    for path in former_databases(folder):
        with closing(connect(path, keys, isolation_level=None)) as copy:
            copy.execute("PRAGMA secure_delete = ON").fetchall()
            copy.executemany("DELETE FROM entries WHERE id = ?", doomed)
            if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'drafts'").fetchone():
                copy.execute("DELETE FROM drafts")
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
