"""How far an image lies from the films that a model learned from, told by the model's own embedding of it.

The embedding is the pooled output of the network's last layer, divided by the square root of its length. Films differ
in how strong all features are together, which tells little of what they show; but a network that was trained from
scratch knows noise by little else. Its distance is Mahalanobis's (Lee et al. 2018, arXiv 1807.03888) along the main
directions in which the training films differ, and what lies across them is measured as a whole (Moghaddam and Pentland
1997): a thousand features have no covariance that a hundred films tell. Both are 1 for a training film on average.
"""

import io
import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osteo_edge.bundle import Bundle
from osteo_edge.errors import BundleError
from osteo_edge.findings import findings_of
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Familiarity, Manifest

Floats = npt.NDArray[np.floating]
Distances = npt.NDArray[np.float64]

FILE = "familiarity.npz"
DIRECTIONS = 32
IMAGES_PER_DIRECTION = 3
MIN_FITTED = 24
MIN_CHOSEN = 10
"""Fewer images say nothing of the next ones; the model is then given no such statistics."""
MAX_IMAGES = 2000
"""The statistics gain nothing from more, and time grows with them."""
ACCEPTED = 0.98
CONFIDENCE = 0.95
SMALLEST = 1e-12
UNFAMILIAR = "this does not look like the films that the model learned from: use a frontal knee X-ray"
UNFAMILIAR_BONE = (
    "this does not look like the films that the model learned from: use an X-ray of the bone that it knows"
)
NOT_DRAWN = "this does not look like the drawn films that this demonstration learned from: it is not for real X-rays"
DAMAGE = (EOFError, KeyError, MemoryError, OSError, RuntimeError, SyntaxError, ValueError, struct.error)
"""What numpy makes of a file that is none of its own, or that claims arrays that no memory holds."""
ARRAYS = ("mean", "directions", "variances", "rest")


@dataclass(frozen=True, eq=False)
class FilmStatistics:
    """Of the training films' embeddings, `tempered`: `mean` (features,), the main `directions` (k, features),
    orthonormal, the `variances` along them (k,), and `rest`, the mean square of what lies across."""

    mean: Floats
    directions: Floats
    variances: Floats
    rest: float

    def distances(self, embeddings: Floats) -> Distances:
        """The distance of each of (n, features) embeddings, (n,): about 1 for a training film; NaN for no numbers."""
        centred = tempered(embeddings) - self.mean
        along = np.square(centred @ self.directions.T)
        across = np.maximum(np.square(centred).sum(axis=-1) - along.sum(axis=-1), 0.0)
        return np.asarray(np.sqrt(((along / self.variances).mean(axis=-1) + across / self.rest) / 2), np.float64)

    def pack(self) -> bytes:
        """The statistics as a file; float16 is ample for directions, which are most of it."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            mean=self.mean.astype(np.float32),
            directions=self.directions.astype(np.float16),
            variances=self.variances.astype(np.float32),
            rest=np.float32(self.rest),
        )
        return buffer.getvalue()


@dataclass(frozen=True, eq=False)
class KnownFilms:
    """What a bundle is given: the record for its manifest, and the statistics for its file."""

    record: Familiarity
    statistics: FilmStatistics


def tempered(embeddings: Floats) -> Floats:
    """Each of (n, features) divided by the square root of its length; zeros stay zeros.

    >>> tempered(np.array([[0.0, 4.0]]))
    array([[0., 2.]])
    """
    values = np.asarray(embeddings, np.float64)
    return np.asarray(values / np.sqrt(np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), SMALLEST)))


def fit_statistics(embeddings: Floats) -> FilmStatistics:
    """The statistics of training films' embeddings, (n, features); a direction for three films, 32 at most."""
    values = tempered(embeddings)
    mean = values.mean(axis=0)
    centred = values - mean
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    variances = np.square(lengths) / len(values)
    kept = min(DIRECTIONS, len(values) // IMAGES_PER_DIRECTION, len(variances) - 1)
    rest = float(variances[kept:].sum())
    return FilmStatistics(mean, directions[:kept], np.maximum(variances[:kept], SMALLEST), max(rest, SMALLEST))


def choose_threshold(distances: Distances) -> float:
    """The distance above which an image is refused, from those of films that were not fitted on, (n,).

    98 % of such films lie below it, with 95 % confidence: the one-sided tolerance limit of a log-normal distribution
    (Natrella 1963, section 2-2), so the fewer the films, the wider the margin. Never below the 98th percentile.
    """
    logs = np.log(np.maximum(distances, SMALLEST))
    limit = logs.mean() + tolerance_factor(logs.size) * logs.std(ddof=1)
    return max(float(np.exp(limit)), float(np.quantile(distances, ACCEPTED)))


def tolerance_factor(n: int) -> float:
    """How many standard deviations above the mean of `n` normal values 98 % of all lie, with 95 % confidence.

    Natrella's approximation, for n of 4 and more.

    >>> round(tolerance_factor(34), 2), round(tolerance_factor(10_000), 2)
    (2.66, 2.08)
    """
    from statistics import NormalDist  # only for training: screening does not wait for it

    share, sure = NormalDist().inv_cdf(ACCEPTED), NormalDist().inv_cdf(CONFIDENCE)
    a = 1 - sure**2 / (2 * (n - 1))
    b = share**2 - sure**2 / n
    return (share + math.sqrt(share**2 - a * b)) / a


def fit_familiarity(fitting: Floats, choosing: Floats, *, fitted_on: str, chosen_on: str) -> KnownFilms | None:
    """Statistics of the `fitting` embeddings and a threshold by the `choosing` ones, of other films, in words both.

    None where they are too few to say anything, are all the same, or are not all numbers.
    """
    if len(fitting) < MIN_FITTED or len(choosing) < MIN_CHOSEN:
        return None
    if not (np.isfinite(fitting).all() and np.isfinite(choosing).all()):
        return None
    if not np.ptp(fitting, axis=0).any():
        return None
    statistics = fit_statistics(fitting)
    distances = statistics.distances(choosing)
    threshold = choose_threshold(distances)
    record = Familiarity(
        file=FILE,
        threshold=threshold,
        fitted_on=fitted_on,
        fitted_images=len(fitting),
        chosen_on=chosen_on,
        chosen_images=len(choosing),
        refused_share=float(np.mean(distances > threshold)),
    )
    return KnownFilms(record, statistics)


def read_statistics(bundle: Bundle) -> FilmStatistics | None:
    """The statistics that the bundle carries, None if it has none; `BundleError` if they cannot be read.

    They are read once for a bundle, however many films are screened.
    """
    record = bundle.manifest.familiarity
    if record is None:
        return None
    if record.file not in bundle.manifest.files:
        raise BundleError(f"{bundle.path}: holds no {record.file}, which its manifest names; copy the bundle again")
    return _read(bundle.path / record.file, bundle.manifest.files[record.file])


def too_far(distance: float | None, manifest: Manifest) -> tuple[str, ...]:
    """Why an image at this distance must not be answered, in words for the user; empty if it may be, or if the bundle
    has no statistics."""
    record = manifest.familiarity
    if record is None or distance is None or distance <= record.threshold:
        return ()
    return (_refusal(manifest),)


def distance_of(embedding: Floats | None, bundle: Bundle) -> float | None:
    """How far an image with this embedding, (features,), lies from the films that the model learned from.

    None where the bundle has no statistics of them, or the model gives no embedding.
    """
    record, statistics = bundle.manifest.familiarity, read_statistics(bundle)
    if record is None or statistics is None or embedding is None:
        return None
    if embedding.shape != statistics.mean.shape:
        raise BundleError(
            f"{bundle.path / record.file}: is of {statistics.mean.size} features, the model gives {embedding.size}; "
            "convert the bundle again"
        )
    return float(statistics.distances(embedding[np.newaxis])[0])


def _refusal(manifest: Manifest) -> str:
    if manifest.data.label_source == "phantom":
        return NOT_DRAWN
    if manifest.router is not None:
        bones = ", ".join(head.bone for head in manifest.router.heads)
        return (
            "this does not look like the films that the model learned from: "
            f"use an X-ray of a bone that it knows ({bones})"
        )
    return UNFAMILIAR if findings_of(manifest) == ("density",) else UNFAMILIAR_BONE


@lru_cache(maxsize=4)
def _read(path: Path, sha256: str) -> FilmStatistics:
    import lzma  # only for a bundle that has statistics: the others do not wait for it
    import tokenize
    import zipfile
    import zlib

    try:
        content = path.read_bytes()
        if sha256_bytes(content) != sha256:
            raise BundleError(f"{path}: altered since the bundle was written; copy the bundle again")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            mean, directions, variances, rest = (np.asarray(archive[name], np.float64) for name in ARRAYS)
    except (*DAMAGE, lzma.LZMAError, tokenize.TokenError, zipfile.BadZipFile, zlib.error) as error:
        raise BundleError(f"{path}: holds no readable statistics; convert the bundle again") from error
    fits = mean.ndim == 1 and directions.shape == (variances.size, mean.size) and rest.shape == ()
    finite = all(np.isfinite(array).all() for array in (mean, directions, variances, rest))
    if not fits or not finite or variances.ndim != 1 or not variances.size or variances.min() <= 0 or rest <= 0:
        raise BundleError(f"{path}: its statistics are not as they should be; convert the bundle again")
    return FilmStatistics(mean, directions, variances, float(rest))
