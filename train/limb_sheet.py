"""A picture of drawn films side by side, to look them over before anything is trained on them."""

import cv2
import numpy as np

from osteo_edge.train.limb_findings import FINDINGS
from osteo_edge.train.limb_phantoms import draw_limb
from osteo_edge.train.limb_views import VIEWS
from osteo_edge.train.mura_folder import BONES
from osteo_edge.train.phantom_film import Pixels

TILE_PX = 224
CAPTION_PX = 18
GREY = 60


def contact_sheet(seed: int) -> Pixels:
    """A row for each bone, its three views normal, broken and mended: grey (height, width).

    The three findings of a bone are of one patient, held and exposed alike.
    """
    rows = [
        np.hstack([_tile(bone, finding, view, seed + number) for finding in FINDINGS for view in VIEWS])
        for number, bone in enumerate(BONES)
    ]
    return np.asarray(np.vstack(rows), np.uint8)


def _tile(bone: str, finding: str, view: str, seed: int) -> Pixels:
    film = draw_limb(bone, finding, view=view, size=TILE_PX, seed=seed, patient=seed).pixels
    tile = np.full((TILE_PX + CAPTION_PX, TILE_PX), GREY, np.uint8)
    left = (TILE_PX - film.shape[1]) // 2
    tile[CAPTION_PX:, left : left + film.shape[1]] = film
    caption = f"{bone}, {view}, {finding}"
    cv2.putText(tile, caption, (4, CAPTION_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255,), 1, cv2.LINE_AA)
    return tile
