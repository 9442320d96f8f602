import ast
import logging
from pathlib import Path

import pytest

import osteo_edge.edge_app
from osteo_edge.edge_app.log_file import MAX_BYTES, log_to, stop_logging
from osteo_edge.errors import OsteoEdgeError

APP = Path(osteo_edge.edge_app.__file__).parent


def test_errors_of_the_package_go_to_the_file_and_nothing_after_the_end(tmp_path: Path) -> None:
    path, log = tmp_path / "app" / "log.txt", logging.getLogger("osteo_edge.edge_app.jobs")
    handler = log_to(path)
    try:
        log.info("too small to tell")
        log.error("a job failed", exc_info=ValueError("this is why"))
    finally:
        stop_logging(handler)
    log.error("too late")
    text = path.read_text("utf-8")
    assert ("a job failed" in text, "ValueError" in text) == (True, True)
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


def test_neither_file_names_nor_the_words_of_errors_are_written(tmp_path: Path) -> None:
    path, log = tmp_path / "log.txt", logging.getLogger("osteo_edge.test")
    film = tmp_path / "MARIA LOPEZ" / "1947.jpg"
    handler = log_to(path)
    kivy = logging.getLogger("kivy")
    kivy.addHandler(handler)
    try:
        try:
            try:
                film.read_bytes()
            except OSError as error:
                raise OsteoEdgeError(f"{film}: cannot be read") from error
        except OsteoEdgeError as error:
            log.error("a job failed", exc_info=error)
            log.warning("not tidied: %s after %d films in %.1f s", error, 12, 3.25)
        log.warning("the film %s is odd", film.name)
        kivy.warning(f"Image: Unable to load <{film}>")
        kivy.warning(f"{film}: is missing")
        kivy.error("Clock", exc_info=ValueError(film.name))
    finally:
        stop_logging(handler)
        kivy.removeHandler(handler)
    text = path.read_text("utf-8")
    assert not [word for word in ("MARIA", "LOPEZ", "1947", str(tmp_path)) if word in text]
    assert "not tidied: OsteoEdgeError after 12 films in 3.2 s" in text
    assert "the film … is odd" in text
    assert "FileNotFoundError 2\ncaused by" not in text  # the cause comes last
    assert "OsteoEdgeError\ncaused by:\n" in text
    assert "FileNotFoundError 2" in text
    assert "test_log_file.py" in text
    assert "Image: …" in text


def test_what_is_said_with_nothing_to_fill_in_is_always_the_same() -> None:
    """A sentence that was put together before it is logged could not be told from a constant one."""
    loose = list[str]()
    for source in sorted(APP.rglob("*.py")):
        for call in ast.walk(ast.parse(source.read_text("utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in ("warning", "error", "exception", "critical")
                and "log" in ast.unparse(call.func.value).lower()
                and not isinstance(call.args[0], ast.Constant)
            ):
                loose.append(f"{source.name}:{call.lineno}")
    assert loose == []
