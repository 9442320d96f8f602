"""Make the TFLite model of two bones: `python tests/data/make_cascade.py`, needs the train extra.

Like the golden network, small enough to follow by hand: each cell of the activation map sees a 4 x 4 patch of the
canvas. Edges that run down the film speak for an elbow, edges across it for a wrist, 150 times the mean step from one
half of a patch to the other; brightness b in [0, 1] speaks for "abnormal", 12 (b - 0.5), of either bone.
"""

import os
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
import tf_keras as keras

FOLDER = Path(__file__).resolve().parent
SIDE, PATCH, LABELS = 32, 4, 4
EDGES, BRIGHTNESS = 150.0, 12.0


def network() -> Any:
    image = keras.Input(batch_shape=(1, SIDE, SIDE, 3), name="image")
    patches = keras.layers.Conv2D(5, PATCH, strides=PATCH, activation="relu", name="patches")
    maps = keras.layers.Conv2D(LABELS, 1, name="activation_map")
    activation_map = maps(patches(image))
    logits = keras.layers.GlobalAveragePooling2D(name="logits")(activation_map)
    patches.set_weights([np.stack(filters(), axis=-1), np.array([0.5, 0, 0, 0, 0])])
    maps.set_weights([pointwise()[np.newaxis, np.newaxis], np.array([0.0, -BRIGHTNESS / 2] * 2)])
    return keras.Model(image, [logits, activation_map])


def filters() -> list[Any]:
    """Of values in [-1, 1]: the brightness, and the steps to the right, to the left, downwards and upwards."""
    each = 1 / (2 * PATCH * PATCH * 3)
    brightness = np.full((PATCH, PATCH, 3), each)
    right = brightness * np.repeat([-1, 1], PATCH // 2)[np.newaxis, :, np.newaxis]
    down = np.swapaxes(right, 0, 1)
    return [brightness, right, -right, down, -down]


def pointwise() -> Any:
    """(features, labels): elbow normal, elbow abnormal, wrist normal, wrist abnormal."""
    steps_across, steps_down = [[EDGES, EDGES, 0, 0]] * 2, [[0, 0, EDGES, EDGES]] * 2
    return np.array([[0, BRIGHTNESS, 0, BRIGHTNESS], *steps_across, *steps_down])


def main() -> None:
    model = tf.lite.TFLiteConverter.from_keras_model(network()).convert()
    (FOLDER / "cascade-float32.tflite").write_bytes(model)


if __name__ == "__main__":
    main()
