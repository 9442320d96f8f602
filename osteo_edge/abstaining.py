"""The abstain band of a bundle in words, with the rate of error that it was chosen for."""

from collections.abc import Mapping
from typing import Any

from osteo_edge.manifest import Manifest


def stated_miss(manifest: Manifest) -> float | None:
    """The share of the positive films that the band was chosen to leave without finding, at most.

    By the record of the training that the bundle comes from (`abstain_sensitivity`); None where that does not say.
    """
    record: Mapping[str, Any] = manifest.parent.recipe
    while isinstance(record.get("parent"), Mapping):
        record = record["parent"]
    told = record.get("train")
    asked = told.get("abstain_sensitivity") if isinstance(told, Mapping) else None
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 <= asked <= 1:
        return None
    return round(1 - asked, 9)


def band_words(manifest: Manifest) -> str:
    """Where the band below the threshold ends, by bone where there are several, and what it was chosen for."""
    heads = () if manifest.router is None else manifest.router.heads
    ends = ", ".join(f"{head.bone} {head.decision.abstain_low:.3f}" for head in heads)
    low, chosen_on, stated = manifest.decision.abstain_low, manifest.decision.chosen_on, stated_miss(manifest)
    rate = "" if stated is None else f", so that no more than {stated:.1%} of the positive films there get no finding"
    return f"Uncertain below the threshold, down to {ends or f'{low:.3f}'}: chosen on {chosen_on}{rate}."
