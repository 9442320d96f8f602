"""Fixtures of the training tests: a small phantom data set with its split, and a network that it trained."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.console import Advance
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.split import Split, write_split
from osteo_edge.train.audit import audit
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.phantoms import write_phantoms
from osteo_edge.train.splitting import make_split


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Ten drawn films of each class, 96 pixels high."""
    folder = tmp_path_factory.mktemp("data") / "phantoms"
    write_phantoms(folder, per_class=10, size=96, seed=1)
    return read_dataset(folder)


@pytest.fixture(scope="session")
def phantom_split(phantoms: Dataset) -> Split:
    return make_split(audit(phantoms, confounders=False), phantoms, seed=0)


@pytest.fixture(scope="session")
def split_file(phantom_split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The split of the phantoms as a file."""
    path = tmp_path_factory.mktemp("split") / "split.csv"
    write_split(phantom_split, path)
    return path


@pytest.fixture(scope="session")
def silent() -> Advance:
    """A progress that shows nothing."""
    return lambda done, total, note="", stage=None: None


@pytest.fixture(scope="session")
def tiny_config() -> TrainConfig:
    """The settings of `tiny_bundle`."""
    return TrainConfig(alpha=0.35, weights="none", side_px=64, epochs=2, batch_size=8)


@pytest.fixture(scope="session")
def tiny_bundle(
    phantoms: Dataset,
    phantom_split: Split,
    tiny_config: TrainConfig,
    silent: Advance,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bundle:
    """A small network on colour images, hardly trained."""
    from osteo_edge.train.training import Job, train_bundle

    out = tmp_path_factory.mktemp("bundles") / "tiny"
    return train_bundle(Job(phantoms, phantom_split, tiny_config, "tiny", "phantom"), out, on_progress=silent).bundle


@pytest.fixture
def feature_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feature cache of the test's own."""
    monkeypatch.setenv("OSTEO_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def mura_release(tmp_path: Path) -> Callable[..., Path]:
    """Write studies, as folders with their number of images, and their lists as a release of MURA; give its folder."""

    def make(studies: dict[str, int] | None = None, *, name: str = "MURA-v1.1") -> Path:
        root, rng = tmp_path / name, np.random.default_rng(0)
        for folder, images in (MURA_STUDIES if studies is None else studies).items():
            (root / folder).mkdir(parents=True)
            for number in range(1, images + 1):
                pixels = cv2.resize(rng.uniform(20, 230, (9, 7)), (80, 96), interpolation=cv2.INTER_CUBIC)
                cv2.imwrite(str(root / folder / f"image{number}.png"), np.clip(pixels, 0, 255).astype(np.uint8))
        list_mura(root)
        return root

    return make


MURA_STUDIES = {
    "train/XR_ELBOW/patient00001/study1_negative": 2,
    "train/XR_ELBOW/patient00001/study2_positive": 1,
    "train/XR_WRIST/patient00001/study1_positive": 3,
    "train/XR_WRIST/patient00002/study1_negative": 1,
    "valid/XR_ELBOW/patient11185/study1_positive": 2,
    "valid/XR_WRIST/patient11186/study1_negative": 1,
}


def list_mura(root: Path) -> None:
    """Write the four CSV files of a release after its folders."""
    for part in ("train", "valid"):
        images = sorted(path.relative_to(root).as_posix() for path in (root / part).rglob("*.png"))
        studies = sorted({image.rpartition("/")[0] for image in images})
        lines = [f"MURA-v1.1/{image}\n" for image in images if "/._" not in image]
        (root / f"{part}_image_paths.csv").write_text("".join(lines))
        marks = [f"MURA-v1.1/{study}/,{int(study.endswith('positive'))}\n" for study in studies]
        (root / f"{part}_labeled_studies.csv").write_text("".join(marks))
