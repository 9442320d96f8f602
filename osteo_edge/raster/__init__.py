"""What is done to pictures, by OpenCV where it is installed and by numpy and Pillow where it is not, as on Android.

Each topic is a module of two forms with the same functions, held to each other by tests:

    from osteo_edge.raster import scaling
    small = scaling.shrink(pixels, height, width)

Pictures of three channels are in blue, green, red. A topic is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteo_edge.raster.opencv import codec as codec
    from osteo_edge.raster.opencv import colour as colour
    from osteo_edge.raster.opencv import components as components
    from osteo_edge.raster.opencv import edges as edges
    from osteo_edge.raster.opencv import fonts as fonts
    from osteo_edge.raster.opencv import matching as matching
    from osteo_edge.raster.opencv import outlines as outlines
    from osteo_edge.raster.opencv import perspective as perspective
    from osteo_edge.raster.opencv import scaling as scaling
    from osteo_edge.raster.opencv import smoothing as smoothing
    from osteo_edge.raster.opencv import statistics as statistics
    from osteo_edge.raster.opencv import tones as tones

try:
    import cv2
except ImportError:
    FORM = "plain"
else:
    FORM = "opencv"

TOPICS = (
    "codec",
    "colour",
    "components",
    "edges",
    "fonts",
    "matching",
    "outlines",
    "perspective",
    "scaling",
    "smoothing",
    "statistics",
    "tones",
)


def use_one_thread() -> None:
    """Start no threads from here on, as OpenCV does for large pictures."""
    if FORM == "opencv":
        cv2.setNumThreads(1)


def __getattr__(name: str) -> Any:
    """The form of a topic that this machine has."""
    if name not in TOPICS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    topic = globals()[name] = import_module(f"{__name__}.{FORM}.{name}")
    return topic
