"""SQLCipher must be itself: where TensorFlow is loaded first, its SQLite would be taken in its place."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from osteo_edge.edge_app.history import connecting
from osteo_edge.edge_app.history.encrypted import can_encrypt
from osteo_edge.edge_app.history.vault import Keys, VaultError

pytestmark = pytest.mark.skipif(not can_encrypt(), reason="cryptography and sqlcipher3 are not installed")
KEYS: Final = Keys(bytes(range(32)))
STORY: Final = """
import sys
from pathlib import Path
import tensorflow
from osteo_edge.edge_app.history.connecting import connect
from osteo_edge.edge_app.history.vault import Keys
connection = connect(Path(sys.argv[1]), Keys(bytes(range(32))), isolation_level=None)
connection.execute("CREATE TABLE patients (name TEXT)")
connection.execute("INSERT INTO patients VALUES ('LOPEZ')")
connection.close()
"""


@pytest.mark.tf
@pytest.mark.slow
def test_it_encrypts_beside_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    subprocess.run([sys.executable, "-c", STORY, path], check=True, capture_output=True)
    data = path.read_bytes()
    assert b"LOPEZ" not in data
    assert not data.startswith(b"SQLite format 3")
    connection = connecting.connect(path, KEYS)
    assert connection.execute("SELECT name FROM patients").fetchall() == [("LOPEZ",)]
    connection.close()


def test_another_sqlite_in_its_place_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    class Factory(sqlite3.Connection):
        pass

    monkeypatch.setattr(connecting, "_sqlcipher", lambda: (sqlite3, Factory))
    path = tmp_path / "history.sqlite3"
    with pytest.raises(VaultError, match="finds another SQLite in its place"):
        connecting.connect(path, KEYS)
    assert not path.exists() or path.stat().st_size == 0
