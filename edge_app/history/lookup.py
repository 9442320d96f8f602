"""What is asked of the screenings in the open database of a history."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.query import Place, Query, UsedModel, condition
from osteo_edge.edge_app.history.rows import COLUMNS, from_row

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries"


def find_row(connection: sqlite3.Connection, entry_id: str) -> sqlite3.Row | None:
    """The row of one screening; None where there is none, or it was deleted."""
    row: sqlite3.Row | None = connection.execute(
        f"{_SELECT} WHERE id = ? AND deleted_at IS NULL", (entry_id,)
    ).fetchone()
    return row


def find_rows(
    connection: sqlite3.Connection, query: Query, after: Place | None, limit: int, offset: int
) -> list[sqlite3.Row]:
    """At most `limit` rows of what the query finds, the newest first: those below `after`, but for `offset` of them."""
    where, values = condition(query, after)
    sql = f"{_SELECT} WHERE {where} ORDER BY taken_at DESC, id DESC LIMIT ? OFFSET ?"
    return connection.execute(sql, (*values, limit, offset)).fetchall()


def count_rows(connection: sqlite3.Connection, query: Query) -> int:
    """How many screenings the query finds."""
    where, values = condition(query)
    return int(connection.execute(f"SELECT count(*) FROM entries WHERE {where}", values).fetchone()[0])


def find_screened(connection: sqlite3.Connection, films: Collection[str]) -> frozenset[str]:
    """Those of the films, by their hash, that have a screening."""
    marks = ", ".join("?" * len(films))
    sql = " UNION ".join(
        f"SELECT {name} FROM entries WHERE deleted_at IS NULL AND {name} IN ({marks})"
        for name in ("image_sha256", "film_sha256")
    )
    return frozenset(sha256 for (sha256,) in connection.execute(sql, (*films, *films)).fetchall())


def find_models(connection: sqlite3.Connection) -> tuple[UsedModel, ...]:
    """The models that have screenings, the last used first."""
    sql = "SELECT model_sha256, model_name, is_demo, count(*), max(taken_at) AS last FROM entries"  # names of `last`
    rows = connection.execute(
        f"{sql} WHERE deleted_at IS NULL GROUP BY model_sha256 ORDER BY last DESC, model_sha256"
    ).fetchall()
    return tuple(UsedModel(sha256, name, bool(is_demo), n) for sha256, name, is_demo, n, _ in rows)


def entry_of(row: sqlite3.Row, path: Path) -> Entry:
    """The entry of a row of the database `path`; `HistoryError` where another program has written what is no entry."""
    try:
        return from_row(row)
    except (ValueError, TypeError) as error:
        raise HistoryError(
            f"{path}: the screening {row['id']} was altered by another program ({error}); restore a backup"
        ) from error
