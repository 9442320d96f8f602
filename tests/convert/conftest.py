"""A small trained Keras bundle to convert."""

from pathlib import Path

import pytest

from osteo_edge import cli
from osteo_edge.bundle import Bundle, read_bundle


@pytest.fixture(scope="session")
def keras_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """MobileNetV2 0.35 at 96 x 96, trained for a few epochs on drawn films."""
    from osteo_edge.dataset import read_dataset
    from osteo_edge.split import read_split
    from osteo_edge.train.config import TrainConfig
    from osteo_edge.train.training import Job, train_bundle

    folder: Path = tmp_path_factory.mktemp("keras")
    data, split = folder / "phantoms", folder / "split.csv"
    assert cli.run(["data", "phantom", str(data), "--per-class", "20", "--size", "128", "--seed", "3"]) == 0
    assert cli.run(["data", "split", str(data), "--out", str(split)]) == 0
    config = TrainConfig(alpha=0.35, weights="none", side_px=96, epochs=4)
    job = Job(read_dataset(data), read_split(split), config, "small", "phantom")

    def silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        pass

    return read_bundle(train_bundle(job, folder / "small", on_progress=silent).bundle.path)
