"""Features of a frozen backbone, computed once for each image and kept between runs."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge import knee_template
from osteo_edge.hashing import sha256_file
from osteo_edge.preprocessing import InputSpec, Pixels, normalize
from osteo_edge.strict import to_dict
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network, weights_digest

BATCH = 16


def cache_folder() -> Path:
    """Where features are kept: `OSTEO_EDGE_CACHE`, else the user's cache folder (XDG base directories)."""
    root = os.environ.get("OSTEO_EDGE_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "osteo-edge" / "features"


def frozen_features(
    network: Network,
    part: Labelled,
    spec: InputSpec,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pixels:
    """Pooled features of the backbone, (n, channels) float32, from the cache where it has them.

    The key is the backbone's weights, the input spec, the template of the knees where they are cut out, and the image
    file's SHA-256, so an altered one never matches.
    """
    folder = cache_folder() / _key(network, spec)
    files = [folder / f"{digest}.npy" for digest in part.sha256s]
    missing = [number for number, file in enumerate(files) if not file.is_file()]
    compute = _pooled(network)
    for start in range(0, len(missing), BATCH):
        numbers = missing[start : start + BATCH]
        values = compute(normalize(part.planes(np.array(numbers)), spec)).numpy()
        for number, row in zip(numbers, values, strict=True):
            _save(files[number], row)
        on_progress(start + len(numbers), len(missing))
    return np.stack([np.load(file) for file in files])


def _pooled(network: Network) -> Any:
    tensorflow, _ = load_tensorflow()
    return tensorflow.function(lambda batch: tensorflow.reduce_mean(network.backbone(batch, training=False), (1, 2)))


def _key(network: Network, spec: InputSpec) -> str:
    facts = [weights_digest(network.backbone), to_dict(spec)]
    if spec.resize == "knees":
        facts.append(sha256_file(knee_template.FILE))  # with another template, knees are found elsewhere
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _save(file: Path, values: Pixels) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as partial:
        np.save(partial, values)
    Path(partial.name).replace(file)
