"""Draw photos of a film on a light box, with everything known that there is to find: for demonstrations and tests."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.light_box.edges import Corners, in_order
from osteo_edge.lettering import Picture
from osteo_edge.radiograph import Pixels

Placement = Literal["on_panel", "at_edge", "fills_panel"]


@dataclass(frozen=True)
class Scene:
    """How the photo is taken.

    `placement`: the film lies within the lit panel, hangs from its upper end, or covers it whole. Angles in degrees.
    `fill` is the panel's larger share of the photo's sides, `focal` in shares of the photo's longer side. `unevenness`
    is how much of the light is missing at the panel's dimmest, `exposure` the panel's brightness in the photo (above 1
    is over-exposed), `clear` what the clearest film lets through. `glare` is the size of reflections in shares of
    the film's area, `blur` a standard deviation and `noise` one in grey values of 255.
    """

    height: int = 1080
    width: int = 1440
    placement: Placement = "on_panel"
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    fill: float = 0.85
    focal: float = 0.8
    offset: tuple[float, float] = (0.0, 0.0)
    margin: float = 0.15
    unevenness: float = 0.2
    exposure: float = 0.97
    clear: float = 0.8
    glare: float = 0.0
    blur: float = 0.6
    noise: float = 2.0
    warmth: float = 0.03
    seed: int = 0


@dataclass(frozen=True, eq=False)
class DrawnPhoto:
    """A drawn photo, (height, width, 3) in blue, green, red, and where the film's corners are in it."""

    photo: Picture
    corners: Corners


def some_scene(seed: int) -> Scene:
    """A scene as a hand-held camera in a clinic may meet it; another seed gives another one."""
    random = np.random.default_rng(seed)
    portrait = random.random() < 0.4
    sides = (1080, 1440)
    placements: tuple[Placement, ...] = ("on_panel", "on_panel", "at_edge", "fills_panel")
    return Scene(
        height=sides[1] if portrait else sides[0],
        width=sides[0] if portrait else sides[1],
        placement=placements[random.integers(4)],
        pitch=float(random.normal(0, 8)),
        yaw=float(random.normal(0, 8)),
        roll=float(random.normal(0, 4)),
        fill=float(random.uniform(0.62, 0.86)),
        focal=float(random.uniform(0.7, 1.1)),
        offset=(float(random.uniform(-0.03, 0.03)), float(random.uniform(-0.03, 0.03))),
        margin=float(random.uniform(0.04, 0.3)),
        unevenness=float(random.uniform(0.0, 0.35)),
        exposure=float(random.uniform(0.8, 1.1)),
        clear=float(random.uniform(0.6, 0.85)),
        blur=float(random.uniform(0.4, 1.6)),
        noise=float(random.uniform(1, 5)),
        warmth=float(random.uniform(-0.05, 0.06)),
        seed=seed,
    )


def draw_photo(film: Pixels, scene: Scene) -> DrawnPhoto:
    """Photograph a film, (height, width) in [0, 1] with bone bright, as `scene` says."""
    random = np.random.default_rng(scene.seed)
    panel, frame = _panel(film, scene, random)
    matrix = _view(panel.shape, scene)
    size = (scene.width, scene.height)
    room = _room(scene, random)
    covered = cv2.warpPerspective(np.ones_like(panel), matrix, size, flags=cv2.INTER_AREA)
    light = cv2.warpPerspective(panel, matrix, size, flags=cv2.INTER_AREA)
    light = light * covered + room * (1 - covered)
    corners = cv2.perspectiveTransform(frame[None].astype(np.float64), matrix)[0]
    if scene.glare > 0:
        light = light + _reflections(corners, scene, random)
    light = cv2.GaussianBlur(light, (0, 0), scene.blur)
    cast = np.array([1 - scene.warmth, 1.0, 1 + scene.warmth])
    colour = 255 * light[..., None] * cast + random.normal(0, scene.noise, (*light.shape, 3))
    return DrawnPhoto(np.clip(np.rint(colour), 0, 255).astype(np.uint8), in_order(corners))


def _panel(
    film: Pixels, scene: Scene, random: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The lit panel with the film on it, and the film's corners there; brightness as the photo shows it."""
    height, width = film.shape
    edge = 0 if scene.placement == "fills_panel" else round(scene.margin * max(height, width))
    left, right, below = (round(edge * random.uniform(0.5, 1.5)) for _ in range(3))
    above = 0 if scene.placement == "at_edge" else round(edge * random.uniform(0.5, 1.5))
    rows, columns = above + height + below, left + width + right
    y, x = np.mgrid[0:rows, 0:columns]
    centre = random.uniform(0.3, 0.7, 2)
    distance = np.hypot(y / rows - centre[0], x / columns - centre[1])
    panel = scene.exposure * (1 - scene.unevenness * distance / distance.max())
    panel[above : above + height, left : left + width] *= 0.03 + (scene.clear - 0.03) * film
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5
    return panel, corners + np.array([left, above])


def _view(shape: tuple[int, ...], scene: Scene) -> npt.NDArray[np.float64]:
    """The homography from the panel's pixels to those of a photo by a camera turned as the scene says."""
    rows, columns = shape
    focal = scene.focal * max(scene.height, scene.width)
    pitch, yaw, roll = np.radians([scene.pitch, scene.yaw, scene.roll])
    turn = (
        np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        @ np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    )
    distance = focal / scene.fill * max(columns / scene.width, rows / scene.height)
    place = np.array([[1, 0, -(columns - 1) / 2], [0, 1, -(rows - 1) / 2], [0, 0, 1]])
    pose = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, distance]])
    x, y = ((scene.width - 1) / 2 + scene.offset[0] * scene.width, (scene.height - 1) / 2)
    camera = np.array([[focal, 0, x], [0, focal, y + scene.offset[1] * scene.height], [0, 0, 1]])
    return np.asarray(camera @ pose @ place)


def _room(scene: Scene, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """A dim room with blurred things in it."""
    coarse = random.uniform(0.02, 0.22, (7, 9))
    return np.asarray(cv2.resize(coarse, (scene.width, scene.height), interpolation=cv2.INTER_CUBIC))


def _reflections(
    corners: npt.NDArray[np.float64], scene: Scene, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """One to three soft-edged reflections of lamps within the film, `glare` of its area together."""
    count = int(random.integers(1, 4))
    area = scene.glare * float(cv2.contourArea(corners.astype(np.float32))) / count
    added = np.zeros((scene.height, scene.width))
    for _ in range(count):
        share = random.uniform(0.25, 0.75, 2)
        top = corners[0] + share[0] * (corners[1] - corners[0])
        bottom = corners[3] + share[0] * (corners[2] - corners[3])
        x, y = np.rint(top + share[1] * (bottom - top)).astype(int)
        radius = float(np.sqrt(area / np.pi))
        long = random.uniform(1, 1.8)
        axes = (max(1, round(radius * long)), max(1, round(radius / long)))
        cv2.ellipse(added, (int(x), int(y)), axes, float(random.uniform(0, 180)), 0, 360, 1.2, -1)
    return np.asarray(cv2.GaussianBlur(added, (0, 0), 3))
