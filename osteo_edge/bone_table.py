"""How a model answers for studies of several bones: the table that the field prints, and which bone each went to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from osteo_edge import metrics
from osteo_edge.answers import Bools, Floats, Groups
from osteo_edge.evaluation import Predictions
from osteo_edge.findings import findings_of
from osteo_edge.intervals import REPLICATES, Estimate, as_share, estimate
from osteo_edge.manifest import Manifest
from osteo_edge.routing import bone_probabilities, disagreement, doubt, thresholds
from osteo_edge.screening import score_of
from osteo_edge.studies import Studies, group_studies
from osteo_edge.study_measures import Bones, StudyAnswers, StudyTable, measure_studies


@dataclass(frozen=True)
class Routing:
    """Which bone a router took studies for: `counts` are, by true bone, how many went where.

    `right` is the share of the studies that went to their own bone; `unclear` is the share of those that screening
    would leave uncertain for the bone, wherever they went. Both are of all studies.
    """

    right: Estimate
    unclear: Estimate
    counts: dict[str, dict[str, int]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The head of the table of `counts`: every bone that a study went to, after the bone that it shows."""
        return "Bone", *sorted({found for went in self.counts.values() for found in went})

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The cells of that table."""
        for bone, went in self.counts.items():
            yield bone, *(str(went.get(found, 0)) for found in self.columns[1:])

    def __str__(self) -> str:
        return f"Routed to their own bone: {self.right}. Uncertain which bone: {self.unclear}."


@dataclass(frozen=True)
class BoneTable:
    """What was measured study by study; `routing` is None for a model that tells no bones apart.

    `films` is how many films the studies have, `without_bone` how many more had to be left out, because the data set
    does not say which bone they show.
    """

    table: StudyTable
    routing: Routing | None
    films: int
    without_bone: int

    def to_dict(self) -> dict[str, Any]:
        """The table for machines, after `console.without_nan`."""
        routing = None if self.routing is None else asdict(self.routing)
        return {**self.table.to_dict(), "routing": routing, "films": self.films, "without_bone": self.without_bone}


def measure_bones(predictions: Predictions, manifest: Manifest, *, replicates: int = REPLICATES) -> BoneTable | None:
    """The table of a model of bones, one line for each true bone; None for another model, or where no bone is known.

    A study is scored by the mean of its films' probabilities, and called by the threshold of the head that this mean
    goes to.
    """
    known = np.array([case.bone is not None for case in predictions.cases], bool)
    if not (is_of_bones(manifest) and known.any()):
        return None
    studies = group_studies([case for case in predictions.cases if case.bone is not None])
    films = predictions.probabilities[known]
    return BoneTable(
        table=measure_studies(answers_on_studies(studies, studies.mean(films), manifest), replicates=replicates),
        routing=None if manifest.router is None else routing_of(studies, films, manifest),
        films=int(known.sum()),
        without_bone=int((~known).sum()),
    )


def is_of_bones(manifest: Manifest) -> bool:
    """Whether the model tells bones apart, or looks for abnormalities of bones."""
    return manifest.router is not None or findings_of(manifest) == ("abnormality",)


def answers_on_studies(studies: Studies, means: Floats, manifest: Manifest) -> StudyAnswers:
    """What the model answers on the studies whose mean probabilities, (studies, labels), are given."""
    return StudyAnswers(
        bones=studies.bones,
        positive=studies.having(manifest.decision.positive_labels),
        score=np.asarray(score_of(means, manifest), np.float64),
        threshold=thresholds(means, manifest),
        groups=studies.groups,
    )


def routing_of(studies: Studies, films: Floats, manifest: Manifest) -> Routing:
    """Where the model's router sends the studies, by the films' probabilities, (films, labels); ValueError without one.

    By their mean; a study is unclear where that is in doubt, or where its films show different bones.
    """
    if manifest.router is None:
        raise ValueError("the model does not tell bones apart")
    means = studies.mean(films)
    bones = [head.bone for head in manifest.router.heads]
    in_doubt = np.array([doubt(mean, manifest) is not None for mean in means], bool)
    own = (films[studies.study_of == number] for number in range(len(studies)))
    differing = np.array([disagreement(each, manifest) is not None for each in own], bool)
    return measure_routing(studies, most_probable(bone_probabilities(means, manifest), bones), in_doubt | differing)


def most_probable(of_bones: Floats, names: Sequence[str]) -> Bones:
    """The name of each study's most probable bone, (studies,), of (studies, bones).

    >>> most_probable(np.array([[0.9, 0.1], [0.2, 0.8]]), ("elbow", "hand")).tolist()
    ['elbow', 'hand']
    """
    return np.array([names[place] for place in of_bones.argmax(axis=1)], np.str_)


def measure_routing(studies: Studies, found: Bones, unclear: Bools) -> Routing:
    """Compare the bones that studies were taken for, (studies,), with their own; intervals are over patients."""
    return Routing(
        right=_share(found == studies.bones, studies.groups),
        unclear=_share(unclear, studies.groups),
        counts={
            str(bone): dict(sorted(Counter(map(str, found[studies.bones == bone])).items()))
            for bone in np.unique(studies.bones)
        },
    )


def _share(hits: Bools, groups: Groups) -> Estimate:
    found = estimate(lambda studies: metrics.share(hits[studies]), hits.size, groups=groups)
    return as_share(found, groups)
