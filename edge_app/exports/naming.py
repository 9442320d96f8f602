"""Names of what leaves the app: they say what it is and when it was made, and nothing of any patient."""

from datetime import datetime


def table_name(now: datetime) -> str:
    """The name of a table of the history.

    >>> table_name(datetime(2026, 3, 31, 9, 5, 7))
    'osteo-edge-table-2026-03-31-090507.csv'
    """
    return f"osteo-edge-table-{now:%Y-%m-%d-%H%M%S}.csv"


def backup_name(now: datetime) -> str:
    """The name of a backup.

    >>> backup_name(datetime(2026, 3, 31, 9, 5, 7))
    'osteo-edge-backup-2026-03-31-090507.zip'
    """
    return f"osteo-edge-backup-{now:%Y-%m-%d-%H%M%S}.zip"
