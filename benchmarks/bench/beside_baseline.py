"""Every variant of a benchmark beside a recorded baseline; what cannot be compared is noted."""

from functools import partial
from pathlib import Path

from osteo_edge.benchmarks.baselines.answers import answer_images, choose_images
from osteo_edge.benchmarks.baselines.comparison import find_network, set_beside, why_no_agreement
from osteo_edge.benchmarks.baselines.file import Baseline, ImageAnswer, read_baseline
from osteo_edge.benchmarks.bench.candidates import Candidate
from osteo_edge.benchmarks.bench.gaps import Gaps
from osteo_edge.benchmarks.bench.job import Labelled
from osteo_edge.benchmarks.measuring.results import BesideBaseline, Measurement
from osteo_edge.bundle import Bundle

Answers = tuple[ImageAnswer, ...]


def open_baseline(path: Path, labelled: Labelled | None, gaps: Gaps) -> "Baselines | None":
    """The recorded baseline to set variants beside; None, and noted, if the file cannot be used."""
    recorded = gaps.attempt("all variants", "baseline", partial(read_baseline, path))
    return None if recorded is None else Baselines(recorded, path, labelled, gaps)


class Baselines:
    """Sets variants beside one recorded baseline; a bundle is asked about the images once, whatever its variants."""

    def __init__(self, recorded: Baseline, path: Path, labelled: Labelled | None, gaps: Gaps) -> None:
        self._recorded, self._path, self._labelled, self._gaps = recorded, path, labelled, gaps
        self._answers: dict[str, Answers | None] = {}

    def beside(self, candidate: Candidate, found: Measurement) -> tuple[BesideBaseline, ...] | None:
        """The variant beside each number type of its network; None for a peer, and for a network that is not there."""
        if candidate.variant.is_peer:
            return None
        name, manifest = candidate.variant.name, candidate.bundle.manifest
        network = self._gaps.attempt(name, "baseline", partial(find_network, self._recorded, self._path, manifest))
        if network is None:
            return None
        answers = self._asked(candidate.bundle, name)
        reason = why_no_agreement(network, answers, self._path)
        if reason is not None and candidate.is_first:
            self._gaps.add(name, "agreement with the baseline", reason)
        return set_beside(found, self._recorded, network, answers)

    def _asked(self, bundle: Bundle, name: str) -> Answers | None:
        path = str(bundle.path)
        if self._labelled is not None and path not in self._answers:
            work = partial(_ask, bundle, self._labelled)
            self._answers[path] = self._gaps.attempt(name, "answers for the baseline", work)
        return self._answers.get(path)


def _ask(bundle: Bundle, labelled: Labelled) -> Answers:
    return answer_images(bundle, choose_images(labelled.data, labelled.split, bundle.manifest))
