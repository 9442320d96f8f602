"""Bundles of two bones, shared and separate, that say what they are; and what stands in for their models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Decision, Head, Parent, Router
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Prediction

BONES = ("elbow", "hand")
PAIRS = ("elbow normal", "elbow abnormal", "hand normal", "hand abnormal")


def decision(*positive: str, threshold: float = 0.5) -> Decision:
    return Decision(positive, threshold, 0.9, threshold, threshold, "validation")


def recipe(fit: float | None, backbone: str = "mobilenet_v2") -> dict[str, Any]:
    """A trained and converted model's recipe; its training took a second to read and `fit` to fit, if it says so."""
    trained: dict[str, Any] = {"train": {"backbone": backbone, "alpha": 1.0}}
    if fit is not None:
        trained["timing"] = {"seconds": {"read": 1.0, "head": None, "fit": fit}}
    return {"convert": {"precision": "int8"}, "parent": trained}


def write_cascades(golden_bundle: Callable[..., Bundle], folder: Path, **changes: Any) -> tuple[Path, Path]:
    """Write `shared`, and `separate` with a router and two bones' models; `changes` are of every manifest."""
    (folder / "separate").mkdir()
    heads = (
        Head("elbow", "abnormality", PAIRS[:2], decision(PAIRS[1])),
        Head("hand", "abnormality", PAIRS[2:], decision(PAIRS[3])),
    )

    def write(name: str, fit: float, **described: Any) -> Path:
        return golden_bundle(name, **{"parent": Parent("a" * 64, recipe(fit)), **described, **changes}).path

    shared = write(
        "shared", 5.0, labels=PAIRS, decision=decision(PAIRS[1], PAIRS[3]), router=Router(heads, 0.5, "here")
    )
    write("separate/router", 8.0, labels=BONES, decision=decision("hand"))
    for bone in BONES:
        single = decision("abnormal")
        write(f"separate/{bone}", 9.0, labels=("normal", "abnormal"), decision=single, finding="abnormality")
    return shared, folder / "separate"


@dataclass(frozen=True)
class ByBrightness:
    """Elbows are dark and hands are bright, abnormal ones the brighter half of each; a shared model may be `blind`."""

    bundle: Bundle
    blind: bool = False
    name: str = "by brightness"

    def run(self, tensor: Tensor) -> Prediction:
        brightness = (float(tensor.mean()) + 1) / 2
        hand = 8 * (brightness - 0.5)
        abnormal = 0.0 if self.blind else 16 * (brightness % 0.5 - 0.25)
        labels = self.bundle.manifest.labels
        if labels == BONES:
            logits = [-hand, hand]
        elif labels == PAIRS:
            logits = [-hand - abnormal, -hand + abnormal, hand - abnormal, hand + abnormal]
        else:
            logits = [-abnormal, abnormal]
        return Prediction(np.array(logits, np.float32), None)
