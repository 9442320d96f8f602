"""What the user is told where the app cannot run; never a black screen without a word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.failure import show_failure, show_unsaved
from osteo_edge.edge_app.android.places import Places
from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.settings import Settings, write_settings
from osteo_edge.errors import OsteoEdgeError

Shown = list[tuple[str, str, str]]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "app", tmp_path / "private")


@pytest.fixture
def shown() -> Shown:
    return []


@pytest.fixture
def show(shown: Shown) -> Callable[[str, str, str], None]:
    return lambda *texts: shown.append(texts)


def test_what_a_user_can_mend_is_shown_and_written_down(
    places: Places, shown: Shown, show: Callable[[str, str, str], None]
) -> None:
    show_failure(places, OsteoEdgeError("/data: cannot be made (No space left); check the disk"), show)
    ((title, text, button),) = shown
    assert (title, button) == ("The app cannot run", "Close")
    assert text == "/data: cannot be made (No space left); check the disk\n\nOsteoEdgeError"
    written = Folders(places.data).log.read_text("utf-8")
    assert "OsteoEdgeError" in written
    assert "No space left" not in written


def test_of_what_nobody_expected_the_kind_and_the_place_are_shown(
    places: Places, shown: Shown, show: Callable[[str, str, str], None]
) -> None:
    try:
        raise ModuleNotFoundError("No module named 'numpy'")
    except ModuleNotFoundError as error:
        show_failure(places, error, show)
    ((_, text, _),) = shown
    assert text.startswith("Something unexpected happened. The log file says more.\n\nModuleNotFoundError at test_fail")
    written = Folders(places.data).log.read_text("utf-8")
    assert "test_failure.py" in written
    assert "ModuleNotFoundError" in written
    assert "numpy" not in written


def test_it_is_shown_where_the_log_cannot_be_written(
    places: Places, shown: Shown, show: Callable[[str, str, str], None]
) -> None:
    places.private.parent.mkdir(parents=True, exist_ok=True)
    places.private.write_text("no folder", "utf-8")
    show_failure(places, MemoryError(), show)
    assert [title for title, _, _ in shown] == ["The app cannot run"]


def test_a_dialog_that_cannot_be_shown_is_no_further_error(places: Places) -> None:
    def refused(*_: str) -> None:
        raise RuntimeError("no activity")

    show_failure(places, MemoryError(), refused)
    show_unsaved(places, ("one",), refused)


def test_it_speaks_the_clinics_language(places: Places, shown: Shown, show: Callable[[str, str, str], None]) -> None:
    write_settings(Folders(places.data).settings, Settings(language="fr"))
    show_failure(places, MemoryError(), show)
    assert "journal" in shown[0][1].lower(), shown


def test_of_many_lines_the_first_are_shown(places: Places, shown: Shown, show: Callable[[str, str, str], None]) -> None:
    show_unsaved(places, tuple(f"screening {number}: not saved" for number in range(9)), show)
    ((title, text, _),) = shown
    assert title == "Not everything could be saved"
    assert text.splitlines() == [*(f"screening {number}: not saved" for number in range(5)), "…"]
