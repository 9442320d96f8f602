"""The golden model as a bundle in the scratch folder, whose bytes are the same whatever writes bundles by now."""

import json
from functools import cache
from pathlib import Path

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import CARD_NAME, FILE_NAME
from tests.fuzz.scratch import scratch_folder

DATA = Path(__file__).resolve().parents[1] / "data"
MANIFEST = DATA / "manifest.json"
MODEL = DATA / "golden-int8.tflite"
CARD = b"# golden\n"


@cache
def golden_bundle(name: str = "golden") -> Bundle:
    """The golden int8 model as a bundle of a folder of its own."""
    folder = scratch_folder() / name
    folder.mkdir()
    model = MODEL.read_bytes()
    manifest = json.loads(MANIFEST.read_bytes())
    manifest["model"] |= {"file": "model.tflite", "sha256": sha256_bytes(model)}
    manifest["files"] = {CARD_NAME: sha256_bytes(CARD)}
    files = {"model.tflite": model, CARD_NAME: CARD, FILE_NAME: json.dumps(manifest).encode()}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return read_bundle(folder)
