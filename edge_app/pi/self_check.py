"""Whether an installed version works: it screens a drawn film, and answers as on the machine that made the kit."""

import json
import math
import subprocess
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.pi.kit import KnownAnswer
from osteo_edge.errors import OsteoEdgeError

FILM: Final = Path("lib", "osteo_edge", "edge_app", "drawn_film.jpg")
LIMIT_S: Final = 600
"""A Raspberry Pi answers within seconds; an emulated one takes a minute."""


def check_version(version: Path, known: KnownAnswer) -> float:
    """Have the version in a folder answer the drawn film, and tell what is installed; gives its score.

    `OsteoEdgeError` if it does not start, gives no number, or one that differs by more than `known.tolerance`.
    """
    film = ["screen", str(version / "bundle"), str(version / FILM), "--json", "--threads", "1"]
    film += _answered_anyway(version / "bundle")
    score = _score(run_version(version, film))
    if not abs(score - known.score) <= known.tolerance:
        raise OsteoEdgeError(
            f"its score for the drawn film is {score:.4f}, {known.score:.4f} is known for it "
            f"(at most {known.tolerance:g} apart): the model does not run here as it should"
        )
    run_version(version, ["doctor", "--json"])
    return score


def run_version(version: Path, arguments: list[str]) -> str:
    """What a command of the version in a folder prints; `OsteoEdgeError` with its last line if it fails."""
    command = [str(version / "bin" / "osteo-edge"), *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise OsteoEdgeError(f"`osteo-edge {arguments[0]}` takes more than {LIMIT_S} s") from error
    except OSError as error:
        raise OsteoEdgeError(f"{command[0]}: cannot be started ({error.strerror or error})") from error
    if done.returncode != 0:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        killed = f"ended by signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        raise OsteoEdgeError(f"`osteo-edge {arguments[0]}` fails ({said[-1] if said else killed})")
    return done.stdout


def _answered_anyway(bundle: Path) -> list[str]:
    """The options without which the bundle would refuse, or not know what to make of, a drawn film.

    Whatever version such a bundle comes with has them; what is wrong with it, its own version tells better. Read
    without osteo_edge.manifest, which needs numpy: an installer has Python's own library alone.
    """
    try:
        manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
        bones = [head["bone"] for head in (manifest.get("router") or {"heads": []})["heads"][:1]]
        known = ["--any-film"] if manifest.get("familiarity") is not None else []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [*known, *(word for bone in bones for word in ("--bone", str(bone)))]


def _score(printed: str) -> float:
    try:
        score = json.loads(printed)["score"]
        if isinstance(score, float | int) and math.isfinite(score):
            return float(score)
    except (ValueError, KeyError, TypeError):
        pass
    raise OsteoEdgeError("it gives no number for the drawn film")
