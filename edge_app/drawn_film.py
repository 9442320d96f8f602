"""A drawn film that comes with the app: to try a model before it is installed, and to measure how fast it answers."""

from pathlib import Path
from typing import Final

DRAWN_FILM: Final = Path(__file__).with_name("drawn_film.jpg")
"""A frontal phantom of 2.25 megapixels, JPEG: `train.phantoms.draw_phantom(T_SCORE, size=SIZE_PX, seed=SEED)`."""
SIZE_PX: Final = 1536
T_SCORE: Final = -3.2
SEED: Final = 5_000_001
"""No patient of the demo, whose seeds are below a million."""
