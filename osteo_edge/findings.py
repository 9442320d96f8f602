"""What the positive answers of a model speak of, as its manifest says it."""

from osteo_edge.manifest import Manifest
from osteo_edge.wording import FINDINGS, Finding


def findings_of(manifest: Manifest) -> tuple[Finding, ...]:
    """The findings of the model's heads, or its own, each once and bone density first."""
    heads = () if manifest.router is None else manifest.router.heads
    named = {head.finding for head in heads} or {manifest.finding or "density"}
    return tuple(finding for finding in FINDINGS if finding in named)
