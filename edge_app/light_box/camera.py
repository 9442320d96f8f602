"""Cameras to photograph a film with: a small preview while the user aims, then a still at full size."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from osteo_edge.edge_app.light_box.photo import LARGEST_PX, read_photo
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.lettering import Picture
from osteo_edge.raster import scaling

PREVIEW_SIDE_PX: Final = 800
FRAME_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
MISSING: Final = "a webcam needs OpenCV: pip install opencv-python-headless, or name a folder of pictures"


class CameraError(OsteoEdgeError):
    """A camera that is not there, is used by another program, or gives no picture."""


class Camera(Protocol):
    """A camera; of one thread at a time. Pictures are (height, width, 3), uint8, in blue, green, red.

    Each method but `close` raises `CameraError` where the camera cannot do it.
    """

    def open(self) -> None:
        """Switch the camera on; an open one stays open."""

    def frame(self) -> Picture:
        """The next picture for the preview, at most `PREVIEW_SIDE_PX` on a side."""

    def still(self) -> Picture:
        """A photo at the camera's full size."""

    def close(self) -> None:
        """Switch the camera off; it may be opened again."""


class RecordedCamera:
    """The pictures of a folder in the order of their names, over and over: for demonstrations and tests.

    `still` gives the picture of which the last frame was a preview.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: list[Path] = []
        self._next = 0

    def open(self) -> None:
        with suppress(OSError):
            self._paths = sorted(p for p in self._folder.iterdir() if p.suffix.lower() in FRAME_SUFFIXES)
        if not self._paths:
            raise CameraError(f"{self._folder}: no recorded pictures; name a folder with .jpg or .png files")
        self._next = 0

    def frame(self) -> Picture:
        path = self._path(self._next)
        self._next += 1
        return _preview(read_photo(path))

    def still(self) -> Picture:
        return read_photo(self._path(max(0, self._next - 1)))

    def close(self) -> None:
        self._paths = []

    def _path(self, place: int) -> Path:
        if not self._paths:
            raise CameraError("the camera is not open; open it first")
        return self._paths[place % len(self._paths)]


class DesktopCamera:
    """A webcam or USB camera by its number, through OpenCV."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._capture: Any = None

    def open(self) -> None:
        if self._capture is not None:
            return
        try:
            import cv2  # here, since pictures are read and shrunk without it, too
        except ImportError as error:
            raise CameraError(f"camera {self._number}: {MISSING}") from error
        capture = cv2.VideoCapture(self._number)
        if not capture.isOpened():
            capture.release()
            problem = "not there, or used by another program; plug it in or close the other program"
            raise CameraError(f"camera {self._number}: {problem}")
        width, height = LARGEST_PX  # drivers take the nearest size that the camera has
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture = capture

    def frame(self) -> Picture:
        return _preview(self._read())

    def still(self) -> Picture:
        self._read()  # drivers that keep one picture back would give that from before the tap
        return self._read()

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture = None

    def _read(self) -> Picture:
        if self._capture is None:
            raise CameraError("the camera is not open; open it first")
        there, picture = self._capture.read()
        if not there or picture is None:
            raise CameraError(f"camera {self._number}: gives no picture; plug it in again")
        return np.asarray(picture, np.uint8)


def _preview(picture: Picture) -> Picture:
    scale = min(1.0, PREVIEW_SIDE_PX / max(picture.shape[:2]))
    return scaling.shrink(picture, max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
