import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.locking import in_turn, sole_use

HOLD = """
import sys
from pathlib import Path
from osteo_edge.locking import sole_use
with sole_use(Path(sys.argv[1]), "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_holder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with (
        sole_use(tmp_path / "new", "busy"),
        pytest.raises(OsteoEdgeError, match="busy"),
        sole_use(tmp_path / "new", "busy"),
    ):
        pass
    with sole_use(tmp_path / "new", "busy"):
        pass


def test_the_lock_of_a_program_that_was_killed_is_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OsteoEdgeError, match="busy"), sole_use(tmp_path, "busy"):
            pass
        holder.kill()
        holder.wait()
        with sole_use(tmp_path, "busy"):
            pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OsteoEdgeError, match="cannot be written"), sole_use(tmp_path / "file" / "folder", "busy"):
        pass


def test_the_lock_is_not_handed_on_unless_asked(tmp_path: Path) -> None:
    with sole_use(tmp_path, "busy") as lock:
        assert not os.get_inheritable(lock)


def test_those_who_wait_for_their_turn_come_one_after_another(tmp_path: Path) -> None:
    count, within = tmp_path / "count", list[int]()

    def add() -> None:
        for _ in range(20):
            with in_turn(tmp_path / "new", "count.lock"):
                within.append(1)
                assert len(within) == 1
                count.write_text(str(int(count.read_text()) + 1))
                within.clear()

    count.write_text("0")
    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text() == "60"


def test_a_turn_that_does_not_come_is_told(tmp_path: Path) -> None:
    with (
        in_turn(tmp_path, "a.lock"),
        in_turn(tmp_path, "b.lock"),
        pytest.raises(OsteoEdgeError, match="another window is busy there: try again"),
        in_turn(tmp_path, "a.lock", patience_s=0.05),
    ):
        pass
