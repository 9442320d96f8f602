"""A display that nobody sees, for tests and measurements of the window: Xvfb, with OpenGL in software."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from osteo_edge.errors import OsteoEdgeError

SCREEN: Final = "1600x1000x24"


@contextmanager
def virtual_display() -> Iterator[dict[str, str]]:
    """Start an X server and give the environment in which programs draw on it; it ends with the block.

    `OsteoEdgeError` where Xvfb is not installed or does not start.
    """
    if shutil.which("Xvfb") is None:
        raise OsteoEdgeError("Xvfb is missing: apt-get install xvfb, or make display")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp", "+extension", "GLX"]
    with (
        os.fdopen(reading) as lines,
        subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server,
    ):
        os.close(writing)
        try:
            number = lines.readline().strip()
            if not number:
                raise OsteoEdgeError("Xvfb does not start; try it by hand: Xvfb :99")
            yield {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1", "SDL_VIDEODRIVER": "x11"}
        finally:
            server.terminate()
