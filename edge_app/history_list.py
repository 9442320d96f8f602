"""The list of past screenings: what it is asked for, as a query, and what it says of each one."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal

from osteo_edge.edge_app.bone_words import bone_words
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.history.entry import Entry, utc
from osteo_edge.edge_app.history.query import Query
from osteo_edge.edge_app.translation import Translate
from osteo_edge.wording import Outcome, headline

Period = Literal["all", "today", "week", "month", "year", "dates"]
Side = Literal["first", "last"]

PERIODS: Final[dict[Period, str]] = {
    "all": "Any time",
    "today": "Today",
    "week": "Last 7 days",
    "month": "Last 30 days",
    "year": "Last year",
    "dates": "Other days",
}
"""Messages, as are those below."""
DAYS: Final[dict[Period, int]] = {"today": 1, "week": 7, "month": 30, "year": 365}
DXA_CHOICES: Final[dict[bool | None, str]] = {
    None: "With or without a DXA result",
    True: "With a DXA result",
    False: "Without a DXA result",
}
OUTCOME_CHOICES: Final[dict[Outcome, str]] = {
    "refer": "Refer",
    "no_finding": "No finding, which rules nothing out",
    "uncertain": "Uncertain",
    "rejected": "Rejected",
}
"""The answers by names that hold for bone density and abnormalities alike."""
NO_DATE: Final = "Write a day like 2026-03-31"
WRONG_WAY_ROUND: Final = "The last day is before the first one"
NO_CODE: Final = "No code"
DXA_RESULT: Final = "DXA: {result}"
NONE_YET: Final = "No screenings yet"
NONE_FOUND: Final = "No screening like this"
ONE: Final = "1 screening"
MANY: Final = "{count} screenings"
DAMAGE: Final = "The history was damaged"
DAMAGED: Final = (
    "The history was damaged. A new one was begun, and the damaged one was kept as {name}. "
    "If there is a backup, it can be restored."
)

EARLIEST_YEAR, LATEST_YEAR = 1970, 2999
_DATE = re.compile(r"\s*(\d{4})[-./ ](\d{1,2})[-./ ](\d{1,2})\s*")


@dataclass(frozen=True)
class Wanted:
    """Which screenings the user wants to see. `first` and `last` are days as they were typed, for the period "dates";
    no outcome stands for all of them."""

    code: str = ""
    period: Period = "all"
    first: str = ""
    last: str = ""
    outcomes: tuple[Outcome, ...] = ()
    has_dxa: bool | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether more than the code is asked for."""
        return (self.period, self.outcomes, self.has_dxa) != ("all", (), None)


@dataclass(frozen=True)
class Asked:
    """The query, and what is wrong with the days that were typed: messages, and such a day is left out of the query."""

    query: Query
    problems: dict[Side, str]


@dataclass(frozen=True)
class Row:
    """What the list says of one screening; `bone` and `dxa` are "" where there is none, or no result was entered."""

    outcome: Outcome
    code: str
    when: str
    headline: str
    bone: str
    dxa: str
    is_demo: bool


def ask(wanted: Wanted, today: date) -> Asked:
    """What to look for in the history; days are those of this device's time zone."""
    first, last, problems = _days(wanted, today)
    query = Query(
        code=wanted.code.strip(),
        since=None if first is None else midnight(first),
        until=None if last is None else midnight(last + timedelta(days=1)),
        outcomes=wanted.outcomes,
        has_dxa=wanted.has_dxa,
    )
    return Asked(query, problems)


def row_of(entry: Entry, translate: Translate) -> Row:
    """What the list says of a screening."""
    dxa = dxa_words(entry.dxa, entry.t_score, translate)
    return Row(
        outcome=entry.outcome,
        code=entry.patient.code or translate(NO_CODE),
        when=local_time(entry.taken_at),
        headline=translate(headline(entry.outcome, entry.finding)),
        bone=bone_words(entry, translate),
        dxa=translate(DXA_RESULT).format(result=dxa) if dxa else "",
        is_demo=entry.is_demo,
    )


def local_time(taken_at: str) -> str:
    """A time of the history as this device's clock shows it, to the minute; the same in every language."""
    return datetime.fromisoformat(taken_at).astimezone().strftime("%Y-%m-%d %H:%M")


def found_words(count: int, is_everything: bool, translate: Translate) -> str:
    """How many screenings there are, or were found.

    >>> found_words(0, True, str), found_words(1, False, str), found_words(12, False, str)
    ('No screenings yet', '1 screening', '12 screenings')
    """
    if count == 0:
        return translate(NONE_YET if is_everything else NONE_FOUND)
    return translate(ONE) if count == 1 else translate(MANY).format(count=count)


def day_of(text: str) -> date:
    """A day as it is typed, year first; `ValueError` if it is none.

    >>> day_of("2026-3-1"), day_of(" 2026.03.01 ")
    (datetime.date(2026, 3, 1), datetime.date(2026, 3, 1))
    """
    found = _DATE.fullmatch(text)
    if found is None or not EARLIEST_YEAR <= int(found[1]) <= LATEST_YEAR:
        raise ValueError(f"{text!r} is no day")
    return date(int(found[1]), int(found[2]), int(found[3]))


def midnight(day: date) -> str:
    """When a day begins here, as the history writes times."""
    return utc(datetime.combine(day, time()).astimezone())


def _days(wanted: Wanted, today: date) -> tuple[date | None, date | None, dict[Side, str]]:
    """The first and the last day that are wanted, both included; None for no bound."""
    if wanted.period in DAYS:
        return today - timedelta(days=DAYS[wanted.period] - 1), None, {}
    if wanted.period == "all":
        return None, None, {}
    days: dict[Side, date] = {}
    problems: dict[Side, str] = {}
    typed: dict[Side, str] = {"first": wanted.first, "last": wanted.last}
    for side, text in typed.items():
        if text.strip():
            try:
                days[side] = day_of(text)
            except ValueError:
                problems[side] = NO_DATE
    first, last = days.get("first"), days.get("last")
    if first is not None and last is not None and last < first:
        problems["last"] = WRONG_WAY_ROUND
    return first, last, problems
