"""Where the app writes down what no user can mend, for whoever looks after the device."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from osteo_edge.errors import OsteoEdgeError

NAME: Final = "osteo_edge"
MAX_BYTES: Final = 2**20
OLDER_FILES: Final = 1


def log_to(path: Path) -> logging.Handler:
    """Let the warnings and errors of this package go to a file, of 2 MiB at most with the one before it.

    The file holds tracebacks and file names. Gives the handler, to be removed by `stop_logging`.
    `OsteoEdgeError` if the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path, maxBytes=MAX_BYTES, backupCount=OLDER_FILES, encoding="utf-8", errors="replace"
        )
    except OSError as error:
        raise OsteoEdgeError(
            f"{path}: the log cannot be written ({error.strerror or error}); check the disk"
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger(NAME).addHandler(handler)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """End the log that `log_to` began."""
    logging.getLogger(NAME).removeHandler(handler)
    handler.close()
