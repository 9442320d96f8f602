"""Features of a frozen network, shared by the folds of a comparison."""

from osteo_edge.console import Advance
from osteo_edge.preprocessing import InputSpec
from osteo_edge.train.config import TrainConfig
from osteo_edge.train.features import frozen_features
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.linear_head import Features
from osteo_edge.train.models import build
from osteo_edge.train.prepared import Prepared


class SharedFeatures:
    """Features of the images that were asked for last: folds are parts of the same prepared images."""

    def __init__(self, config: TrainConfig, spec: InputSpec) -> None:
        self._config = config
        self._spec = spec
        self._known: tuple[Prepared, Features] | None = None

    def of(self, part: Labelled, on_progress: Advance) -> Features:
        """Features of every prepared image, not of the part alone, by its place: (images, channels)."""
        if self._known is None or self._known[0] is not part.prepared:
            features = frozen_features(
                build(self._config, self._spec),
                Labelled.of(part.prepared, part.labels),
                self._spec,
                on_progress=lambda done, total: on_progress(done, total, stage="features"),
            )
            self._known = part.prepared, features
        return self._known[1]
