"""What goes wrong between this app and the device's others, in one line each."""

from typing import Final

from osteo_edge.errors import OsteoEdgeError

NO_CHOOSER: Final = "This device has no app to choose a file with."
NO_CAMERA: Final = "This device has no camera app, or does not allow it to be opened."
NO_TAKER: Final = "This device has no app that takes this file."
NOT_ALLOWED: Final = "The other app does not allow its file to be read any more. Choose or share it again."
NOT_THERE: Final = "The file is not there, or cannot be fetched now. Check the connection, or choose another one."
NOT_OPENED: Final = "The other app does not open its file. Save the file on this device, and choose it there."
NOT_COMPLETE: Final = "The file has not arrived in full. Check the connection, and choose it again."
NO_FILE: Final = "What was shared is no file that can be opened here."
OWN_FILE: Final = "What was shared is a file of this app itself. Open it in the history."
FIRST_OF_SEVERAL: Final = "Several files were given. Only the first one is opened."
NO_PHOTO: Final = "The camera app has given no picture. Take the photo again."

_OPENING: Final = {
    "java.lang.SecurityException": NOT_ALLOWED,
    "java.io.FileNotFoundException": NOT_THERE,
}


class DeviceError(OsteoEdgeError):
    """Something that the device, or another app on it, does not give or take."""


def opening_line(exception: str) -> str:
    """What to say when a content could not be opened, by the name of the Java exception.

    >>> opening_line("java.lang.SecurityException")
    'The other app does not allow its file to be read any more. Choose or share it again.'
    """
    return _OPENING.get(exception, NOT_OPENED)
