"""What disturbed films do to the answers of a bundle, and to what the gate refuses: by the flow that screens films."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import questions_to
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError, RadiographError
from osteo_edge.hashing import sha256_bytes
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels, Tensor, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.routing import doubt, route
from osteo_edge.runtime import Interpreter, Prediction
from osteo_edge.screening import answer_to, calibrated, score_of, screen
from osteo_edge.train.disturbances import STRENGTHS, Disturbance, to_png
from osteo_edge.wording import Outcome


@dataclass(frozen=True)
class Reply:
    """What a bundle makes of one film: the model's answer, and why the gate keeps it from being shown, if it does.

    `score` is the calibrated probability of the positive labels together, `outcome` the decision as if there were no
    gate: one that is refused has them too. `refusal` is None where the answer is shown. Of a model that tells bones
    apart, `bone` is the one whose head answers; None where it is not clear which that is.
    """

    score: float
    outcome: Outcome
    refusal: str | None
    bone: str | None = None


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
    `untouched` are the replies to the same pixels in the same kind of file as the disturbed ones, so that nothing but
    the disturbance is between them. `bones` say what the films show by their labels; None of a model of one question.
    """

    question: str
    positive_labels: tuple[str, ...]
    cases: tuple[Case, ...]
    groups: tuple[str, ...]
    untouched: tuple[Reply, ...]
    levels: tuple[Level, ...]
    skipped: tuple[str, ...]
    seed: int
    bones: tuple[str | None, ...]

    @property
    def positive(self) -> npt.NDArray[np.bool_]:
        """Which films have a positive label, (n,)."""
        return np.array([case.label in self.positive_labels for case in self.cases], bool)

    @property
    def strata(self) -> npt.NDArray[np.intp]:
        """The number of each film's bone, (n,): scores of films of different bones are not on one scale."""
        return np.unique([bone or "" for bone in self.bones], return_inverse=True)[1]

    @property
    def refused(self) -> npt.NDArray[np.bool_]:
        """Which films the gate refuses untouched, (n,)."""
        return np.array([reply.refusal is not None for reply in self.untouched], bool)

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
    """Screen every case untouched, and under every disturbance at every strength, each as a PNG file of 8 bits.

    What a case's own file brings beside its pixels, such as colour or a DICOM modality, is therefore not asked.
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
            files = _files(film.pixels, disturbances, film_seed(case, seed), Path(folder))
            rows.append((number, [reply_to(path, bundle, interpreter) for path in files]))
        on_progress(len(cases), len(cases))
    if not rows:
        raise DatasetError(f"none of {len(cases)} images can be screened" + (f": {skipped[0]}" if skipped else ""))
    by_variation = list(zip(*(replies for _, replies in rows), strict=True))
    kinds = [(kind, strength) for kind in disturbances for strength in range(1, STRENGTHS + 1)]
    manifest = bundle.manifest
    return StressTest(
        question=questions_to(manifest)[0].name,
        positive_labels=manifest.decision.positive_labels,
        cases=tuple(cases[number] for number, _ in rows),
        groups=tuple(groups[number] for number, _ in rows),
        untouched=by_variation[0],
        levels=tuple(
            Level(kind, strength, replies) for (kind, strength), replies in zip(kinds, by_variation[1:], strict=True)
        ),
        skipped=tuple(skipped),
        seed=seed,
        bones=tuple(bone_of(cases[number].label, manifest) for number, _ in rows),
    )


def bone_of(label: str, manifest: Manifest) -> str | None:
    """The bone of a label; None of a model that does not tell bones apart."""
    heads = () if manifest.router is None else manifest.router.heads
    return next((head.bone for head in heads if label in head.labels), None)


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
    chosen = route(probabilities, manifest)
    bone = None if chosen is None or doubt(probabilities, manifest) is not None else chosen.head.bone
    refusal = screening.reasons[0] if screening.outcome == "rejected" else None
    outcome, _ = answer_to(probabilities, manifest, chosen)
    return Reply(float(score_of(probabilities, manifest)), outcome, refusal, bone)


def _files(film: Pixels, disturbances: Sequence[Disturbance], seed: tuple[int, int], folder: Path) -> Iterator[Path]:
    """The film untouched, then disturbed in every way, at strengths 1 to 5; each takes the place of the last."""
    file = folder / "film.png"
    file.write_bytes(to_png(film))
    yield file
    for disturbance in disturbances:
        for strength in range(1, STRENGTHS + 1):
            file.write_bytes(to_png(disturbance.apply(film, strength, seed)))
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
