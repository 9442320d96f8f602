"""Screenings of the past, for the tests of the screens that show them."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import cycle, islice
from typing import Any

import cv2
import numpy as np

from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.history.entry import utc
from osteo_edge.edge_app.history.images import Picture
from osteo_edge.edge_app.history.store import History, Record
from osteo_edge.wording import HEADLINES
from tests.edge_app.history.made import make_entry

SCORES = {"refer": 0.83, "no_finding": 0.21, "uncertain": 0.5, "rejected": None}


@cache
def film(number: int) -> Picture:
    """One of a few small films that differ."""
    drawn = cv2.imread(str(DRAWN_FILM), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    small = cv2.resize(drawn, (320, 320), interpolation=cv2.INTER_AREA)
    shifted = np.clip(small.astype(np.int16) + 12 * number - 30, 0, 255).astype(np.uint8)
    return Picture(cv2.imencode(".jpg", shifted)[1].tobytes(), ".jpg")


def records(count: int, **changes: Any) -> Iterator[Record]:
    """Screenings, an hour apart from now back, of all outcomes in turn; the newest is K-0001."""
    now = datetime.now(timezone.utc)
    outcomes = islice(cycle(HEADLINES), count)
    for number, outcome in enumerate(outcomes, start=1):
        picture = film(number % 6)
        told: dict[str, Any] = {
            "code": f"K-{number:04d}",
            "outcome": outcome,
            "score": SCORES[outcome],
            "taken_at": utc(now - timedelta(hours=number)),
            "image_sha256": picture.sha256,
        }
        yield Record(make_entry(**told | changes), picture)


def fill(history: History, count: int, **changes: Any) -> None:
    """Save screenings."""
    history.add_all(records(count, **changes))
