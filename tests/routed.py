"""Manifests of models that tell bones apart, for tests that need no network."""

from dataclasses import replace

from osteo_edge.manifest import Decision, Head, Manifest, Router
from osteo_edge.wording import Finding

POSITIVE: dict[Finding, str] = {"density": "osteoporosis", "abnormality": "abnormal"}


def routed(manifest: Manifest, **bones: Finding) -> Manifest:
    """The manifest with a head for each of the bones, of two labels: `routed(manifest, elbow="abnormality", ...)`.

    The first head refers from 0.30 on, uncertain from 0.25 to 0.35; the next from 0.40 on, and so on.
    """
    heads = tuple(_head(bone, finding, 0.3 + place / 10) for place, (bone, finding) in enumerate(bones.items()))
    positive = tuple(label for head in heads for label in head.decision.positive_labels)
    return replace(
        manifest,
        labels=tuple(label for head in heads for label in head.labels),
        decision=replace(manifest.decision, positive_labels=positive),
        router=Router(heads, min_confidence=0.6, chosen_on="validation"),
    )


def _head(bone: str, finding: Finding, threshold: float) -> Head:
    positive = f"{bone} {POSITIVE[finding]}"
    decision = Decision((positive,), threshold, 0.9, threshold - 0.05, threshold + 0.05, "validation")
    return Head(bone, finding, (f"{bone} normal", positive), decision)
