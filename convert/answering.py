"""Ask several bundles about the same images, each image being read and prepared once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osteo_edge.answers import Answers
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import BundleError, DatasetError, RadiographError
from osteo_edge.preprocessing import Tensor, to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.routing import head_places, thresholds
from osteo_edge.runtime import Interpreter, Prediction, open_interpreter
from osteo_edge.screening import calibrated

ProgressOf = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Asked:
    """The images that could be read, in order, and what each bundle's interpreter predicted for them.

    `tensors` are the prepared images that were `kept`, (1, height, width, channels) each, spread over all.
    """

    cases: tuple[Case, ...]
    groups: npt.NDArray[np.str_]
    runtimes: tuple[str, ...]
    predictions: tuple[tuple[Prediction, ...], ...]
    tensors: tuple[Tensor, ...]
    skipped: tuple[str, ...]

    def answers(self, place: int, bundle: Bundle) -> Answers:
        """The calibrated answers of the bundle in this place beside what was true."""
        manifest = bundle.manifest
        logits = np.stack([prediction.logits for prediction in self.predictions[place]])
        if not np.isfinite(logits).all():
            raise BundleError(f"{bundle.path}: gives no number for some images; convert it again")
        probabilities = calibrated(logits, manifest.calibration)
        return Answers(
            truth=np.array([manifest.labels.index(case.label) for case in self.cases], np.intp),
            probabilities=probabilities,
            labels=manifest.labels,
            positive_labels=manifest.decision.positive_labels,
            threshold=thresholds(probabilities, manifest),
            groups=self.groups,
            heads=head_places(manifest),
        )


def ask(
    bundles: Sequence[Bundle],
    cases: Sequence[Case],
    groups: Sequence[str],
    *,
    keep: int,
    on_progress: ProgressOf = lambda done, total: None,
) -> Asked:
    """Run every bundle on every case; their input specs are alike. An image that cannot be read is skipped and listed.

    `keep` prepared images, evenly spread, stay for who wants to look closer. None readable is a `DatasetError`.
    """
    interpreters = [open_interpreter(bundle) for bundle in bundles]
    found: list[tuple[int, list[Prediction]]] = []
    tensors: list[Tensor] = []
    skipped: list[str] = []
    for number, case in enumerate(cases):
        tensor = _prepare(case, bundles[0], skipped)
        if tensor is not None:
            found.append((number, _predict(interpreters, tensor)))
            is_due = len(tensors) * len(cases) < keep * (number + 1)
            tensors += [tensor] if is_due else []
        on_progress(number + 1, len(cases))
    if not found:
        raise DatasetError(f"none of {len(cases)} images can be compared on: {skipped[0]}")
    return Asked(
        cases=tuple(cases[number] for number, _ in found),
        groups=np.array([groups[number] for number, _ in found]),
        runtimes=tuple(interpreter.name for interpreter in interpreters),
        predictions=tuple(zip(*(predictions for _, predictions in found), strict=True)),
        tensors=tuple(tensors),
        skipped=tuple(skipped),
    )


def _prepare(case: Case, bundle: Bundle, skipped: list[str]) -> Tensor | None:
    try:
        return to_tensor(read_radiograph(case.path).pixels, bundle.manifest.input)
    except RadiographError as error:
        skipped.append(str(error))
        return None


def _predict(interpreters: Sequence[Interpreter], tensor: Tensor) -> list[Prediction]:
    return [interpreter.run(tensor) for interpreter in interpreters]
