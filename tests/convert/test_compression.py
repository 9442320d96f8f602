"""Networks for devices in every precision, and what is left in floating point where that is chosen."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.convert.compression import Job, Made, compress
from osteo_edge.convert.drafts import draft_logits
from osteo_edge.convert.parity import keras_logits
from osteo_edge.convert.recipe import Recipe
from osteo_edge.convert.tflite import load_keras
from osteo_edge.manifest import Manifest, Outputs
from osteo_edge.preprocessing import Pixels, normalize
from osteo_edge.samples import CALIBRATION, SAMPLES_FILE, pack_samples, read_samples
from osteo_edge.train.backbones import input_spec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.keras_bundle import model_bytes, model_file
from osteo_edge.train.models import build

pytestmark = [pytest.mark.tf, pytest.mark.slow]

SIDE = 64
ENGINES: tuple[Any, ...] = ("ai-edge-quantizer", "tflite-converter")
QUICK: dict[str, Any] = {"ranges": "min-max", "equalize": False, "compensate": False, "correct_logits": False}
"""What takes long and has tests of its own."""


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Source:
    """A Keras bundle, its model, and the model's logits for the calibration images."""

    bundle: Bundle
    model: Any
    expected: Pixels

    def made(self, recipe: Recipe) -> Made:
        planes = read_samples(self.bundle, CALIBRATION)
        return compress(Job(self.bundle, self.model, recipe, planes, None, _silent))

    def error(self, made: Made) -> float:
        """Mean error of the logits in units of how much they differ from image to image."""
        found = draft_logits(self.bundle, made.data, read_samples(self.bundle, CALIBRATION))
        return float(np.abs(found - self.expected).mean() / self.expected.std(axis=0).mean())


def _source(bundle: Bundle) -> Source:
    model = load_keras(bundle)
    return Source(bundle, model, keras_logits(model, read_samples(bundle, CALIBRATION), bundle.manifest.input))


def _in_float(made: Made) -> set[str]:
    found: set[str] = set(made.found["in_float"])
    return found


@pytest.fixture(scope="module")
def efficientnet(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """An untrained EfficientNet-B0 whose batch normalization knows its images, so that signals reach the head."""
    rng = np.random.default_rng(0)
    rows = np.arange(SIDE)[:, np.newaxis]
    stripes = np.stack([np.sin(rows / rng.uniform(1, 8)) * rng.uniform(0, 0.4) for _ in range(32)])
    planes = np.clip(0.5 + stripes + rng.normal(0, 0.1, (32, SIDE, SIDE)), 0, 1).astype(np.float32)
    config = TrainConfig(backbone="efficientnet_b0", weights="none", side_px=SIDE)
    spec = input_spec(config)
    model = build(config, spec).model
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0
    model(normalize(planes, spec), training=True)
    data = model_bytes(model)
    golden = Path(__file__).resolve().parent.parent / "data" / "manifest.json"
    manifest = Manifest.from_dict(json.loads(golden.read_text("utf-8")))
    described = replace(manifest, model=model_file(model, data), input=spec, outputs=Outputs(0, 1), parity=None)
    files = {described.model.file: data, SAMPLES_FILE: pack_samples({CALIBRATION: planes})}
    return _source(write_bundle(tmp_path_factory.mktemp("b0") / "b0", described, files))


@pytest.fixture(scope="module")
def mobilenet(keras_bundle: Bundle) -> Source:
    return _source(keras_bundle)


@pytest.mark.parametrize(
    ("precision", "bytes_at_most", "error_at_most"),
    [
        ("float16", 8_300_000, 0.02),
        ("dynamic", 4_700_000, 0.15),
        ("int8", 5_100_000, 0.6),
        ("int16x8", 5_300_000, 0.1),
        ("mixed", 9_000_000, 0.6),
    ],
)
def test_efficientnet_answers_in_every_precision(
    precision: Any, bytes_at_most: int, error_at_most: float, efficientnet: Source
) -> None:
    named = ("stem", "block1a") if precision == "mixed" else None
    recipe = Recipe(precision, mixed=named, **QUICK)
    made = efficientnet.made(recipe)
    assert len(made.data) < bytes_at_most
    assert efficientnet.error(made) < error_at_most
    if precision == "mixed":
        assert {"stem_activation", "block1a_dwconv", "block1a_se_excite"} <= _in_float(made)


def test_layers_are_chosen_that_bring_the_answers_nearer(mobilenet: Source) -> None:
    int8 = mobilenet.made(Recipe("int8", **QUICK))
    mixed = mobilenet.made(Recipe("mixed", mixed_share=0.2, mixed_difference=1e-6, **QUICK))
    assert _in_float(mixed)
    assert _in_float(mixed) <= {layer.name for layer in mobilenet.model.layers}
    assert mobilenet.error(mixed) < mobilenet.error(int8)
    assert len(mixed.data) < 1.5 * len(int8.data)
    again = mobilenet.made(Recipe("mixed", mixed=tuple(mixed.found["in_float"]), **QUICK))
    assert _in_float(again) == _in_float(mixed)


@pytest.mark.parametrize("precision", ["int16x8", "dynamic"])
def test_the_other_engine_makes_much_the_same(precision: Any, mobilenet: Source) -> None:
    made = [mobilenet.made(Recipe(precision, engine=engine, **QUICK)) for engine in ENGINES]
    assert max(map(mobilenet.error, made)) < 0.15
    assert len(made[0].data) == pytest.approx(len(made[1].data), rel=0.1)
