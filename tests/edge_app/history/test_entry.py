"""Entries hold only what can be kept and found again."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from osteo_edge.edge_app.history.entry import Entry, Patient, new_id, utc


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": "1"}, "id must be"),
        ({"image_sha256": "A" * 64}, "image_sha256 must be"),
        ({"overlay_sha256": ""}, "overlay_sha256 must be"),
        ({"taken_at": "2026-01-31T09:30:00"}, "in UTC"),
        ({"taken_at": "2026-01-31T09:30:00+02:00"}, "in UTC"),
        ({"taken_at": "2026-02-31T09:30:00+00:00"}, "day"),
        ({"score": float("nan")}, "finite"),
        ({"probabilities": {"osteoporosis": float("inf")}}, "finite"),
        ({"outcome": "uncertain", "decided": "followed"}, "no answer to follow"),
        ({"outcome": "rejected", "decided": "otherwise", "override_reason": "seen"}, "no answer to follow"),
        ({"decided": "otherwise", "override_reason": " "}, "override_reason must be given"),
        ({"decided": "followed", "override_reason": "seen"}, "override_reason must be given"),
        ({"override_reason": "seen"}, "override_reason must be given"),
    ],
)
def test_what_could_not_be_found_again_is_no_entry(
    entry: Callable[..., Entry], changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        entry(**changes)


@pytest.mark.parametrize("changes", [{"age_years": -1}, {"age_years": 131}, {"weight_kg": 0.0}])
def test_no_patient_is_so_old_or_so_light(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Patient(**changes)


def test_times_of_anywhere_sort_as_texts() -> None:
    nairobi = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    assert utc(nairobi) == "2026-02-28T22:30:00+00:00" < utc(nairobi + timedelta(seconds=1))


def test_no_two_ids_are_alike() -> None:
    assert len({new_id() for _ in range(100)}) == 100
