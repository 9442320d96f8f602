"""Small pictures of films, made when they are first looked at and kept in memory while there is room.

In memory only: on the disk they would be pictures of patients that outlast the stick they came from.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.browsing.errors import PlaceGoneError, is_gone
from osteo_edge.errors import MissingExtraError, OsteoEdgeError, RadiographError
from osteo_edge.radiograph import Pixels, Radiograph, decode, read_radiograph
from osteo_edge.raster import scaling
from osteo_edge.reading import Reader

Grey = npt.NDArray[np.uint8]
Decoder = Callable[[bytes, Path], Radiograph]
"""Does what `radiograph.decode` does, perhaps elsewhere."""

SIDE_PX: Final = 160
MAX_BYTES: Final = 16 * 2**20
ENTRY_BYTES: Final = 512
"""What keeping one costs beside its pixels: its key, its path and its reason, about."""
NO_MEMORY: Final = "too large for the memory that is left; close other programs, or export it smaller"


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A film as a small picture, uint8 (height, width), bone bright; or the reason why there is none."""

    picture: Grey | None
    problem: str | None = None

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return ENTRY_BYTES + (0 if self.picture is None else self.picture.nbytes)


@dataclass(frozen=True)
class _Stamp:
    size_bytes: int
    mtime_ns: int


class Thumbnails:
    """Thumbnails of at most `side_px` on a side, of at most `max_bytes` together; those not looked at for longest go.

    A film is known by its path, its size and its time of modification. Any thread may use it; one film is decoded at a
    time, since a large one takes a lot of memory. `read` opens and decodes files, `decode` what is in memory.
    """

    def __init__(
        self,
        read: Reader = read_radiograph,
        decode: Decoder = decode,
        *,
        side_px: int = SIDE_PX,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._read, self._decode = read, decode
        self._side_px, self._max_bytes = side_px, max_bytes
        self._lock, self._decoding = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[Path, tuple[_Stamp | None, Thumbnail]] = OrderedDict()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """What those that are kept take in memory, about."""
        return self._size_bytes

    def peek(self, path: Path) -> Thumbnail | None:
        """The thumbnail as it was made last, without looking at the file: for the window's thread."""
        with self._lock:
            _, thumbnail = self._kept.get(path, (None, None))
            return thumbnail

    def of(self, path: Path) -> Thumbnail:
        """The thumbnail of a film, made if need be: for a worker thread.

        What cannot be read gives the reason; it is kept if it lies in the file's content. Raises `PlaceGoneError` where
        the film's folder has gone.
        """
        stamp = _stamp(path)
        with self._decoding:
            known = self._known(path, stamp)
            if known is not None:
                return known
            thumbnail, is_lasting = self._make(path, lambda: self._read(path))
            if is_lasting and stamp is not None:
                self._keep(path, stamp, thumbnail)
            return thumbnail

    def of_picture(self, key: str, data: bytes, suffix: str) -> Thumbnail:
        """The thumbnail of a file in memory, made if need be; `key` is of these bytes alone, such as their hash."""
        path = Path(f"{key}{suffix}")
        with self._decoding:
            known = self._known(path, None)
            if known is not None:
                return known
            thumbnail, is_lasting = self._make(path, lambda: self._decode(data, path))
            if is_lasting:
                self._keep(path, None, thumbnail)
            return thumbnail

    def forget(self, folder: Path) -> None:
        """Let go of what was made of films in a folder and below: its stick has been pulled out."""
        with self._lock:
            for path in [path for path in self._kept if path.is_relative_to(folder)]:
                self._size_bytes -= self._kept.pop(path)[1].size_bytes

    def _known(self, path: Path, stamp: _Stamp | None) -> Thumbnail | None:
        with self._lock:
            if path not in self._kept or self._kept[path][0] != stamp:
                return None
            self._kept.move_to_end(path)
            return self._kept[path][1]

    def _keep(self, path: Path, stamp: _Stamp | None, thumbnail: Thumbnail) -> None:
        with self._lock:
            if path in self._kept:
                self._size_bytes -= self._kept.pop(path)[1].size_bytes
            self._kept[path] = stamp, thumbnail
            self._size_bytes += thumbnail.size_bytes
            while self._size_bytes > self._max_bytes:
                self._size_bytes -= self._kept.popitem(last=False)[1][1].size_bytes

    def _make(self, path: Path, read: Callable[[], Radiograph]) -> tuple[Thumbnail, bool]:
        """The thumbnail, and whether it will be the same as long as the file is."""
        try:
            return Thumbnail(shrunk(read().pixels, self._side_px)), True
        except (RadiographError, MissingExtraError) as error:
            if is_gone(error.__cause__, path.parent):
                raise PlaceGoneError(path.parent) from error
            is_lasting = isinstance(error, RadiographError) and not isinstance(error.__cause__, OSError)
            return Thumbnail(None, _without_path(error, path)), is_lasting
        except MemoryError:
            return Thumbnail(None, NO_MEMORY), False


def shrunk(pixels: Pixels, side_px: int) -> Grey:
    """Pixels in [0, 1] as uint8, with `side_px` on the longer side at most.

    >>> shrunk(np.ones((400, 200), np.float32), 100).shape
    (100, 50)
    """
    height, width = pixels.shape
    scale = min(1.0, side_px / max(height, width))
    small = scaling.shrink(pixels, max(1, round(height * scale)), max(1, round(width * scale)))
    return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError as error:
        if is_gone(error, path.parent):
            raise PlaceGoneError(path.parent) from error
        return None
    return _Stamp(status.st_size, status.st_mtime_ns)


def _without_path(error: OsteoEdgeError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
