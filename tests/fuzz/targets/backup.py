"""A backup of the history: the ZIP file, its list of contents, and the database in it."""

import os
from collections.abc import Iterator
from unittest.mock import patch

from osteo_edge.edge_app.exports import restoring
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import Contents
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.images import Picture, write_image
from osteo_edge.edge_app.history.opening import open_database
from tests.fuzz.scratch import empty_folder


class _NoSync:
    """The module `os`, but for the writing out of every disk of the machine, which is no part of reading."""

    def __getattr__(self, name: str) -> object:
        return (lambda: None) if name == "sync" else getattr(os, name)


def read(data: bytes) -> Contents:
    place = empty_folder("restored")
    (place / "backup.zip").write_bytes(data)
    try:
        with patch.object(restoring, "os", _NoSync()):
            return restore_backup(place / "backup.zip", place / "history")
    finally:
        assert {path.name for path in place.iterdir()} <= {"backup.zip", "history"}, "something was left beside"


def seeds() -> Iterator[bytes]:
    for images in ((), (Picture(b"first film" * 20, ".jpg"), Picture(b"second", ""))):
        folder = empty_folder("backed-up")
        opened = open_database(folder / "history")
        for picture in images:
            write_image(folder / "history", picture)
            opened.connection.execute("INSERT INTO images VALUES (?, ?)", (picture.sha256, picture.suffix))
        opened.close()
        yield write_backup(folder / "history", folder / "backup.zip").path.read_bytes()
