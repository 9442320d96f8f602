"""What the positive answers of a model speak of, as its manifest or its labels say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from osteo_edge.wording import FINDINGS, Finding

if TYPE_CHECKING:
    from osteo_edge.manifest import Manifest


def findings_of(manifest: Manifest) -> tuple[Finding, ...]:
    """The findings of the model's heads, or its own, each once and bone density first.

    A manifest that names none says it by its positive labels.
    """
    if manifest.router is None:
        return (manifest.finding or finding_called(manifest.decision.positive_labels),)
    named = {head.finding for head in manifest.router.heads}
    return tuple(finding for finding in FINDINGS if finding in named)


def finding_called(positive_labels: Iterable[str]) -> Finding:
    """What answers of these labels speak of, where nothing else says it; of no label bone density.

    An abnormality where all are "abnormal", in any case and with or without a bone before it.

    >>> finding_called(["Abnormal", "elbow abnormal"]), finding_called(["abnormal", "osteoporosis"]), finding_called([])
    ('abnormality', 'density', 'density')
    """
    called = {label.casefold().rpartition(" ")[2] for label in positive_labels}
    return "abnormality" if called == {"abnormal"} else "density"
