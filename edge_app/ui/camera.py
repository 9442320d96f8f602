"""Taking a photo of a film on a light box, and putting its corners right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.clock import Clock
from kivy.properties import (
    ObjectProperty,
    OptionProperty,
    StringProperty,
)

from osteo_edge.edge_app.left_off import Left, LeftPhoto
from osteo_edge.edge_app.light_box.shooting import Shooting
from osteo_edge.edge_app.ui.corner_pad import CornerPad
from osteo_edge.edge_app.ui.kit import Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.small_picture import texture_of
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.jobs import Task
    from osteo_edge.edge_app.light_box.camera import Camera
    from osteo_edge.edge_app.light_box.hints import HintId
    from osteo_edge.edge_app.light_box.shot import Shot

FRAME_EVERY_S: Final = 1 / 20
SETTLED_S: Final = 0.3
STAGES: Final = ["starting", "aiming", "taking", "framing", "writing", "failed"]


class CameraScreen(Screen):
    """The camera's picture, then the photo with its corners; the film that is cut out goes to `on_taken`.

    `photo` is the app's own copy of one that was taken already, on a phone: then there is no picture to aim by.
    """

    stage: Any = OptionProperty("starting", options=STAGES)
    message = StringProperty()
    problem = StringProperty()
    shot: Any = ObjectProperty(None, allownone=True)

    def __init__(
        self, *, on_taken: Callable[[Path, tuple[HintId, ...]], None], photo: Path | None = None, **kwargs: Any
    ) -> None:
        self._on_taken, self._photo = on_taken, photo
        self._shooting: Shooting | None = None
        self._preview: Any = None
        self._next_frame = Clock.create_trigger(lambda _: self._ask_for_frame(), FRAME_EVERY_S)
        self._settle = Clock.create_trigger(lambda _: self._look_at_corners(), SETTLED_S)
        super().__init__(**kwargs)

    def shown(self) -> None:
        if self.shot is None:
            self.aim()

    def hidden(self) -> None:
        self._next_frame.cancel()
        self._settle.cancel()
        for slot in ("camera.frame", "camera.take", "camera.turn", "camera.hints", "camera.write"):
            self.jobs.cancel(slot)
        if self.stage == "writing":
            self.stage = "framing"
        self._switch_off()

    def kept(self) -> dict[str, Any]:
        return {"photo": self._photo}

    def lasting(self) -> Left | None:
        return None if self._photo is None else LeftPhoto(str(self._photo))

    def leave(self) -> bool:
        self._drop_photo()
        return False

    def on_stage(self, *_: object) -> None:
        if self.ids:
            self.ids.page.scroll_y = 1

    def aim(self) -> None:
        """Show what the camera sees."""
        self.shot, self.problem = None, ""
        self.pad.corners, self.pad.texture = [], None
        self.ids.lines.clear_widgets()
        if self._photo is not None:
            self.stage = "taking"
            self.jobs.start("camera.take", partial(_read, self._photo), self._frame_it, self._fail)
            return
        self.stage = "starting"
        self._shooting = self._shooting or Shooting(partial(_camera, self.shell.camera))
        self._ask_for_frame()

    def take(self) -> None:
        """Take the photo, and find the film in it."""
        if self._shooting is None:
            return
        self._next_frame.cancel()
        self.jobs.cancel("camera.frame")
        self.stage = "taking"
        self.jobs.start("camera.take", partial(_take, self._shooting), self._frame_it, self._fail)

    def again(self) -> None:
        """Take another photo."""
        device = self.shell.device
        if device is None or self._photo is None:
            self.aim()
        else:
            device.take_photo(self.own_copy(self.begin_with), self.shell.complain)

    def begin_with(self, photo: Path) -> None:
        """Go on with another photo, which is the app's own."""
        self._drop_photo()
        self._photo = photo
        self.aim()

    def _drop_photo(self) -> None:
        """Remove the photo that was handed over: the film has been cut out of it, or nobody wants it."""
        if self._photo is not None:
            self.remove(self._photo)

    def stop_waiting(self) -> None:
        """Leave off what is being waited for: the camera, the photo, or the film's file."""
        if self.stage == "starting" or (self.stage == "taking" and self._photo is not None):
            self.shell.back()
        elif self.stage == "writing":
            self.jobs.cancel("camera.write")
            self.stage = "framing"
        else:
            self.jobs.cancel("camera.take")
            self._switch_off()  # a camera that hangs keeps one thread, and not the next one too
            self.aim()

    @property
    def pad(self) -> CornerPad:
        pad: CornerPad = self.ids.pad
        return pad

    def _ask_for_frame(self) -> None:
        if self._shooting is not None:
            self.jobs.start("camera.frame", partial(_frame, self._shooting), self._show_frame, self._fail)

    def _switch_off(self) -> None:
        shooting, self._shooting = self._shooting, None
        if shooting is not None:
            shooting.close_soon()

    def _show_frame(self, frame: Any) -> None:
        self._preview = texture_of(frame, self._preview)
        self.pad.texture = self._preview
        self.pad.canvas.ask_update()
        self.stage = "aiming"
        self._next_frame()

    def _fail(self, line: str) -> None:
        self.stage, self.problem = "failed", say(line)
        self._switch_off()

    def turn(self) -> None:
        """Turn the photo clockwise by a quarter."""
        if self.shot is None:
            return
        shot, corners = self.shot, self._corners()
        self._settle.cancel()
        self.jobs.cancel("camera.hints")
        work = partial(_turned, shot, corners)
        self.jobs.start("camera.turn", work, self._frame_it, self.shell.complain)

    def use(self) -> None:
        """Cut the film out, and hand it on."""
        if self.shot is None:
            return
        shot, corners = self.shot, self._corners()
        path = self.clinic.folders.photos / f"photo-{datetime.now():%Y%m%d-%H%M%S-%f}.jpg"
        self._settle.cancel()
        self.stage = "writing"
        self.jobs.start("camera.write", partial(_written, shot, corners, path), self._hand_on, self._not_written)

    def _frame_it(self, shot: Shot) -> None:
        self.shot, self.stage = shot, "framing"
        self.pad.texture = texture_of(shot.shown)
        self.pad.corners = [(float(x), float(y)) for x, y in shot.corners]
        self._tell(shot)

    def _tell(self, shot: Shot) -> None:
        from osteo_edge.edge_app.light_box.hints import WORDS

        self.problem = say(shot.problem)
        self.ids.lines.clear_widgets()
        for hint in shot.raised:
            self.ids.lines.add_widget(Words(text=say(WORDS[hint])))

    def corners_moved(self) -> None:
        """The user has moved a corner: look anew, in a moment, at what is amiss."""
        self._settle.cancel()
        self._settle()

    def _look_at_corners(self) -> None:
        shot, corners = self.shot, self._corners()
        if shot is not None:
            moved = partial(self._set_corners, corners)
            self.jobs.start("camera.hints", partial(_framed, shot, corners), moved, self.shell.complain)

    def _set_corners(self, corners: Any, shot: Shot) -> None:
        self.shot = shot
        if self.pad.held < 0 and (self._corners() == corners).all():
            self.pad.corners = [(float(x), float(y)) for x, y in shot.corners]
        self._tell(shot)

    def _corners(self) -> Any:
        import numpy as np

        return np.array(self.pad.corners, np.float64).reshape(4, 2)

    def _hand_on(self, written: tuple[Path, Shot]) -> None:
        path, shot = written
        self._drop_photo()
        self.shell.close(self)
        self._on_taken(path, shot.raised)

    def _not_written(self, line: str) -> None:
        self.stage = "framing"
        self.shell.complain(line)


def _camera(choice: str) -> Camera:
    from osteo_edge.edge_app.light_box.choice import camera_for

    return camera_for(choice)


def _frame(shooting: Shooting, task: Task) -> Any:
    from osteo_edge.edge_app.light_box.shot import small_enough

    return small_enough(shooting.frame())


def _take(shooting: Shooting, task: Task) -> Shot:
    from osteo_edge.edge_app.light_box.shot import shot_of

    photo = shooting.still()
    task.check()
    return shot_of(photo)


def _read(photo: Path, task: Task) -> Shot:
    from osteo_edge.edge_app.light_box.photo import read_photo
    from osteo_edge.edge_app.light_box.shot import shot_of

    picture = read_photo(photo)
    task.check()
    return shot_of(picture)


def _framed(shot: Shot, corners: Any, task: Task) -> Shot:
    """The shot with the corners as they are now; the same one where nobody has moved them."""
    from osteo_edge.edge_app.light_box.shot import with_corners

    framed = shot if (shot.corners == corners).all() else with_corners(shot, corners)
    task.check()
    return framed


def _turned(shot: Shot, corners: Any, task: Task) -> Shot:
    from osteo_edge.edge_app.light_box.shot import turned

    return turned(_framed(shot, corners, task))


def _written(shot: Shot, corners: Any, path: Path, task: Task) -> tuple[Path, Shot]:
    from osteo_edge.edge_app.light_box.photo import write_film

    framed = _framed(shot, corners, task)
    return write_film(path, framed.photo, framed.corners_px), framed


load_kv(__file__)
