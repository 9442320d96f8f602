"""The time that is written into what is made: a stated one, so that the same thing made again has the same bytes."""

import os
from datetime import datetime, timezone

from osteo_edge.errors import OsteoEdgeError


def made_at() -> datetime:
    """SOURCE_DATE_EPOCH where that is set, else now (https://reproducible-builds.org/specs/source-date-epoch/).

    In UTC. `OsteoEdgeError` if it is no number of seconds since 1970.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    if stated is None:
        return datetime.now(timezone.utc)
    try:
        return datetime.fromtimestamp(int(stated), timezone.utc)
    except (ValueError, OverflowError, OSError) as error:
        raise OsteoEdgeError(
            f"SOURCE_DATE_EPOCH is {stated[:40]!r}, and must be seconds since 1970; set it so, or unset it"
        ) from error
