"""The films and overlays of a history: the files, and what the database says of them."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from osteo_edge.edge_app.history.database import Database
from osteo_edge.edge_app.history.errors import HistoryError, told
from osteo_edge.edge_app.history.exchange import remove_unfinished
from osteo_edge.edge_app.history.images import (
    Picture,
    image_files,
    image_path,
    read_image,
    remove_abandoned,
    stored_images,
    write_image,
)
from osteo_edge.edge_app.history.opening import DAMAGED, damaged_databases
from osteo_edge.edge_app.history.vault import Keys
from osteo_edge.edge_app.history.wiping import wipe_file
from osteo_edge.hashing import sha256_bytes

INSERT_IMAGE = """
    INSERT INTO images (sha256, suffix) VALUES (?, ?)
    ON CONFLICT (sha256) DO UPDATE SET suffix = excluded.suffix"""


class ImageStore:
    """The image files in the history's folder, which its open `database` names."""

    def __init__(self, folder: Path, database: Database, keys: Keys | None) -> None:
        self._folder, self._database, self._keys = folder, database, keys

    def file(self, sha256: str) -> tuple[Path, str]:
        """The file with that hash, as it lies on the disk, and its suffix; `HistoryError` where there is none."""
        with self._database.reading("the image cannot be read") as connection:
            row = connection.execute("SELECT suffix FROM images WHERE sha256 = ?", (sha256,)).fetchone()
            path = None if row is None else self._place(sha256, row["suffix"])
            if path is None or not path.is_file():
                raise HistoryError(f"{self._folder}: no image {sha256[:12]}… in this history; look for it in a backup")
        return path, row["suffix"]

    def read(self, sha256: str) -> Picture:
        """The picture with that hash; `HistoryError` where the file is missing or was altered."""
        path, suffix = self.file(sha256)
        with told(path, "the image cannot be read"):
            data = read_image(self._folder, sha256, suffix, self._keys)
        if sha256_bytes(data) != sha256:
            raise HistoryError(f"{path}: the image was altered since it was saved; restore it from a backup")
        return Picture(data, suffix)

    @contextmanager
    def written(self, pictures: Iterable[Picture], failure: str) -> Iterator[None]:
        """Write the files before the block, which names them; if it fails, those that were not there go again."""
        new = list[Path]()
        try:
            with told(self._folder, failure):
                for picture in pictures:
                    if write_image(self._folder, picture, self._keys):
                        new.append(self._place(picture.sha256, picture.suffix))
            yield
        except BaseException:
            with suppress(HistoryError):
                self._remove_unlisted(new)
            raise

    def name(self, connection: sqlite3.Connection, pictures: Iterable[Picture]) -> None:
        """Name pictures in the database, whose files are there."""
        for picture in pictures:
            write_image(self._folder, picture, self._keys)  # unless another process has just purged it
            connection.execute(INSERT_IMAGE, (picture.sha256, picture.suffix))

    def remove(self, hashes: Iterable[str]) -> None:
        """Remove the files of pictures that the database does not name any more."""
        self._remove_unlisted(path for sha256 in hashes for path in image_files(self._folder, sha256, self._keys))

    def sweep(self) -> int:
        """Remove what no screening names, and what was never finished; how many images there were.

        As long as a damaged database is kept beside this one the files stay: they may be that one's.
        """
        with told(self._folder, "the images were not tidied"):
            removed = remove_abandoned(self._folder)
            remove_unfinished(self._folder, DAMAGED)
            if damaged_databases(self._folder):
                return removed
            return removed + self._remove_unlisted(stored_images(self._folder))

    def _place(self, sha256: str, suffix: str) -> Path:
        return image_path(self._folder, sha256, suffix, self._keys)

    def _remove_unlisted(self, files: Iterable[Path]) -> int:
        """Remove those image files that the database does not know, while nobody can add them to it."""
        with self._database.writing("images were not removed") as connection:
            rows = connection.execute("SELECT sha256, suffix FROM images")
            unlisted = set(files) - {self._place(*row) for row in rows}
            for path in unlisted:
                wipe_file(path)
        return len(unlisted)
