"""Fixtures of the training tests: a small phantom data set with its split."""

from pathlib import Path

import pytest

from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.split import Split
from osteo_edge.train.audit import audit
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


@pytest.fixture
def feature_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feature cache of the test's own."""
    monkeypatch.setenv("OSTEO_EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
