"""What the follow-up shows, worked out: for one model how it agrees with DXA, and for the site how its films change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from osteo_edge.edge_app.bone_words import split_label
from osteo_edge.edge_app.history.drift import Drift, measure_drift
from osteo_edge.edge_app.history.entry import Dxa, Entry
from osteo_edge.edge_app.history.followup import FollowUp, follow_up
from osteo_edge.edge_app.history.query import Query, UsedModel

if TYPE_CHECKING:
    from osteo_edge.edge_app.history.store import History

MEASURED: Final[tuple[Dxa, ...]] = ("osteopenia", "osteoporosis")
"""The labels that a DXA result can confirm, the gravest last."""


@dataclass(frozen=True, eq=False)
class SiteReport:
    """The models that were used here, the one that is reported on, and the numbers.

    `model` is None where nothing was screened yet; `follow_up` where the model's positive labels are none that DXA
    measures, or it looks for abnormalities: only answers about bone density count. `drifts` are of the site's films,
    whichever model screened them.
    """

    models: tuple[UsedModel, ...]
    model: UsedModel | None
    follow_up: FollowUp | None
    drifts: tuple[Drift, ...]


def report_on(
    history: History,
    model_sha256: str | None,
    in_use_sha256: str | None,
    *,
    check: Callable[[], None] = lambda: None,
) -> SiteReport:
    """Work out what the follow-up shows of a model: the one that is named, else the one in use, else the last used.

    `check` is called for each screening that is read; what it raises ends the work.
    """
    models = history.models()
    model = choose(models, model_sha256, in_use_sha256)
    if model is None:
        return SiteReport((), None, None, ())
    of_model = _checked(history.entries(Query(model_sha256=model.sha256)), check)
    found = follow_up_of([entry for entry in of_model if entry.finding == "density"])
    return SiteReport(models, model, found, measure_drift(_checked(history.entries(), check)))


def follow_up_of(entries: Sequence[Entry]) -> FollowUp | None:
    """The answers of one model about bone density beside DXA; None where there are none, or DXA cannot confirm them."""
    labels = measured_labels(entries)
    return follow_up(entries, labels) if entries and labels is not None else None


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
