"""Screen the films that a pandas data frame names: what Spark's `mapInPandas` and Dask's `map_partitions` call.

The process in which they call it keeps an interpreter; its threads take turns.
"""

from pathlib import Path
from threading import Lock
from typing import Any, Final

from osteo_edge.archive.film import Film
from osteo_edge.archive.row import table_of
from osteo_edge.archive.worker import FilmScreener
from osteo_edge.bundle import read_manifest
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.extras import load_extra
from osteo_edge.manifest import Manifest

COLUMN: Final = "film"
_one_at_a_time = Lock()


def screen_frame(frame: Any, bundle: str) -> Any:
    """A data frame with a row for each film whose path stands in the column "film" of `frame`, in their order.

    Its columns are those of `osteo_edge.archive.row.schema_of`. OsteoEdgeError for what is not wrong with a film.
    """
    _require_pandas()
    if COLUMN not in frame.columns:
        raise OsteoEdgeError(f"the data frame has no column {COLUMN!r}; call the one of the films' paths so")
    films = [Film(str(path), Path(path)) for path in frame[COLUMN]]
    with _one_at_a_time:
        screener = _kept.screener(Path(bundle))
        return table_of(screener.rows(films), screener.manifest).to_pandas()


def empty_frame(bundle: str) -> Any:
    """The same without a row, to tell Dask of its columns."""
    _require_pandas()
    return table_of([], read_manifest(Path(bundle))).to_pandas()


def _require_pandas() -> None:
    load_extra(["pandas"], feature="screening data frames", package="pandas", extra="cluster")


class _Kept:
    """The screener of the bundle that was last asked for, as long as that stays as it is."""

    def __init__(self) -> None:
        self._of: tuple[Path, Manifest] | None = None
        self._screener: FilmScreener | None = None

    def screener(self, bundle: Path) -> FilmScreener:
        wanted = bundle, read_manifest(bundle)
        if self._screener is None or wanted != self._of:
            self.close()
            self._screener, self._of = FilmScreener(bundle), wanted
        return self._screener

    def close(self) -> None:
        if self._screener is not None:
            self._screener.close()
            self._screener = None


_kept = _Kept()
