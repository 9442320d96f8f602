"""Give a fitted network its embedding as a further output, and a bundle what tells its films from other pictures."""

from dataclasses import replace
from typing import Any

import numpy as np

from osteo_edge.familiarity import MAX_IMAGES, KnownFilms, fit_familiarity
from osteo_edge.preprocessing import InputSpec, normalize
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network
from osteo_edge.train.pooling import BATCH, Features
from osteo_edge.train.taps import parse_tap

LAYER = "embedding"
FITTED_ON = "the train part"
CHOSEN_ON = "the validation part"


def attach_embedding(network: Network, taps: tuple[str, ...] = ()) -> Network:
    """The network with a last output, (1, features): its last layer, averaged over places.

    Of a network whose head sees `taps` it is the deepest of these, whole.
    """
    _, keras = load_tensorflow()
    pooled = keras.layers.GlobalAveragePooling2D(name=LAYER)(_last_layer(network.backbone, taps))
    model = keras.Model(network.model.input, [*network.model.outputs, pooled], name=network.model.name)
    return replace(network, model=model)


def embeddings(model: Any, place: int, part: Labelled, spec: InputSpec, *, most: int | None = None) -> Features:
    """What output `place` of the model gives, (n, features), for the part's images, at most `most` spread over all."""
    number = len(part) if most is None else min(most, len(part))
    places = np.unique(np.linspace(0, len(part) - 1, number).round().astype(int))
    batches = np.array_split(places, range(BATCH, len(places), BATCH))
    answers = [model.predict_on_batch(normalize(part.planes(batch), spec)) for batch in batches]
    return np.concatenate([answer[place] for answer in answers])


def find_familiarity(network: Network, train: Labelled, validation: Labelled, spec: InputSpec) -> KnownFilms | None:
    """KnownFilms on the train part, its threshold chosen on validation; None where these are too few.

    The network's last output is its embedding.
    """
    last = len(network.model.outputs) - 1
    found = [embeddings(network.model, last, part, spec, most=MAX_IMAGES) for part in (train, validation)]
    return fit_familiarity(*found, fitted_on=FITTED_ON, chosen_on=CHOSEN_ON)


def _last_layer(backbone: Any, taps: tuple[str, ...]) -> Any:
    if not taps:
        return backbone.output
    order = [layer.name for layer in backbone.layers]
    return backbone.get_layer(max((parse_tap(tap).layer for tap in taps), key=order.index)).output
