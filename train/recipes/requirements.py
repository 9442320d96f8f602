"""What a recipe needs of the images it is given, checked before it works for minutes."""

import numpy as np

from osteo_edge.errors import DatasetError
from osteo_edge.train.labelled import Labelled


def require_every_label(part: Labelled, *, groups: int, purpose: str) -> None:
    """Raise `DatasetError` unless every label has at least so many groups of images in `part`."""
    for number, label in enumerate(part.labels):
        found = np.unique(part.groups[part.classes == number]).size
        if found < groups:
            raise DatasetError(
                f"{label}: {found} groups of images {purpose}, at least {groups} are needed; "
                "add images, ask for fewer folds, or leave the label out with --labels"
            )
