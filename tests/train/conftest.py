"""Fixtures of the training tests: a small phantom data set with its split, and a network that it trained."""

from pathlib import Path

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
