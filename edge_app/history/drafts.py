"""Forms that are still being filled in, so that a power cut does not take what was typed."""

import json
import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Draft:
    """A running form: its fields as they stand, by name, and when that was (as in `Entry.taken_at`)."""

    id: str
    saved_at: str
    fields: dict[str, str]


def write_draft(connection: sqlite3.Connection, draft: Draft) -> None:
    """Write a draft, over its earlier state if there is one."""
    fields = json.dumps(draft.fields, ensure_ascii=False)
    connection.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?, ?)", (draft.id, draft.saved_at, fields))


def read_drafts(connection: sqlite3.Connection) -> tuple[Draft, ...]:
    """All drafts, the newest first."""
    rows = connection.execute("SELECT id, saved_at, fields FROM drafts ORDER BY saved_at DESC, id").fetchall()
    return tuple(Draft(row["id"], row["saved_at"], json.loads(row["fields"])) for row in rows)


def remove_draft(connection: sqlite3.Connection, draft_id: str) -> None:
    """Remove a draft; nothing happens where there is none."""
    connection.execute("DELETE FROM drafts WHERE id = ?", (draft_id,))
