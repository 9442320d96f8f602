"""One saved screening and whom it was of."""

import math
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final, Literal

from osteo_edge.wording import Finding, Outcome

Sex = Literal["female", "male", "other"]
Dxa = Literal["normal", "osteopenia", "osteoporosis"]
Decided = Literal["followed", "otherwise"]
TO_FOLLOW: Final[tuple[Outcome, ...]] = ("refer", "no_finding")
"""The answers that a decision can follow, or not."""


@dataclass(frozen=True)
class Patient:
    """What the clinic wrote down of the patient; None for what it left out.

    `code` is a pseudonym that the clinic chose, never a name. Age in whole years, weight in kilograms.
    """

    code: str | None = None
    age_years: int | None = None
    sex: Sex | None = None
    weight_kg: float | None = None

    def __post_init__(self) -> None:
        if self.age_years is not None and not 0 <= self.age_years <= 130:
            raise ValueError("age_years must be between 0 and 130")
        if self.weight_kg is not None and not 0 < self.weight_kg <= 500:
            raise ValueError("weight_kg must be above 0 and at most 500")


@dataclass(frozen=True)
class Entry:
    """One saved screening.

    `id` is 32 hex digits, `taken_at` ISO 8601 in UTC, written so that times sort as texts ("…+00:00"). `score`,
    `threshold` and the ends of the uncertain band are calibrated probabilities of the positive labels together;
    `probabilities` has each of these labels. A rejected image has no score, nor has one for which the model gave no
    number. `warnings` go with the answer wherever it is shown. `image_sha256` and `overlay_sha256` name files in the
    image store; `film_sha256` is the film's as it was screened, None where just that file is kept. `intended_use` is
    the model's, None where an older version did not keep it; `is_demo` marks the answer of a model that must not be
    used on patients. `finding` is what a positive answer speaks of, `bone` which bone the film was answered for, None
    of a model that does not tell bones apart. `dxa` and `t_score` are what the clinic enters when the DXA result comes
    back, of an answer about bone density. `image_stats` (mean, contrast) show whether the films change over time.
    `decided` is what somebody decided on the answer, None where nobody said so; `override_reason` is why it was
    otherwise than the answer says, and "" unless it was.
    """

    id: str
    taken_at: str
    patient: Patient
    outcome: Outcome
    probabilities: dict[str, float]
    score: float | None
    threshold: float
    abstain_low: float | None
    abstain_high: float | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    image_sha256: str
    overlay_sha256: str | None
    model_name: str
    model_sha256: str
    intended_use: str | None
    is_demo: bool
    finding: Finding
    bone: str | None
    software: str
    milliseconds: dict[str, float]
    note: str
    dxa: Dxa | None
    t_score: float | None
    image_stats: dict[str, float]
    decided: Decided | None = None
    override_reason: str = ""
    film_sha256: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{32}", self.id):
            raise ValueError("id must be 32 hex digits")
        for name in ("image_sha256", "overlay_sha256", "model_sha256", "film_sha256"):
            value = getattr(self, name)
            if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
                raise ValueError(f"{name} must be 64 hex digits")
        if not self.taken_at.endswith("+00:00") or self.taken_at[10:11] != "T":
            raise ValueError("taken_at must be in UTC, like 2026-01-31T09:30:00+00:00")
        datetime.fromisoformat(self.taken_at)
        if self.decided is not None and self.outcome not in TO_FOLLOW:
            raise ValueError("decided must be None where there is no answer to follow")
        if bool(self.override_reason.strip()) != (self.decided == "otherwise"):
            raise ValueError("override_reason must be given where it was decided otherwise, and nowhere else")
        for number in self._numbers():
            if not math.isfinite(number):
                raise ValueError("numbers must be finite: leave out what is not known")

    @property
    def screened_sha256(self) -> str:
        """The hash of the film's file as it was screened."""
        return self.film_sha256 or self.image_sha256

    def _numbers(self) -> tuple[float, ...]:
        single = (self.score, self.threshold, self.abstain_low, self.abstain_high, self.t_score)
        named = (self.probabilities, self.milliseconds, self.image_stats)
        return (*(n for n in single if n is not None), *(n for numbers in named for n in numbers.values()))


def new_id() -> str:
    """A fresh id for an entry or a draft: a random UUID (RFC 9562, version 4) as 32 hex digits."""
    return uuid.uuid4().hex


def utc(moment: datetime) -> str:
    """A moment as entries write it, to the second; it must know its time zone."""
    return moment.astimezone(timezone.utc).isoformat(timespec="seconds")
