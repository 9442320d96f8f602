import logging
from pathlib import Path

import pytest

from osteo_edge.edge_app.log_file import MAX_BYTES, log_to, stop_logging
from osteo_edge.errors import OsteoEdgeError


def test_errors_of_the_package_go_to_the_file_and_nothing_after_the_end(tmp_path: Path) -> None:
    path, log = tmp_path / "app" / "log.txt", logging.getLogger("osteo_edge.edge_app.jobs")
    handler = log_to(path)
    try:
        log.info("too small to tell")
        log.error("a job failed: %s", "\udcff", exc_info=ValueError("this is why"))
    finally:
        stop_logging(handler)
    log.error("too late")
    text = path.read_text("utf-8")
    assert ("a job failed: ?" in text, "ValueError: this is why" in text) == (True, True)
    assert "too" not in text


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    path, log = tmp_path / "log.txt", logging.getLogger("osteo_edge.test")
    handler = log_to(path)
    try:
        for _ in range(40):
            log.error("x" * 100_000)
    finally:
        stop_logging(handler)
    files = list(tmp_path.iterdir())
    assert len(files) == 2
    assert sum(file.stat().st_size for file in files) <= 2 * MAX_BYTES


def test_a_place_that_cannot_be_written_gives_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OsteoEdgeError, match=r"log\.txt: the log cannot be written"):
        log_to(tmp_path / "file" / "log.txt")
