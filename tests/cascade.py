"""A model of two bones (tests/data/make_cascade.py) with its bundle, and films that it takes for one or the other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Decision, Head, Manifest, Outputs, Router

MODEL = Path(__file__).resolve().parent / "data" / "cascade-float32.tflite"
LABELS = ("elbow normal", "elbow abnormal", "wrist normal", "wrist abnormal")
MIN_CONFIDENCE = 0.8
UNCLEAR = 0.06


def decision_of(*labels: str) -> Decision:
    return Decision(labels, 0.6, 0.9, 0.4, 0.6, "validation")


def cascade_manifest(manifest: Manifest, **changes: Any) -> Manifest:
    """A manifest, as the golden one, of the model of two bones."""
    heads = tuple(
        Head(bone, "abnormality", labels, decision_of(labels[1]))
        for bone, labels in (("elbow", LABELS[:2]), ("wrist", LABELS[2:]))
    )
    about: dict[str, Any] = {
        "name": "limbs",
        "model": replace(manifest.model, precision="float32", sha256=sha256_bytes(MODEL.read_bytes())),
        "outputs": Outputs(logits=0, activation_map=1),
        "labels": LABELS,
        "decision": decision_of(*LABELS[1::2]),
        "finding": "abnormality",
        "gate": replace(manifest.gate, min_contrast=0.01),
        "router": Router(heads, MIN_CONFIDENCE, "validation"),
    }
    return replace(manifest, **{**about, **changes})


def write_cascade(folder: Path, manifest: Manifest, **changes: Any) -> Bundle:
    """Write a bundle of the model of two bones."""
    return write_bundle(folder, cascade_manifest(manifest, **changes), {"model.tflite": MODEL.read_bytes()})


def draw_limb(path: Path, bone: str, brightness: float, *, contrast: float = 0.3) -> Path:
    """Draw an upright bar, which is taken for an elbow, or a lying one, for a wrist; the brighter, the more abnormal.

    `brightness` is the mean. The bone is certain at a contrast of 0.3 and not clear at `UNCLEAR`.
    """
    bar = np.zeros((320, 320), np.float32)
    bar[:, 100:220] = 1  # its edges do not lie between two patches, where no cell would see them
    film = brightness + contrast * (bar - bar.mean())
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.rint(np.clip(film if bone == "elbow" else film.T, 0, 1) * 255).astype(np.uint8)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    return path
