"""Start the app on an empty data folder, wait for its home screen and its model, keep a picture, and close it.

python draw_home.py DATA PICTURE
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from osteo_edge.edge_app.folders import Folders
from osteo_edge.edge_app.window_start import prepare_kivy

SIZE: Final = (800, 480)
FRAMES: Final = 5
"""As many as are drawn before the picture is taken, once all is there."""
PATIENCE_S: Final = 600.0


def draw(data: Path, picture: Path) -> dict[str, Any]:
    """Give what the window says of itself, and the seconds until the home screen was drawn."""
    start = time.monotonic()
    folders = Folders(data)
    prepare_kivy(folders, size=SIZE)
    from osteo_edge.edge_app.ui.window import require_window

    require_window()
    from kivy.clock import Clock
    from kivy.core.window import Window
    from kivy.graphics.opengl import GL_RENDERER, glGetString

    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.ui.app import ScreeningApp

    app = ScreeningApp(Clinic(folders))
    found: dict[str, Any] = {}
    frames: list[float] = []

    def after_frame(*_: object) -> None:
        passed_s = time.monotonic() - start
        if app.root is not None and app.shell.is_open and app.shell.model is not None:
            frames.append(passed_s)
        if len(frames) == FRAMES:
            Path(Window.screenshot(str(picture))).replace(picture)
            found["drawn_s"], found["size"] = frames[0], list(Window.size)
            found["renderer"] = glGetString(GL_RENDERER).decode()
        if found or passed_s > PATIENCE_S:
            Clock.schedule_once(lambda _: app.stop())

    Clock.schedule_interval(lambda _: Window.canvas.ask_update(), 0)
    Window.bind(on_flip=after_frame)
    app.run()
    return found


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(draw(Path(sys.argv[1]), Path(sys.argv[2])))}\n")
