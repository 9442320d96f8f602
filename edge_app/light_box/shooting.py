"""A camera that jobs on several threads use one after the other, and that no two screens have on at once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, RLock, Thread
from typing import TYPE_CHECKING, Final

from osteo_edge.errors import OsteoEdgeError

if TYPE_CHECKING:
    from osteo_edge.edge_app.light_box.camera import Camera
    from osteo_edge.lettering import Picture

PATIENCE_S: Final = 5.0
STILL_IN_USE: Final = "the camera is still in use here; try again"
ENDED: Final = "the camera has been switched off"

_switched_on: Final = Lock()


class Shooting:
    """One use of the camera that `make` gives: switched on by the first picture, off by `close`, and for good.

    Any thread may use it; pictures and `close` wait for each other. Pictures raise `OsteoEdgeError`.
    """

    def __init__(self, make: Callable[[], Camera]) -> None:
        self._make = make
        self._turn = RLock()
        self._camera: Camera | None = None
        self._has_ended = False

    def frame(self) -> Picture:
        """The next picture for the preview."""
        with self._turn:
            return self._switched_on().frame()

    def still(self) -> Picture:
        """A photo at full size."""
        with self._turn:
            return self._switched_on().still()

    def close(self) -> None:
        """Switch the camera off, if it is on; it stays off."""
        with self._turn:
            camera, self._camera, self._has_ended = self._camera, None, True
            if camera is None:
                return
            try:
                camera.close()
            finally:
                _switched_on.release()

    def close_soon(self) -> None:
        """Switch the camera off beside the window, whatever else the window does, or if it goes."""
        Thread(target=self.close, name="camera off", daemon=True).start()

    def _switched_on(self) -> Camera:
        if self._has_ended:
            raise OsteoEdgeError(ENDED)
        if self._camera is not None:
            return self._camera
        if not _switched_on.acquire(timeout=PATIENCE_S):  # the use before this one may be ending just now
            raise OsteoEdgeError(STILL_IN_USE)
        try:
            camera = self._make()
            camera.open()
        except BaseException:
            _switched_on.release()
            raise
        self._camera = camera
        return camera
