"""Whether this device's clock can be right: a board without a clock chip starts at an old date after a power cut."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

from osteo_edge.edge_app.translation import Translate
from osteo_edge.version import RELEASED

TRUSTED_SINCE: Final = "2024-01-01T00:00:00+00:00"
"""No screening was made before this program was; one that says so was dated by a clock that was not set."""
SLACK: Final = timedelta(hours=1)
"""A clock that is set right goes back a little, too."""
DOUBT: Final = "This device's clock says {date}. Set it and screen again, or the screening keeps this date."


def doubtful_date(now: datetime, newest: str | None) -> date | None:
    """The date that the clock shows, where it is behind this program or the newest screening; None where it is not.

    `now` must know its time zone; `newest` is as in `Entry.taken_at`, None where there is no screening yet.
    """
    known = [datetime.fromisoformat(RELEASED).replace(tzinfo=timezone.utc)]
    if newest is not None:
        known.append(datetime.fromisoformat(newest) - SLACK)
    return now.astimezone().date() if now < max(known) else None


def doubt_words(shown: date, translate: Translate) -> str:
    """What the user is told of such a date before a screening with it is saved."""
    return translate(DOUBT).format(date=shown.isoformat())
