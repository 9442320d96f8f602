"""pyarrow, imported when an archive is screened and not before."""

from typing import Any

from osteo_edge.extras import load_extra

FEATURE = "screening an archive"


def pyarrow() -> Any:
    """The module `pyarrow`; MissingExtraError where it is not installed."""
    return load_extra(["pyarrow"], feature=FEATURE, package="pyarrow", extra="archive")[0]


def parquet() -> Any:
    """The module `pyarrow.parquet`; MissingExtraError where it is not installed."""
    return load_extra(["pyarrow.parquet"], feature=FEATURE, package="pyarrow", extra="archive")[0]
