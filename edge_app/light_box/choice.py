"""Which camera takes the photos: what the command was given, or what there is."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.light_box.camera import Camera, DesktopCamera, RecordedCamera
from osteo_edge.edge_app.light_box.pi_camera import PiCamera

AUTO: Final = "auto"


def camera_for(choice: str) -> Camera:
    """The camera of `--camera`, not open yet: "auto", the number of a webcam, or a folder of recorded pictures.

    "auto" is the Pi's own camera where picamera2 is installed, and the first webcam elsewhere.

    >>> type(camera_for("1")).__name__, type(camera_for("frames/")).__name__
    ('DesktopCamera', 'RecordedCamera')
    """
    if choice == AUTO:
        return DesktopCamera() if find_spec("picamera2") is None else PiCamera()
    if choice.isdecimal() and choice.isascii():
        return DesktopCamera(int(choice))
    return RecordedCamera(Path(choice))
