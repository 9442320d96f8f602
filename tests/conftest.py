"""Fixtures that several folders share: a drawn X-ray, a bundle, an interpreter that always answers the same."""

import gc
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, Prediction
from tests.java_doubles import java_classes as java_classes
from tests.signing import Signer, make_signer

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = REPOSITORY / "tests" / "data"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """TensorFlow crashes in a process that has drawn by Mesa, and Mesa in one that has loaded TensorFlow."""
    if {"kivy", "tf"} <= {marker.name for item in items for marker in item.iter_markers()}:
        raise pytest.UsageError(
            "tests of the window and of TensorFlow need a process each: `make test`, "
            "or `pytest -m 'not kivy'` and `pytest -m kivy`"
        )


def pytest_collection_finish() -> None:
    """Let no collection of garbage go through ten thousand collected tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """A key that signs bundles."""
    return make_signer(tmp_path_factory.mktemp("keys"), "signer")


@pytest.fixture(scope="session")
def other_signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Somebody else's."""
    return make_signer(tmp_path_factory.mktemp("keys"), "other")


@pytest.fixture
def shared_data() -> Path:
    """The folder of real files, which no machine needs to have: OSTEO_EDGE_DATA, or ../shared/data."""
    folder = Path(os.environ.get("OSTEO_EDGE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set OSTEO_EDGE_DATA")
    return folder


@pytest.fixture
def draw_film(tmp_path: Path) -> Callable[..., Path]:
    """Draw a knee as PNG below `tmp_path`; the golden model's score rises with `brightness`, its mean."""

    def draw(name: str = "knee.png", *, height: int = 400, width: int = 300, brightness: float = 0.5) -> Path:
        bones = np.zeros((height, width), np.float32)
        middle, thick = width // 2, max(1, width // 4)
        cv2.line(bones, (middle, 0), (middle, int(height * 0.45)), 0.8, thick)
        cv2.line(bones, (middle, int(height * 0.55)), (middle, height), 1.0, thick)
        bones -= bones.mean()
        film = brightness + bones * min(brightness, 1 - brightness) / np.abs(bones).max()
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", np.rint(film * 255).astype(np.uint8))[1].tobytes())
        return path

    return draw


@pytest.fixture
def film(draw_film: Callable[..., Path]) -> Path:
    """A drawn X-ray that the golden model refers."""
    return draw_film(brightness=0.8)


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """The golden manifest, which describes the golden int8 model."""
    return Manifest.from_dict(json.loads((GOLDEN / "manifest.json").read_text("utf-8")))


@pytest.fixture
def golden_bundle(tmp_path: Path, manifest: Manifest) -> Callable[..., Bundle]:
    """Write a bundle of the golden model, or of other bytes, with changes to its manifest."""

    def make(name: str = "golden", *, precision: str = "int8", model: bytes | None = None, **changes: Any) -> Bundle:
        data = (GOLDEN / f"golden-{precision}.tflite").read_bytes() if model is None else model
        about: dict[str, Any] = {"precision": precision, "sha256": sha256_bytes(data)}
        described = replace(manifest, model=replace(manifest.model, **about), **changes)
        return write_bundle(tmp_path / name, described, {"model.tflite": data})

    return make


@pytest.fixture
def bundle(golden_bundle: Callable[..., Bundle]) -> Bundle:
    """A bundle of the golden int8 model."""
    return golden_bundle()


@pytest.fixture
def failed_bundle(golden_bundle: Callable[..., Bundle], manifest: Manifest) -> Bundle:
    """A bundle of the golden int8 model that is said to have missed what was asked of its conversion."""
    assert manifest.parity is not None
    parity = replace(manifest.parity, decision_agreement=0.8, verdict=None).judged(0.98, 0.1)
    return golden_bundle("failed", parity=parity)


@dataclass(frozen=True)
class FixedInterpreter:
    """Gives the same answer to every image."""

    prediction: Prediction
    name: str = "fixed"

    def run(self, tensor: npt.NDArray[np.float32]) -> Prediction:
        return self.prediction


@pytest.fixture
def answering() -> Callable[..., Interpreter]:
    """An interpreter that always answers the given logits, and the given activation map if there is one."""

    def make(logits: object, activation_map: object = None) -> Interpreter:
        maps = None if activation_map is None else np.asarray(activation_map, np.float32)
        return FixedInterpreter(Prediction(np.asarray(logits, np.float32), maps))

    return make
