"""Whether an Android device's GPU may compute a model: it must be known to work, and show that it does.

A driver may compute something else than the processor does, or end the whole app. So the GPU answers beside the
processor first, and a mark on the disk tells the next start if it did not survive that.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from osteo_edge import litert_gpu
from osteo_edge.backends import ANDROID, ANDROID_GPU
from osteo_edge.bundle import Bundle
from osteo_edge.durable import write_durably
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Floats, Interpreter, Prediction, open_interpreter

TOLERANCE: Final = 0.02
"""By how much a value may differ: of an output, as a share of its largest, but of 1 at least. For logits that is half a
hundredth of probability between two labels. An integer model is computed in floating point by a GPU, and differs more
where its steps are coarse."""


def open_fastest(
    bundle: Bundle,
    films: Sequence[Tensor],
    *,
    mark: Path,
    threads: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Interpreter:
    """As `open_interpreter` in an Android app, on the GPU if that answers the prepared `films` as the processor does.

    `tell` hears in one line why it does not. While the GPU is tried, the file `mark` is on the disk; one that is there
    already says that this version of LiteRT has ended the app then, or hung, and that GPU is not tried again.
    """
    if not films:
        raise ValueError("nothing to try the GPU with")
    safe = open_interpreter(bundle, backend=ANDROID, threads=threads)
    fast, reason = None, _objection(mark)
    if reason is None:
        fast, reason = _try_out(bundle, films, safe, mark)
    if fast is None:
        tell(f"the GPU is not used: {reason}")
        return safe
    return fast


def difference(expected: Prediction, found: Prediction) -> str | None:
    """In what the GPU's answer is another one than the processor's; None if it is the same."""
    for name in ("logits", "activation_map", "severity", "embedding"):
        wanted, got = getattr(expected, name), getattr(found, name)
        if wanted is not None and not _is_close(wanted, got):
            return f"{name.replace('_', ' ')} {_how_far(wanted, got)}"
    if not np.array_equal(np.argsort(expected.logits), np.argsort(found.logits)):
        return "the labels come in another order"
    return None


def _objection(mark: Path) -> str | None:
    """Why the GPU is not even tried; None if it may be."""
    if not litert_gpu.is_prepared():
        return "this app has no GPU delegate"
    version = litert_gpu.runtime_version()
    try:
        if mark.read_text("utf-8").strip() == version:
            return f"LiteRT {version} did not come back from it the last time"
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        return f"{mark} cannot be read"
    try:
        return None if litert_gpu.is_listed() else "this device is not on LiteRT's list"
    except RuntimeError as error:
        return f"LiteRT's list of devices cannot be asked ({error})"


def _try_out(
    bundle: Bundle, films: Sequence[Tensor], safe: Interpreter, mark: Path
) -> tuple[Interpreter | None, str | None]:
    """An interpreter on the GPU, or None and what is wrong with it."""
    try:
        write_durably(mark, litert_gpu.runtime_version().encode(), "the mark of the GPU's trial")
        fast = open_interpreter(bundle, backend=ANDROID_GPU)
        for film in films:
            reason = difference(safe.run(film), fast.run(film))
            if reason is not None:
                return None, reason
        return fast, None
    except (OsteoEdgeError, RuntimeError) as error:
        return None, str(error)
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)


def _is_close(wanted: Floats, got: Floats) -> bool:
    return bool(np.isfinite(got).all() and np.abs(wanted - got).max() <= TOLERANCE * max(1.0, np.abs(wanted).max()))


def _how_far(wanted: Floats, got: Floats) -> str:
    return f"off by {np.abs(wanted - got).max():.3g}" if np.isfinite(got).all() else "without a number"
