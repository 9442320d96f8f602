"""The Raspberry Pi's own camera through picamera2, which comes with Raspberry Pi OS and is loaded when it is needed.

Written after picamera2's documentation and sources and tested against a double with their signatures; not yet run on
a Pi.
"""

import importlib
from typing import Any, Final

import numpy as np

from osteo_edge.edge_app.light_box.camera import CameraError
from osteo_edge.lettering import Picture

PREVIEW_PX: Final = (800, 600)
FORMAT: Final = "RGB888"
"""The name that picamera2 gives to arrays in blue, green, red."""

MISSING: Final = (
    "the Pi's camera needs picamera2: sudo apt install python3-picamera2, and a virtual environment made with "
    "--system-site-packages"
)
NOT_OPEN: Final = "the camera is not open; open it first"


class PiCamera:
    """A camera on the Pi's own connector by its number; its focus follows where it has one."""

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._camera: Any = None

    def open(self) -> None:
        if self._camera is not None:
            return
        try:
            picamera2 = importlib.import_module("picamera2").Picamera2
        except ImportError as error:
            raise CameraError(MISSING) from error
        if len(picamera2.global_camera_info()) <= self._number:
            raise CameraError(f"Pi camera {self._number}: not there; check its cable, and restart the Pi")
        try:
            self._camera = picamera2(self._number)
            preview = self._camera.create_preview_configuration(main={"size": PREVIEW_PX, "format": FORMAT})
            self._camera.configure(preview)
            if "AfMode" in self._camera.camera_controls:
                modes = importlib.import_module("libcamera").controls.AfModeEnum
                self._camera.set_controls({"AfMode": modes.Continuous})
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            self.close()
            problem = "cannot be used; close other programs that use it"
            raise CameraError(f"Pi camera {self._number}: {problem} ({error})") from error

    def frame(self) -> Picture:
        return self._taken(lambda camera: camera.capture_array("main"))

    def still(self) -> Picture:
        return self._taken(
            lambda camera: camera.switch_mode_and_capture_array(
                camera.create_still_configuration(main={"format": FORMAT}), "main"
            )
        )

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()  # stops it, too

    def _taken(self, take: Any) -> Picture:
        if self._camera is None:
            raise CameraError(NOT_OPEN)
        try:
            return np.asarray(take(self._camera), np.uint8)
        except RuntimeError as error:
            raise CameraError(f"Pi camera {self._number}: gives no picture ({error}); open it again") from error
