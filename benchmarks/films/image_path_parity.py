"""How far the image path without OpenCV, as on Android, is from the one with it: over files of one's own, and in time.

    python -m osteo_edge.benchmarks.films.image_path_parity FOLDER_OR_FILE ... --bundle BUNDLE

Every file is screened by a process of each form (`osteo_edge.raster`), and the answers are laid side by side.
With `--film FILM` both forms screen that film in turn, and time and memory are printed, too.
"""

import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import click
import numpy as np
import numpy.typing as npt

from osteo_edge.benchmarks.baselines.worker import peak_bytes

Form = Literal["opencv", "plain"]
FORMS: Final[tuple[Form, Form]] = ("opencv", "plain")
SAMPLED: Final = 7
"""Of a film's pixels every seventh row and column is kept to be compared, beside the hash of all of them."""
RUN: Final = """
import sys
if sys.argv[1] == "plain":
    sys.modules["cv2"] = sys.modules["gdcm"] = None
    import PIL.features
    PIL.features.check_codec = lambda name: name == "jpg"
from osteo_edge.raster import FORM
assert FORM == sys.argv[1]
from osteo_edge.benchmarks.films import image_path_parity
image_path_parity.work(sys.argv[2], sys.argv[3], sys.argv[4])
"""
"""What a process of one form runs; `None` makes every import fail. Nor has a phone python-gdcm or OpenJPEG."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one bundle's screening said, and the tensor that its network was given, where it was asked."""

    outcome: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    score: float | None
    tensor: npt.NDArray[np.float32] | None
    evidence: npt.NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Reading:
    """What became of one file: why it was refused; or its pixels, some of them, its knees, and each bundle's answer."""

    problem: str | None = None
    digest: str = ""
    sample: npt.NDArray[np.float32] | None = None
    knees: tuple[tuple[float, float, float, bool], ...] = ()
    answers: tuple[Answer, ...] = ()


class Difference(NamedTuple):
    """How far the two readings of one file are apart; all are 0, empty or equal where they are the same.

    `pixel` is the largest difference of grey in [0, 1] as the file was read, `tensor` that in what networks were given,
    which spans 2; `knee` that of places and widths in condyle widths.
    """

    pixel: float
    tensor: float
    score: float
    knee: float
    evidence: float
    disagreement: str


class Cost(NamedTuple):
    """What a process took to screen a film: the first time and later in milliseconds, and the most memory in MiB."""

    first_ms: float
    later_ms: float
    peak_mib: float


def read_all(paths: Sequence[Path], bundles: Sequence[Path]) -> tuple[dict[Path, Reading], dict[Path, Reading]]:
    """Screen every file by every bundle, in a process with OpenCV and at the same time in one without."""
    request = {"paths": [*map(str, paths)], "bundles": [*map(str, bundles)]}
    with ThreadPoolExecutor() as pool:
        opencv, plain = pool.map(lambda form: _in_process(form, "read", request), FORMS)
    return opencv, plain


def cost_of(film: Path, bundle: Path, form: Form) -> Cost:
    """Screen one film six times in a process of one form."""
    return _in_process(form, "time", {"paths": [str(film)], "bundles": [str(bundle)]})  # type: ignore[no-any-return]


def difference(opencv: Reading, plain: Reading) -> Difference:
    """Lay the two readings of a file side by side."""
    if opencv.problem is not None or plain.problem is not None:
        same = opencv.problem == plain.problem
        return Difference(0, 0, 0, 0, 0, "" if same else f"{opencv.problem or 'read'} | {plain.problem or 'read'}")
    pairs = [*zip(opencv.answers, plain.answers, strict=True)]
    return Difference(
        pixel=0.0 if opencv.digest == plain.digest else _furthest(opencv.sample, plain.sample),
        tensor=max((_furthest(one.tensor, other.tensor) for one, other in pairs), default=0.0),
        score=max((abs((one.score or 0) - (other.score or 0)) for one, other in pairs), default=0.0),
        knee=_between_knees(opencv, plain),
        evidence=max((_furthest(one.evidence, other.evidence) for one, other in pairs), default=0.0),
        disagreement="; ".join(filter(None, (_disagreement(one, other) for one, other in pairs))),
    )


def films_in(places: Iterable[Path]) -> list[Path]:
    """The files themselves, and all files below the folders, without texts and tables."""
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [path for path in found if path.is_file() and path.suffix not in (".csv", ".md", ".txt", ".h5", ".json")]


def work(task: str, asked: str, answer: str) -> None:
    """Do in this process what `_in_process` asks for, and leave the result in the file `answer`."""
    request = json.loads(asked)
    paths, bundles = [*map(Path, request["paths"])], [*map(Path, request["bundles"])]
    result: Any = _cost(paths[0], bundles[0]) if task == "time" else {path: _reading(path, bundles) for path in paths}
    Path(answer).write_bytes(pickle.dumps(result))


def _in_process(form: Form, task: str, request: Mapping[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        subprocess.run([sys.executable, "-c", RUN, form, task, json.dumps(request), str(answer)], check=True)
        return pickle.loads(answer.read_bytes())


def _reading(path: Path, bundles: Sequence[Path]) -> Reading:
    from osteo_edge.errors import OsteoEdgeError
    from osteo_edge.hashing import sha256_bytes
    from osteo_edge.knees import find_knees
    from osteo_edge.radiograph import read_radiograph

    try:
        pixels = read_radiograph(path).pixels
    except OsteoEdgeError as error:
        return Reading(str(error))
    knees = tuple((knee.x_px, knee.y_px, knee.width_px, knee.fibula_right) for knee in find_knees(pixels))
    answers = tuple(_answer(path, bundle) for bundle in bundles)
    return Reading(None, sha256_bytes(pixels.tobytes()), pixels[::SAMPLED, ::SAMPLED].copy(), knees, answers)


def _answer(path: Path, place: Path) -> Answer:
    from osteo_edge.screening import screen

    bundle, interpreter = _opened(place)
    watched = _Watched(interpreter)
    _, screening = screen(path, bundle, watched, force=True, any_film=True)
    said = (screening.outcome, screening.reasons, screening.warnings, screening.score)
    return Answer(*said, watched.tensor, screening.evidence)


class _Watched:
    """An interpreter that keeps what it was given last."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter, self.name = interpreter, interpreter.name
        self.tensor: npt.NDArray[np.float32] | None = None

    def run(self, tensor: npt.NDArray[np.float32]) -> Any:
        self.tensor = tensor.copy()
        return self._interpreter.run(tensor)


def _opened(place: Path) -> Any:
    from osteo_edge.bundle import read_bundle
    from osteo_edge.runtime import open_interpreter

    if place not in _OPENED:
        bundle = read_bundle(place)
        _OPENED[place] = bundle, open_interpreter(bundle, threads=1)
    return _OPENED[place]


_OPENED: dict[Path, Any] = {}


def _cost(film: Path, place: Path) -> Cost:
    from osteo_edge.screening import screen

    bundle, interpreter = _opened(place)
    milliseconds = []
    for _ in range(6):
        start = time.perf_counter()
        screen(film, bundle, interpreter, force=True, any_film=True)
        milliseconds.append(1000 * (time.perf_counter() - start))
    peak = peak_bytes(Path("/proc/self/status").read_text("ascii")) / 2**20
    return Cost(milliseconds[0], statistics.median(milliseconds[1:]), peak)


def _furthest(one: npt.NDArray[np.float32] | None, other: npt.NDArray[np.float32] | None) -> float:
    if one is None or other is None:
        return 0.0 if one is other else float("inf")
    return float(np.abs(one - other).max(initial=0)) if one.shape == other.shape else float("inf")


def _between_knees(opencv: Reading, plain: Reading) -> float:
    if [knee[3] for knee in opencv.knees] != [knee[3] for knee in plain.knees]:
        return float("inf")
    pairs = zip(opencv.knees, plain.knees, strict=True)
    return max(
        (abs(a - b) / one[2] for one, other in pairs for a, b in zip(one[:3], other[:3], strict=True)), default=0
    )


def _disagreement(one: Answer, other: Answer) -> str:
    said = [(answer.outcome, answer.reasons, answer.warnings) for answer in (one, other)]
    return "" if said[0] == said[1] else f"{said[0]} | {said[1]}"


@click.command()
@click.argument("places", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--bundle", "bundles", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--film", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Measure time and memory.")
@click.option("--rounds", default=5, show_default=True, help="Processes of each form, in turn, that --film takes.")
def main(places: tuple[Path, ...], bundles: tuple[Path, ...], film: Path | None, rounds: int) -> None:
    """Screen all files by both forms of the image path, and print how far they are apart."""
    paths = films_in(places)
    opencv, plain = read_all(paths, bundles)
    found = {path: difference(opencv[path], plain[path]) for path in paths}
    read = [path for path in paths if opencv[path].problem is None]
    equal = sum(opencv[path].digest == plain[path].digest for path in read)
    click.echo(f"{len(paths)} files, {len(read)} read by OpenCV's form, {equal} of them to the same pixels")
    for field in Difference._fields[:-1]:
        worst = max(paths, key=lambda path: getattr(found[path], field))
        click.echo(f"largest difference of {field}: {getattr(found[worst], field):.3g} ({worst})")
    for path, one in found.items():
        if one.disagreement:
            click.echo(f"{path}: {one.disagreement}")
    if film is not None:
        _print_costs(film, bundles[0], rounds)


def _print_costs(film: Path, bundle: Path, rounds: int) -> None:
    costs = {form: list[Cost]() for form in FORMS}
    for _ in range(rounds):
        for form in FORMS:
            costs[form].append(cost_of(film, bundle, form))
    for form in FORMS:
        middle = Cost(*(statistics.median(column) for column in zip(*costs[form], strict=True)))
        shown = ", ".join(f"{name} {value:.1f}" for name, value in middle._asdict().items())
        click.echo(f"{form}: {shown}")


if __name__ == "__main__":
    main()
