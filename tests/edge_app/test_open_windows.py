import subprocess
import sys
from pathlib import Path

import pytest

from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.open_windows import OpenWindow

OPEN = """
import sys
from pathlib import Path
from osteo_edge.edge_app.open_windows import OpenWindow
print(OpenWindow(Path(sys.argv[1])).show_itself(), flush=True)
sys.stdin.read()
"""


def test_a_window_is_seen_by_the_others_until_it_is_closed(tmp_path: Path) -> None:
    here, other = OpenWindow(tmp_path / "windows"), OpenWindow(tmp_path / "windows")
    shown = here.show_itself()
    assert here.show_itself() == shown
    assert other.is_other(shown)
    assert not here.is_other(shown)
    here.close()
    here.close()
    assert not other.is_other(shown)
    assert list((tmp_path / "windows").iterdir()) == []


def test_a_window_that_was_killed_is_open_no_more(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = process.stdout.readline().strip()
        here = OpenWindow(tmp_path)
        assert here.is_other(shown)
        process.kill()
        process.wait()
    assert not here.is_other(shown)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../settings.json", "0" * 32, "x" * 32])
def test_what_is_no_window_is_not_open_and_nothing_is_touched(tmp_path: Path, name: str) -> None:
    kept = tmp_path / "settings.json"
    kept.write_text("{}")
    (tmp_path / "windows").mkdir()
    assert not OpenWindow(tmp_path / "windows").is_other(name)
    assert kept.exists()


def test_a_disk_that_takes_no_mark_is_told(tmp_path: Path) -> None:
    (tmp_path / "windows").write_text("in the way")
    with pytest.raises(HistoryError, match="the form was not kept"):
        OpenWindow(tmp_path / "windows").show_itself()
