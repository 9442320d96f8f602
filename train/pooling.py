"""Pooled features of a network as it stands, for what is fitted on top of it."""

import numpy as np
import numpy.typing as npt

from osteo_edge.preprocessing import InputSpec, normalize
from osteo_edge.train.keras import load_tensorflow
from osteo_edge.train.labelled import Labelled
from osteo_edge.train.models import Network

Features = npt.NDArray[np.float32]
BATCH = 16


def pooled_features(network: Network, part: Labelled, spec: InputSpec) -> Features:
    """The backbone's last feature map, averaged over places: (n, channels). Kept nowhere: a fit changes it."""
    _, keras = load_tensorflow()
    pooled = keras.layers.GlobalAveragePooling2D()(network.backbone.output)
    model = keras.Model(network.backbone.input, pooled)
    batches = np.array_split(np.arange(len(part)), range(BATCH, len(part), BATCH))
    return np.concatenate([model.predict_on_batch(normalize(part.planes(batch), spec)) for batch in batches])
