"""Make the golden TFLite models and the golden manifest: `python tests/data/make_golden.py`, needs the train extra.

The network is small enough to follow by hand. Each cell of the activation map sees a 4 x 4 patch of the canvas: with
b its mean brightness in [0, 1], the maps are 4 (1 - b) for "normal", 1 for "osteopenia" and 6 b for "osteoporosis";
the logits are their means. So a brighter image scores higher, and evidence lies where the image is bright.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tf_keras as keras

FOLDER = Path(__file__).resolve().parent
LABELS = ["normal", "osteopenia", "osteoporosis"]
SIDE, PATCH = 32, 4


def network() -> Any:
    image = keras.Input(batch_shape=(1, SIDE, SIDE, 3), name="image")
    patches = keras.layers.Conv2D(2, PATCH, strides=PATCH, activation="relu", name="patches")
    maps = keras.layers.Conv2D(len(LABELS), 1, name="activation_map")
    activation_map = maps(patches(image))
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    brightness = np.full((PATCH, PATCH, 3, 1), 1 / (2 * PATCH * PATCH * 3))  # of values in [-1, 1]
    patches.set_weights([np.concatenate([brightness, -brightness], axis=-1), np.array([0.5, 0.5])])
    maps.set_weights([np.array([[[[0.0, 0.0, 6.0], [4.0, 0.0, 0.0]]]]), np.array([0.0, 1.0, 0.0])])
    return keras.Model(image, [logits, activation_map])


def examples() -> Iterator[list[Any]]:
    rng = np.random.default_rng(0)
    for brightness in np.linspace(0, 1, 33):
        noise = rng.uniform(-1, 1, (1, SIDE, SIDE, 1)) * min(brightness, 1 - brightness)
        yield [np.repeat((brightness + noise) * 2 - 1, 3, axis=-1).astype(np.float32)]


def converter() -> Any:
    return tf.lite.TFLiteConverter.from_keras_model(network())


def float32_model() -> bytes:
    return bytes(converter().convert())


def int8_model() -> bytes:
    quantizing = converter()
    quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
    quantizing.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    quantizing.representative_dataset = examples
    quantizing.inference_input_type = quantizing.inference_output_type = tf.int8
    return bytes(quantizing.convert())


def manifest(model: bytes) -> dict[str, Any]:
    """A manifest in which every field holds something; `files` names a card that is not kept here."""
    interpreter = tf.lite.Interpreter(model_content=model)
    places = {len(detail["shape"]): place for place, detail in enumerate(interpreter.get_output_details())}
    metric = {"value": 0.84, "low": 0.75, "high": 0.91, "n": 120, "part": "test, before conversion"}
    undefined = {"value": None, "low": None, "high": None, "n": 0, "part": "test, before conversion"}
    return {
        "schema": 1,
        "name": "golden",
        "version": "1",
        "created_by": "tests/data/make_golden.py",
        "created_at": "2025-01-01T00:00:00+00:00",
        "intended_use": "Tests of osteo-edge only. Must not be used on patients.",
        "model": {
            "file": "model.tflite",
            "format": "tflite",
            "precision": "int8",
            "sha256": hashlib.sha256(model).hexdigest(),
            "parameters": 107,
            "macs": 6528,
        },
        "parent": {"sha256": "a" * 64, "recipe": {"convert": {"precision": "int8"}, "parent": {"weights": "by hand"}}},
        "input": {
            "height": SIDE,
            "width": SIDE,
            "channels": 3,
            "resize": "letterbox",
            "filters": [],
            "normalization": {"scale": [2.0] * 3, "offset": [-1.0] * 3},
        },
        "outputs": {"logits": places[2], "activation_map": places[4], "severity": None},
        "labels": LABELS,
        "calibration": {"method": "temperature", "temperature": 1.0, "fitted_on": "validation"},
        "decision": {
            "positive_labels": LABELS[1:],
            "threshold": 0.6,
            "target_sensitivity": 0.9,
            "abstain_low": 0.4,
            "abstain_high": 0.6,
            "chosen_on": "validation",
        },
        "gate": {"min_side_px": 160, "min_contrast": 0.04, "max_chroma": 0.06, "modalities": ["CR", "DX"]},
        "parity": {
            "reference_sha256": "a" * 64,
            "images": "validation images",
            "n": 40,
            "largest_difference": 0.02,
            "mean_difference": 0.004,
            "decision_agreement": 0.975,
            "verdict": {"min_agreement": 0.98, "max_mean_difference": 0.1, "passed": True},
        },
        "metrics": {"AUROC osteopenia or osteoporosis": metric, "sensitivity": undefined},
        "data": {
            "name": "drawn",
            "counts": {"train": {"normal": 60, "osteopenia": 60, "osteoporosis": 60}, "test": {"normal": 40}},
            "split_rule": "by duplicate group",
            "split_sha256": "b" * 64,
            "label_source": "phantom",
        },
        "files": {"MODEL_CARD.md": "c" * 64},
    }


def main() -> None:
    quantized = int8_model()
    (FOLDER / "golden-float32.tflite").write_bytes(float32_model())
    (FOLDER / "golden-int8.tflite").write_bytes(quantized)
    (FOLDER / "manifest.json").write_text(json.dumps(manifest(quantized), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
