"""What a kit for the Raspberry Pi says of itself: kit.json, and the list of sums that is made of it."""

import json
from collections.abc import Iterator

from osteo_edge.edge_app.pi.kit import KIT_FILE, SUMS_FILE, Kit, read_kit, sums_of, verify_kit
from tests.fuzz.scratch import scratch_folder

DIGEST = "0" * 64


def read(data: bytes) -> Kit:
    folder = scratch_folder() / "kit"
    folder.mkdir(exist_ok=True)
    (folder / KIT_FILE).write_bytes(data)
    kit = read_kit(folder)
    (folder / SUMS_FILE).write_bytes(sums_of(kit.contents, kit.digest))
    assert kit.contents.age <= kit.contents.age
    assert kit.name
    verify_kit(kit)
    return kit


def seeds() -> Iterator[bytes]:
    names = ("bundle/manifest.json", "install.sh", "wheels/any.tar.xz", "wheels/osteo_edge-1.0.0-py3-none-any.whl")
    contents = {
        "schema": 1,
        "version": "1.0.0",
        "made_at": "2026-11-21T10:00:00+00:00",
        "made_by": "osteo-edge 1.0.0",
        "bundle": "knee 1",
        "model_sha256": DIGEST,
        "machine": "aarch64",
        "glibc": "2.17",
        "packages": {"3.11": names[2:], "3.13": names[2:]},
        "installed_bytes": {"3.11": 1000, "3.13": 1000},
        "known_answer": {"score": 0.75, "tolerance": 0.01, "runtime": "LiteRT"},
        "files": {name: {"sha256": DIGEST, "size_bytes": 10} for name in names},
    }
    yield json.dumps(contents).encode()
    yield json.dumps(contents | {key: {} for key in ("packages", "installed_bytes", "files")}).encode()
