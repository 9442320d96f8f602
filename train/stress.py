"""What disturbed films do to the answers of a bundle, and to what the gate refuses: by the flow that screens films."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import questions_about
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.preprocessing import Tensor, to_tensor
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.screening import answer_to, calibrated, score_of, screen
from osteo_edge.train.disturbances import STRENGTHS, Disturbance, to_png
from osteo_edge.wording import Outcome


@dataclass(frozen=True)
class Reply:
    """What a bundle makes of one film: the model's answer, and why the gate keeps it from being shown, if it does.

    `score` is the calibrated probability of the positive labels together, `outcome` the decision as if there were no
    gate: one that is refused has them too. `refusal` is None where the answer is shown.
    """

    score: float
    outcome: Outcome
    refusal: str | None


@dataclass(frozen=True)
class Level:
    """One disturbance at one strength: the reply to each film, in the order of the films."""

    disturbance: Disturbance
    strength: int
    replies: tuple[Reply, ...]

    @property
    def amount(self) -> float:
        return self.disturbance.amounts[self.strength - 1]


@dataclass(frozen=True)
class StressTest:
    """Every reply to every film, untouched and disturbed; what is measured of them is in `stress_measures`.

    `question` is what a score is the probability of, `positive_labels` are its labels; `groups` are those of the split.
    """

    question: str
    positive_labels: tuple[str, ...]
    cases: tuple[Case, ...]
    groups: tuple[str, ...]
    untouched: tuple[Reply, ...]
    levels: tuple[Level, ...]
    skipped: tuple[str, ...]
    seed: int

    @property
    def positive(self) -> npt.NDArray[np.bool_]:
        """Which films have a positive label, (n,)."""
        return np.array([case.label in self.positive_labels for case in self.cases], bool)

    def seed_of(self, film: int) -> tuple[int, int]:
        """What chance took its course from when this film was disturbed; it goes by the name, not by the place."""
        return film_seed(self.cases[film], self.seed)


def choose_evenly(cases: Sequence[Case], limit: int, seed: int) -> list[Case]:
    """At most `limit` cases, as evenly over the labels as they allow, in the order given; `seed` decides which ones."""
    earlier: Counter[str] = Counter()
    turns = []
    for place in np.random.default_rng(seed).permutation(len(cases)).tolist():
        label = cases[place].label
        turns.append((earlier[label], label, place))
        earlier[label] += 1
    return [cases[place] for place in sorted(place for _, _, place in sorted(turns)[:limit])]


def stress_test(
    cases: Sequence[Case],
    groups: Sequence[str],
    bundle: Bundle,
    interpreter: Interpreter,
    disturbances: Sequence[Disturbance],
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> StressTest:
    """Screen every case as it is, and under every disturbance at every strength, as a file.

    A case that cannot be read is skipped and listed; none readable is a `DatasetError`.
    """
    rows: list[tuple[int, list[Reply]]] = []
    skipped: list[str] = []
    with TemporaryDirectory(prefix="osteo-edge-") as folder:
        for number, case in enumerate(cases):
            on_progress(number, len(cases))
            try:
                film = read_radiograph(case.path)
            except RadiographError as error:
                skipped.append(str(error))
                continue
            files = _files(case.path, film, disturbances, film_seed(case, seed), Path(folder))
            rows.append((number, [reply_to(path, bundle, interpreter) for path in files]))
        on_progress(len(cases), len(cases))
    if not rows:
        raise DatasetError(f"none of {len(cases)} images can be screened" + (f": {skipped[0]}" if skipped else ""))
    by_variation = list(zip(*(replies for _, replies in rows), strict=True))
    kinds = [(kind, strength) for kind in disturbances for strength in range(1, STRENGTHS + 1)]
    positive_labels = bundle.manifest.decision.positive_labels
    return StressTest(
        question=questions_about(positive_labels)[0].name,
        positive_labels=positive_labels,
        cases=tuple(cases[number] for number, _ in rows),
        groups=tuple(groups[number] for number, _ in rows),
        untouched=by_variation[0],
        levels=tuple(
            Level(kind, strength, replies) for (kind, strength), replies in zip(kinds, by_variation[1:], strict=True)
        ),
        skipped=tuple(skipped),
        seed=seed,
    )


def film_seed(case: Case, seed: int) -> tuple[int, int]:
    """The seed of one film's disturbances: that of the test, and the film's name."""
    return seed, int(sha256_bytes(case.name.encode("utf-8", "surrogateescape"))[:8], 16)


def reply_to(path: Path, bundle: Bundle, interpreter: Interpreter) -> Reply:
    """Screen a file as ever; where the gate refuses it, the model is asked all the same, for what was kept back.

    Raises `RadiographError` for a file that is no readable radiograph.
    """
    manifest, listening = bundle.manifest, _Listening(interpreter)
    radiograph, screening = screen(path, bundle, listening, force=True)
    prediction = listening.heard or interpreter.run(to_tensor(radiograph.pixels, manifest.input))
    probabilities = calibrated(prediction.logits, manifest.calibration)
    refusal = screening.reasons[0] if screening.outcome == "rejected" else None
    return Reply(float(score_of(probabilities, manifest)), answer_to(probabilities, manifest)[0], refusal)


def _files(
    path: Path, film: Radiograph, disturbances: Sequence[Disturbance], seed: tuple[int, int], folder: Path
) -> Iterator[Path]:
    """The film's own file, then it disturbed in every way, at strengths 1 to 5; each takes the place of the last."""
    yield path
    for disturbance in disturbances:
        for strength in range(1, STRENGTHS + 1):
            file = folder / "film.png"
            file.write_bytes(to_png(disturbance.apply(film.pixels, strength, seed)))
            yield file


class _Listening:
    """An interpreter that keeps what it said last: a screening that is refused does not tell."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self.heard: Prediction | None = None

    @property
    def name(self) -> str:
        return self._interpreter.name

    def run(self, tensor: Tensor) -> Prediction:
        self.heard = self._interpreter.run(tensor)
        return self.heard
