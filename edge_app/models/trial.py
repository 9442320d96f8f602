"""Whether a bundle may be used on this device: its files are whole, its check was passed, and it answers a film."""

import math
from pathlib import Path

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.errors import BundleError
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import open_interpreter
from osteo_edge.screening import Screening, require_for_patients, screen
from osteo_edge.trust import require_trusted
from osteo_edge.verdict import shortfall


def read_usable(path: Path) -> Bundle:
    """Read and verify the bundle in `path`, and see whether it may be used on this device; raises `BundleError`."""
    bundle = read_bundle(path)
    require_trusted(bundle)
    require_usable(path, bundle.manifest)
    return bundle


def require_usable(path: Path, manifest: Manifest) -> None:
    """Raise `BundleError` for a model that is no TFLite, failed its check, or is for comparison only."""
    if manifest.model.format != "tflite":
        raise BundleError(f"{path}: a {manifest.model.format} model, not for this device; ask for the TFLite one")
    require_for_patients(path, manifest)
    failure = shortfall(manifest.parity)
    if failure is not None:
        raise BundleError(f"{path}: failed its check after conversion ({failure}); choose another model")


def try_out(path: Path, *, film: Path = DRAWN_FILM) -> tuple[Bundle, Screening]:
    """Verify the bundle in `path`, load it into the runtime and have it answer a film.

    What it answers does not matter, a model of another body part may say anything; that it gives a number does. One
    that tells bones apart is told its first one: which bone it takes the film for does not matter either. Raises
    `BundleError` that says what is wrong, and `OsteoEdgeError` where no runtime is installed.
    """
    bundle = read_usable(path)
    interpreter = open_interpreter(bundle, threads=1)
    try:
        _, screening = screen(film, bundle, interpreter, trial_bone(bundle.manifest), any_film=True)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BundleError(f"{path}: does not run on this device ({reason}); choose another model") from error
    if screening.outcome == "rejected":
        raise BundleError(f"{path}: rejects a drawn film ({screening.reasons[0]}); choose another model")
    if screening.score is None or not math.isfinite(screening.score):
        raise BundleError(f"{path}: gives no number for a drawn film; choose another model")
    return bundle, screening


def trial_bone(manifest: Manifest) -> str | None:
    """The bone that a model which tells bones apart is tried out on; None for others."""
    return None if manifest.router is None else manifest.router.heads[0].bone
