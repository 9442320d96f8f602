"""What is older than the clinic wants to keep: counted first, and removed when the user has agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.device_clock import TRUSTED_SINCE
from osteo_edge.edge_app.history.entry import utc
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.translation import Translate

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.store import History

QUESTION: Final = "Delete old screenings?"
ONE: Final = "1 of {total} screenings is older than {days} days. Delete it for good, with its film?"
MANY: Final = "{count} of {total} screenings are older than {days} days. Delete them for good, with their films?"
CLOCK: Final = "This device's clock says that today is {today}. If that is wrong, keep them and set the clock."
DELETE: Final = "Delete for good"
KEEP: Final = "Keep"
DELETED_ONE: Final = "1 screening was deleted for good."
DELETED: Final = "{count} screenings were deleted for good."


@dataclass(frozen=True)
class Outdated:
    """How many of `total` screenings are older than `days` days at the moment `now`.

    Those whose date cannot be right are not counted: they were made by a device whose clock was not set.
    """

    count: int
    total: int
    days: int
    now: datetime


def find_outdated(history: History, days: int, now: datetime) -> Outdated:
    """Count what the retention period says to remove; `now` must know its time zone."""
    limit = utc(now - timedelta(days=days))
    return Outdated(history.count(Query(since=TRUSTED_SINCE, until=limit)), history.count(), days, now)


def remove_outdated(history: History, outdated: Outdated) -> int:
    """Remove for good just what was counted, as of the same moment; how many screenings that were."""
    return history.purge_older_than(outdated.days, outdated.now, since=TRUSTED_SINCE)


def question_words(outdated: Outdated, translate: Translate) -> str:
    """What the user is asked before anything is removed."""
    asked = translate(ONE if outdated.count == 1 else MANY)
    asked = asked.format(count=outdated.count, total=outdated.total, days=outdated.days)
    today = outdated.now.astimezone().date().isoformat()
    return f"{asked}\n\n{translate(CLOCK).format(today=today)}"


def deleted_words(count: int, translate: Translate) -> str:
    """What was removed."""
    return translate(DELETED_ONE) if count == 1 else translate(DELETED).format(count=count)
