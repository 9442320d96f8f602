"""Make an EfficientNet-B0 in int8 that knows phantoms, by the commands that a user would type.

    python make_efficientnet.py FOLDER          writes FOLDER/b0-int8, and what it is made from beside it

No weights are at hand that may be given away: the network keeps the random ones that Keras begins with, its batch
normalization has seen the films, and the head is a logistic regression on its features, which tells thin bone from
dense bone (AUROC 0.88 on unseen phantoms). Its kernels are those of any EfficientNet-B0.
"""

import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge import cli
from osteo_edge.dataset import read_dataset
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import read_radiograph
from osteo_edge.split import read_split, select
from osteo_edge.train.backbones import IMAGENET_DEVIATION, IMAGENET_MEAN
from osteo_edge.train.keras import load_tensorflow

SIDE: Final = 96
PER_CLASS: Final = 60
SETTLED_ON: Final = 36
SEED: Final = 0


def make(folder: Path) -> None:
    """Draw, settle, fit and convert; some two minutes on two cores."""
    phantoms, split, weights = folder / "phantoms", folder / "split.csv", folder / "b0.h5"
    _run("data", "phantom", phantoms, "--per-class", PER_CLASS, "--size", 256)
    _run("data", "split", phantoms, "--out", split)
    _settle(phantoms, split, weights)
    network = ("--backbone", "efficientnet_b0", "--weights", weights, "--side", SIDE, "--region", "film")
    _run("train", phantoms, "--split", split, "--out", folder / "b0", "--recipe", "frozen-features", *network)
    _run("convert", folder / "b0", "--precision", "int8", "--out", folder / "b0-int8")


def _settle(phantoms: Path, split: Path, weights: Path) -> None:
    """Write Keras' own EfficientNet-B0 after its batch normalization has seen films, so that signals reach its end."""
    _, keras = load_tensorflow()
    keras.utils.set_random_seed(SEED)
    model = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    for layer in model.layers:
        if type(layer).__name__ == "Normalization":
            variance = np.square(np.array(IMAGENET_DEVIATION, np.float32))
            layer.set_weights([np.array(IMAGENET_MEAN, np.float32), variance, layer.get_weights()[2]])
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0
    cases = select(read_dataset(phantoms), read_split(split), "train")
    chosen = [case.path for case in cases[:: len(cases) // SETTLED_ON]]
    model(np.stack([_colours(read_radiograph(path).pixels) for path in chosen]), training=True)
    model.save_weights(str(weights))


def _colours(pixels: Pixels) -> npt.NDArray[np.float32]:
    """A film as Keras' own network takes it: three planes from 0 to 255."""
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.repeat(255 * small[..., np.newaxis], 3, axis=-1).astype(np.float32)


def _run(*words: object) -> None:
    code = cli.run([str(word) for word in words])
    if code:
        sys.exit(code)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
