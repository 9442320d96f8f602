"""The statistics of a model's films, in a file that the manifest names with its right hash."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from osteo_edge import familiarity
from osteo_edge.bundle import Bundle
from osteo_edge.familiarity import FilmStatistics, fit_statistics, read_statistics
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Familiarity
from tests.fuzz.golden import golden_bundle
from tests.fuzz.scratch import scratch_folder

RECORD = Familiarity("familiarity.npz", 1.5, "train", 40, "validation", 20, 0.02)


def read(data: bytes) -> FilmStatistics | None:
    folder = scratch_folder()
    (folder / RECORD.file).write_bytes(data)
    outputs = replace(golden_bundle().manifest.outputs, embedding=2)
    manifest = replace(
        golden_bundle().manifest, outputs=outputs, familiarity=RECORD, files={RECORD.file: sha256_bytes(data)}
    )
    statistics = read_statistics(Bundle(folder, manifest))
    assert statistics is not None
    statistics.distances(np.zeros((1, statistics.mean.size)))
    return statistics


def seeds() -> Iterator[bytes]:
    embeddings = np.random.default_rng(0).random((30, 8))
    yield fit_statistics(embeddings).pack()
    assert RECORD.file == familiarity.FILE
