"""Texture features with a support vector machine, a random forest or nearest neighbours: what came before networks."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from osteo_edge.console import Advance
from osteo_edge.preprocessing import InputSpec
from osteo_edge.strict import to_dict
from osteo_edge.train import texture
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.grouped_folds import grouped_divisions
from osteo_edge.train.labelled import Indices, Labelled, join
from osteo_edge.train.linear_head import mean_auroc
from osteo_edge.train.recipe import Answers, Fold, Logits
from osteo_edge.train.recipes.requirements import require_every_label

Features = npt.NDArray[np.float32]
Split = tuple[Indices, Indices]
MakeClassifier = Callable[[Sequence[Split], int], Any]

INNER_FOLDS = 4
TREES = 300
NEIGHBOURS = 9
SMALLEST_PROBABILITY = 1e-3
"""Forests and neighbours answer 0 and 1, which have no logarithm."""
WORKERS = 2


def _svm(inner: Sequence[Split], seed: int) -> Any:
    """A Gaussian kernel, with Platt's probabilities from decisions on images that the machine did not see."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    return CalibratedClassifierCV(SVC(class_weight="balanced"), cv=inner, ensemble=False)


def _forest(inner: Sequence[Split], seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, class_weight="balanced", min_samples_leaf=2, random_state=seed, n_jobs=WORKERS)


def _neighbours(inner: Sequence[Split], seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    fewest = min(fit.size for fit, _ in inner)
    return KNeighborsClassifier(min(NEIGHBOURS, fewest))


CLASSIFIERS: dict[str, MakeClassifier] = {"svm": _svm, "forest": _forest, "knn": _neighbours}


class ClassicalRecipe:
    """The one of the classifiers `kinds` that does best in grouped cross-validation inside the fold.

    A recipe common in public student work on knee radiographs. It is chosen on the train and validation images
    together and fitted on the train images; the features of an image are computed once.
    """

    def __init__(self, config: TrainConfig, kinds: Sequence[str] = tuple(CLASSIFIERS)) -> None:
        self.spec = InputSpec(config.side_px, config.side_px, filters=config.filters)
        self._kinds = tuple(kinds)
        self._known: dict[str, Features] = {}

    def describe(self) -> dict[str, Any]:
        features = {
            "histogram": texture.BINS,
            "cooccurrence": [texture.GREYS, texture.DISTANCES_PX, texture.PROPERTIES],
            "binary_patterns": texture.RADII_PX,
        }
        constants = {"trees": TREES, "neighbours": NEIGHBOURS, "inner_folds": INNER_FOLDS}
        facts: dict[str, Any] = to_dict(
            {"recipe": "classical", "kinds": self._kinds, "input": self.spec, "features": features, **constants}
        )
        return facts

    def answer(self, fold: Fold, *, on_progress: Advance) -> Answers:
        require_every_label(fold.train, groups=INNER_FOLDS, purpose="to fit on")
        seen = join([fold.train, fold.validation])
        features = self._features(seen, on_progress)
        held_out = {kind: _held_out(kind, features, seen, fold.seed) for kind in self._kinds}
        best = max(self._kinds, key=lambda kind: mean_auroc(held_out[kind], seen.classes))
        model = _fitted(best, features[: len(fold.train)], fold.train, fold.seed)
        validation = _logits(model, features[len(fold.train) :], len(seen.labels))
        test = _logits(model, self._features(fold.test, on_progress), len(seen.labels))
        return Answers(validation, test, held_out[best])

    def _features(self, part: Labelled, on_progress: Advance) -> Features:
        """(n, features), those of new images computed on all the threads that are worth it."""
        digests = part.sha256s
        missing = [number for number, digest in enumerate(digests) if digest not in self._known]
        with ThreadPoolExecutor(WORKERS) as pool:
            rows = pool.map(lambda number: texture.texture(part.plane(number)), missing)
            for done, (number, row) in enumerate(zip(missing, rows, strict=True), start=1):
                self._known[digests[number]] = row
                on_progress(done, len(missing), stage="texture features")
        return np.stack([self._known[digest] for digest in digests])


def _fitted(kind: str, features: Features, part: Labelled, seed: int) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), CLASSIFIERS[kind](_inner_folds(part, seed), seed))
    return model.fit(features, part.classes)


def _held_out(kind: str, features: Features, part: Labelled, seed: int) -> Logits:
    """Logits of each image by a model that saw no image of its group."""
    logits = np.zeros((len(part), len(part.labels)))
    for fit, rest in _inner_folds(part, seed):
        model = _fitted(kind, features[fit], part.part(fit), seed)
        logits[rest] = _logits(model, features[rest], len(part.labels))
    return logits


def _inner_folds(part: Labelled, seed: int) -> list[Split]:
    """Pairs of numbers to fit on and to answer for; every label stands in each of the former."""
    require_every_label(part, groups=2, purpose="to choose a classifier on")
    fewest = min(np.unique(part.groups[part.classes == number]).size for number in range(len(part.labels)))
    return grouped_divisions(part.classes, part.groups, min(INNER_FOLDS, fewest), seed)


def _logits(model: Any, features: Features, n_labels: int) -> Logits:
    """Logarithms of the probabilities, (n, labels)."""
    probabilities = np.zeros((len(features), n_labels))
    probabilities[:, model.classes_] = model.predict_proba(features)
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST_PROBABILITY)))
