"""A bundle's manifest."""

import json
from collections.abc import Iterator
from pathlib import Path

from osteo_edge.bundle import parse_manifest
from osteo_edge.manifest import Manifest
from osteo_edge.model_card import render_card
from tests.fuzz.golden import MANIFEST

PATH = Path("manifest.json")


def read(data: bytes) -> Manifest:
    manifest = parse_manifest(PATH, data)
    assert Manifest.from_dict(manifest.to_dict()) == manifest
    render_card(manifest).encode()
    return manifest


def seeds() -> Iterator[bytes]:
    golden = json.loads(MANIFEST.read_bytes())
    yield json.dumps(golden).encode()
    statistics = {
        "file": "familiarity.npz",
        "threshold": 1.5,
        "fitted_on": "train",
        "fitted_images": 40,
        "chosen_on": "validation",
        "chosen_images": 20,
        "refused_share": 0.02,
    }
    outputs = golden["outputs"] | {"embedding": 2}
    yield json.dumps(golden | {"outputs": outputs, "familiarity": statistics, "finding": "fracture"}).encode()
    yield json.dumps(_of_two_bones(golden)).encode()


def _of_two_bones(golden: dict[str, object]) -> dict[str, object]:
    decision = {
        "threshold": 0.5,
        "target_sensitivity": 0.9,
        "abstain_low": 0.4,
        "abstain_high": 0.6,
        "chosen_on": "validation",
    }
    bones = {"knee": ["knee normal", "knee porotic"], "wrist": ["wrist whole", "wrist broken"]}
    heads = [
        {
            "bone": bone,
            "finding": "density" if bone == "knee" else "fracture",
            "labels": labels,
            "decision": decision | {"positive_labels": labels[1:]},
        }
        for bone, labels in bones.items()
    ]
    return golden | {
        "labels": [label for labels in bones.values() for label in labels],
        "decision": decision | {"positive_labels": ["knee porotic", "wrist broken"]},
        "router": {"heads": heads, "min_confidence": 0.6, "chosen_on": "validation"},
    }
