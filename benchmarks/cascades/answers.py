"""What a shared model and a chain of separate ones answer for the same studies, routed and with the bone given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osteo_edge.answers import Floats
from osteo_edge.benchmarks.cascades.folders import Cascades
from osteo_edge.bone_table import Routing, answers_on_studies, measure_routing, most_probable, routing_of
from osteo_edge.bundle import Bundle
from osteo_edge.dataset import Case
from osteo_edge.errors import DatasetError
from osteo_edge.manifest import Manifest
from osteo_edge.routing import given_bone, route
from osteo_edge.screening import score_of
from osteo_edge.studies import Studies, group_studies
from osteo_edge.study_measures import Bones, StudyAnswers

Ask = Callable[[Bundle, Sequence[Case]], Floats]
"""Gives the probabilities that a bundle has for films, (films, labels)."""


@dataclass(frozen=True, eq=False)
class Answered:
    """One cascade's answers: `routed` are of the head that it sent each study to, `given` of the true bone's head."""

    routed: StudyAnswers
    given: StudyAnswers
    routing: Routing


def bone_studies(cases: Sequence[Case]) -> Studies:
    """The studies of the films; `DatasetError` where a film names no bone."""
    nameless = [case.name for case in cases if case.bone is None]
    if nameless:
        raise DatasetError(f"{nameless[0]}: names no bone, nor do {len(nameless) - 1} others; add the column bone")
    return group_studies(cases)


def ask_shared(bundle: Bundle, cases: Sequence[Case], ask: Ask) -> Answered:
    """What one model of several bones answers."""
    manifest, studies = bundle.manifest, bone_studies(cases)
    films = ask(bundle, cases)
    means = studies.mean(films)
    routed = answers_on_studies(studies, means, manifest)
    return Answered(routed, _with_bone(studies, means, manifest), routing_of(studies, films, manifest))


def ask_separate(cascades: Cascades, cases: Sequence[Case], ask: Ask) -> Answered:
    """What a router and the model of the bone that it names answer, the published way.

    A model is asked about the films of its own bone, and about those that were sent to it.
    """
    studies = bone_studies(cases)
    positive = studies.having(cascades.shared.manifest.decision.positive_labels)
    of_bones = studies.mean(ask(cascades.router, cases))
    found = most_probable(of_bones, cascades.router.manifest.labels)
    scores = {bone: _scores(bone, bundle, studies, found, cases, ask) for bone, bundle in cascades.heads.items()}

    def answers(bones: Bones) -> StudyAnswers:
        score = np.array([scores[str(bone)][number] for number, bone in enumerate(bones)], np.float64)
        limits = [cascades.heads[str(bone)].manifest.decision.threshold for bone in bones]
        return StudyAnswers(studies.bones, positive, score, np.array(limits, np.float64), studies.groups)

    nothing = np.zeros(len(studies), bool)
    return Answered(answers(found), answers(studies.bones), measure_routing(studies, found, nothing))


def _with_bone(studies: Studies, means: Floats, manifest: Manifest) -> StudyAnswers:
    routes = [route(row, manifest, str(bone)) for row, bone in zip(means, studies.bones, strict=True)]
    known = np.stack([given_bone(row, chosen, manifest) for row, chosen in zip(means, routes, strict=True)])
    limits = [chosen.head.decision.threshold for chosen in routes if chosen is not None]
    return StudyAnswers(
        bones=studies.bones,
        positive=studies.having(manifest.decision.positive_labels),
        score=np.asarray(score_of(known, manifest), np.float64),
        threshold=np.array(limits, np.float64),
        groups=studies.groups,
    )


def _scores(bone: str, bundle: Bundle, studies: Studies, found: Bones, cases: Sequence[Case], ask: Ask) -> Floats:
    """The score of each study by the model of one bone, (studies,); NaN for those that it is not asked about."""
    asked = ((studies.bones == bone) | (found == bone))[studies.study_of]
    scores = np.full(len(cases), np.nan)
    chosen = [case for case, is_asked in zip(cases, asked, strict=True) if is_asked]
    if chosen:
        scores[asked] = score_of(ask(bundle, chosen), bundle.manifest)
    return studies.mean(scores)
