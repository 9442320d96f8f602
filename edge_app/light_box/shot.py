"""A photo that was taken, with the film's corners as they were found and as the user moves them."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from osteo_edge.edge_app.light_box.corners import corners_to_start_from, find_film, set_by_hand
from osteo_edge.edge_app.light_box.edges import Corners, is_usable
from osteo_edge.edge_app.light_box.hints import HintId, hints, raised
from osteo_edge.lettering import Picture
from osteo_edge.raster import colour, scaling

SHOWN_SIDE_PX: Final = 1280
NOT_FOUND: Final = "No film was found. Put the four corners on those of the film."
NO_FRAME: Final = "The corners do not frame a film. Put them on the film's four corners."
"""Messages to translate."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A photo of a film.

    `photo` is at full size, in blue, green, red; `shown` is small enough for a window, in red, green, blue. `corners`
    are (4, 2), x and y in shares of the photo's width and height, clockwise from the top left; they were found, are
    only a `start` for the user, or set by hand. `raised` is what is amiss with the photo, if its film lies there.
    """

    photo: Picture
    shown: Picture
    corners: Corners
    origin: Literal["found", "start", "hand"]
    raised: tuple[HintId, ...]

    @property
    def corners_px(self) -> Corners:
        """The corners in pixels of the photo."""
        return self.corners * _size(self.photo)

    @property
    def is_usable(self) -> bool:
        """Whether the corners may be those of a film."""
        return bool(is_usable(self.corners_px))

    @property
    def problem(self) -> str:
        """What the user has to do with the corners, as a message; empty if nothing."""
        if not self.is_usable:
            return NO_FRAME
        return NOT_FOUND if self.origin == "start" else ""


def shot_of(photo: Picture) -> Shot:
    """Look for the film in a photo; where there is none, the corners are a start for the user."""
    outline = find_film(photo)
    corners = corners_to_start_from((photo.shape[0], photo.shape[1])) if outline is None else outline.corners
    shown, shares = small_enough(photo), _within(corners / _size(photo))
    if outline is None:
        return Shot(photo, shown, shares, "start", ())
    return Shot(photo, shown, shares, "found", raised(hints(photo, outline)))


def with_corners(shot: Shot, corners: Corners) -> Shot:
    """The shot with corners (4, 2) that the user has moved, in shares of the photo, and what is amiss then."""
    outline = set_by_hand(_within(corners) * _size(shot.photo))
    moved = replace(shot, corners=_within(outline.corners / _size(shot.photo)), origin="hand", raised=())
    return replace(moved, raised=raised(hints(shot.photo, outline))) if moved.is_usable else moved


def turned(shot: Shot) -> Shot:
    """The shot turned clockwise by a quarter; the film comes out as it is seen then."""
    photo = np.ascontiguousarray(np.rot90(shot.photo, -1))
    corners = np.stack([1 - shot.corners[:, 1], shot.corners[:, 0]], axis=1)
    return replace(shot, photo=photo, shown=small_enough(photo), corners=np.roll(corners, 1, axis=0))


def small_enough(photo: Picture) -> Picture:
    """A photo in blue, green, red as a window shows it: in red, green, blue, at most `SHOWN_SIDE_PX` on a side."""
    scale = min(1.0, SHOWN_SIDE_PX / max(photo.shape[:2]))
    height, width = max(1, round(photo.shape[0] * scale)), max(1, round(photo.shape[1] * scale))
    return colour.to_rgb(scaling.shrink(photo, height, width) if scale < 1 else photo)


def _size(photo: Picture) -> Corners:
    return np.array([photo.shape[1], photo.shape[0]], np.float64)


def _within(corners: Corners) -> Corners:
    return np.clip(np.asarray(corners, np.float64), 0.0, 1.0)
