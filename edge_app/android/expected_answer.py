"""What the staged bundle answers to the drawn film on the machine that staged it, for the phone to be held to."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from osteo_edge.durable import write_durably
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.edge_app.models.trial import try_out
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.strict import FieldError, from_dict, to_dict

FILE_NAME: Final = "expected.json"
SCHEMA: Final = 1
TOLERANCE: Final = 0.02
"""How far the probabilities may be apart: 0.01 for the image path without OpenCV, and as much for other kernels."""
LOG_ODDS_TOLERANCE: Final = 1.0
"""How far the log odds of the probabilities may be apart: near 0 and 1 the probabilities themselves tell nothing."""
CLIPPED: Final = 1e-6
"""How near to 0 or 1 a probability counts as such."""


@dataclass(frozen=True)
class ExpectedAnswer:
    """The answer that is expected on the phone. `score` is the calibrated probability of the positive labels."""

    score: float
    tolerance: float
    log_odds_tolerance: float
    runtime: str
    film_sha256: str
    model_sha256: str
    schema: Literal[1] = SCHEMA

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError("score must be from 0 to 1")
        if not 0 < self.tolerance < 1:
            raise ValueError("tolerance must be above 0 and below 1")
        if not self.log_odds_tolerance > 0:
            raise ValueError("log_odds_tolerance must be above 0")

    def is_met_by(self, score: float) -> bool:
        """Whether another device's answer is the same one, as far as devices agree; never for NaN.

        >>> expected = ExpectedAnswer(0.9998, 0.02, 1.0, "LiteRT", "", "")
        >>> expected.is_met_by(0.9996), expected.is_met_by(0.99)
        (True, False)
        """
        apart = abs(log_odds(score) - log_odds(self.score))
        return abs(score - self.score) <= self.tolerance and apart <= self.log_odds_tolerance


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), of a probability that is not quite 0 or 1.

    >>> log_odds(0.5), round(log_odds(1.0), 1)
    (0.0, 13.8)
    """
    clipped = min(max(probability, CLIPPED), 1 - CLIPPED)
    return math.log(clipped / (1 - clipped))


def expected_answer(bundle: Path) -> ExpectedAnswer:
    """Have the bundle in a folder answer the drawn film here; takes about a second.

    `BundleError` if it cannot be used, as in `try_out`.
    """
    tried, answer = try_out(bundle)
    if answer.score is None or not math.isfinite(answer.score):  # try_out has seen to it
        raise ValueError(f"{bundle}: no number for the drawn film")
    return ExpectedAnswer(
        score=answer.score,
        tolerance=TOLERANCE,
        log_odds_tolerance=LOG_ODDS_TOLERANCE,
        runtime=answer.runtime,
        film_sha256=sha256_file(DRAWN_FILM),
        model_sha256=tried.manifest.model.sha256,
    )


def write_expected(bundle: Path, path: Path) -> ExpectedAnswer:
    """Write what the bundle answers here to `path`; `OsteoEdgeError` if that cannot be written, or found out."""
    expected = expected_answer(bundle)
    write_durably(path, f"{json.dumps(to_dict(expected), indent=2)}\n".encode(), "the expected answer")
    return expected


def read_expected(path: Path) -> ExpectedAnswer:
    """Read what `write_expected` has written; `OsteoEdgeError` that says what is wrong with it."""
    try:
        return from_dict(ExpectedAnswer, json.loads(path.read_bytes()))
    except OSError as error:
        raise OsteoEdgeError(f"{path}: cannot be read ({error.strerror or error}); stage the app again") from error
    except (ValueError, FieldError, RecursionError) as error:
        raise OsteoEdgeError(f"{path}: not as this version writes it ({error}); stage the app again") from error
