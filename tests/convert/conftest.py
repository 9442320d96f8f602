"""A small trained Keras bundle to convert."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.recipe import PLAIN, Recipe
from osteo_edge.dataset import read_dataset
from osteo_edge.train.audit import audit
from osteo_edge.train.config import KNEE_LABELS, TrainConfig
from osteo_edge.train.splitting import make_split
from osteo_edge.train.training import Job, train_bundle

PER_LABEL = 60
PERIODS_PX = (8, 14, 24)


@pytest.fixture(scope="session")
def keras_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """MobileNetV2 0.35 at 96 x 96 that has learnt to tell stripes of three widths apart, under the knees' labels."""
    folder = tmp_path_factory.mktemp("keras")
    _draw_stripes(folder / "stripes")
    dataset = read_dataset(folder / "stripes")
    split = make_split(audit(dataset, confounders=False), dataset)
    config = TrainConfig(alpha=0.35, weights="none", side_px=96, epochs=25, patience=25, batch_size=8)
    trained = train_bundle(Job(dataset, split, config, "small", "drawn"), folder / "small", on_progress=_silent)
    assert min(trained.fit.validation_losses) < 0.5, "the model to convert has learnt nothing"
    return trained.bundle


@pytest.fixture(scope="session")
def plain_int8(keras_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The same in int8 by TensorFlow's converter alone, with nothing done to lose less."""
    out = tmp_path_factory.mktemp("plain") / "int8"
    return convert_bundle(keras_bundle, Recipe("int8", **PLAIN), out, on_progress=_silent)


def _silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


def _draw_stripes(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for label, period in zip(KNEE_LABELS, PERIODS_PX, strict=True):
        (folder / label).mkdir(parents=True)
        for number in range(PER_LABEL):
            rows = np.arange(96)[:, np.newaxis] + rng.uniform(0, period)
            stripes = 128 + 60 * np.sin(2 * np.pi * rows / period) + rng.normal(0, 25, (96, 96))
            cv2.imwrite(str(folder / label / f"{number}.png"), np.clip(stripes, 0, 255).astype(np.uint8))
