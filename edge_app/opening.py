"""Opening the model in use: by the processor, or by a GPU that has shown that it answers the same."""

from collections.abc import Callable
from pathlib import Path

from osteo_edge import litert_gpu
from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.litert_trial import open_fastest
from osteo_edge.preflight import open_checked
from osteo_edge.preprocessing import Tensor, lay_out, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter


def open_model(
    bundle: Bundle, *, mark: Path, threads: int | None = None, tell: Callable[[str], None] = lambda line: None
) -> Interpreter:
    """As `open_checked`; on a phone, where the app was built with LiteRT's GPU delegate, as `open_fastest`."""
    if not litert_gpu.is_prepared():
        return open_checked(bundle, threads=threads, tell=tell)
    return open_fastest(bundle, _films(bundle), mark=mark, threads=threads, tell=tell)


def _films(bundle: Bundle) -> tuple[Tensor, ...]:
    """The drawn film, as it is and as a negative: two answers of a model that are not alike."""
    pixels, spec = read_radiograph(DRAWN_FILM).pixels, bundle.manifest.input
    return tuple(to_tensor(each, spec, lay_out(each, spec)) for each in (pixels, 1 - pixels))
