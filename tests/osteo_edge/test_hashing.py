import hashlib
from pathlib import Path

import pytest

from osteo_edge import hashing
from osteo_edge.hashing import sha256_bytes, sha256_file


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100])
def test_a_file_has_the_hash_of_its_bytes_in_pieces_too(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "CHUNK_BYTES", 8)
    data = bytes(range(size))
    (tmp_path / "file").write_bytes(data)
    assert sha256_file(tmp_path / "file") == sha256_bytes(data) == hashlib.sha256(data).hexdigest()
