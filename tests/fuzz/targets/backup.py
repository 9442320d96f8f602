"""A backup of the history: the ZIP file, its list of contents, and the database in it."""

from collections.abc import Iterator
from unittest.mock import patch

from osteo_edge.edge_app.exports import restoring
from osteo_edge.edge_app.exports.backup import write_backup
from osteo_edge.edge_app.exports.backup_contents import Contents
from osteo_edge.edge_app.exports.restoring import restore_backup
from osteo_edge.edge_app.history.images import Picture, write_image
from osteo_edge.edge_app.history.opening import open_database
from tests.fuzz.scratch import empty_folder


def read(data: bytes) -> Contents:
    place = empty_folder("restored")
    (place / "backup.zip").write_bytes(data)
    try:
        with patch.object(restoring, "sync_tree"):  # writing out the machine's disks is no part of reading
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
