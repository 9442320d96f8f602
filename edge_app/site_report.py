"""What the follow-up shows, worked out: for one model how it agrees with DXA, and for the site how its films change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.bone_words import split_label
from osteo_edge.edge_app.history.drift import Drift, measure_drift
from osteo_edge.edge_app.history.entry import Dxa, Entry
from osteo_edge.edge_app.history.followup import FollowUp, follow_up
from osteo_edge.edge_app.history.overrides import Overrides, count_overrides
from osteo_edge.edge_app.history.query import Query, UsedModel
from osteo_edge.findings import findings_of

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.store import History
    from osteo_edge.manifest import Manifest

MEASURED: Final[tuple[Dxa, ...]] = ("osteopenia", "osteoporosis")
"""The labels that a DXA result can confirm, the gravest last."""


@dataclass(frozen=True, eq=False)
class SiteReport:
    """The models that were used here, the one that is reported on, and the numbers.

    `model` is None where nothing was screened yet; `follow_up` where the model's positive labels are none that DXA
    measures, or it looks for abnormalities alone: only answers about bone density count. `drifts` are of the site's
    films, whichever model screened them. `overrides` are of all its answers, None where nothing was screened yet.
    """

    models: tuple[UsedModel, ...]
    model: UsedModel | None
    follow_up: FollowUp | None
    drifts: tuple[Drift, ...]
    overrides: Overrides | None = None


def report_on(
    history: History,
    model_sha256: str | None,
    in_use: Manifest | None,
    *,
    check: Callable[[], None] = lambda: None,
) -> SiteReport:
    """Work out what the follow-up shows of a model: the one that is named, else the one in use, else the last used.

    `check` is called for each screening that is read; what it raises ends the work.
    """
    models = history.models()
    model = choose(models, model_sha256, None if in_use is None else in_use.model.sha256)
    if model is None:
        return SiteReport((), None, None, ())
    of_model = list(_checked(history.entries(Query(model_sha256=model.sha256)), check))
    density = [entry for entry in of_model if entry.finding == "density"]
    found = follow_up_of(density, looks_for_density=_looks_for_density(in_use, model))
    drifts = measure_drift(_checked(history.entries(), check))
    return SiteReport(models, model, found, drifts, count_overrides(of_model))


def follow_up_of(entries: Sequence[Entry], *, looks_for_density: bool = False) -> FollowUp | None:
    """The answers of one model about bone density beside DXA; None where DXA cannot confirm them.

    None as well where there are no such answers, unless the model is known to give them: it has no results yet then.
    """
    if not entries and not looks_for_density:
        return None
    labels = measured_labels(entries)
    return None if labels is None else follow_up(entries, labels)


def _looks_for_density(in_use: Manifest | None, model: UsedModel) -> bool:
    """Whether that is the model in use, and it looks for low bone density, perhaps among others."""
    return in_use is not None and in_use.model.sha256 == model.sha256 and "density" in findings_of(in_use)


def choose(models: Sequence[UsedModel], named: str | None, in_use: str | None) -> UsedModel | None:
    """The model with the hash that is named, else that in use, else the last used that is no demonstration."""
    by_sha256 = {model.sha256: model for model in models}
    for sha256 in (named, in_use):
        if sha256 is not None and sha256 in by_sha256:
            return by_sha256[sha256]
    return next((model for model in models if not model.is_demo), models[0] if models else None)


def measured_labels(entries: Iterable[Entry]) -> tuple[Dxa, ...] | None:
    """The positive labels of the model that answered, the gravest last; None if DXA does not measure all of them.

    Entries have probabilities for the positive labels only, and a rejected one for none. Where none has any, the
    answer is "osteopenia, osteoporosis". Which bone a label is of does not matter: "knee osteopenia" is osteopenia.
    """
    names = next((entry.probabilities for entry in entries if entry.probabilities), MEASURED)
    labels = {split_label(name)[1] for name in names}
    return tuple(label for label in MEASURED if label in labels) if labels <= set(MEASURED) else None


def _checked(entries: Iterable[Entry], check: Callable[[], None]) -> Iterable[Entry]:
    for entry in entries:
        check()
        yield entry
