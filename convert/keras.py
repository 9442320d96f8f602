"""TensorFlow's converter and Keras 2, loaded when a conversion first needs them."""

import os
from functools import cache
from types import ModuleType

from osteo_edge.extras import load_extra


@cache
def load_tensorflow() -> tuple[ModuleType, ModuleType]:
    """The modules `tensorflow` and `tf_keras`, quiet; takes seconds the first time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    tensorflow, keras = load_extra(
        ("tensorflow", "tf_keras"), feature="conversion", package="TensorFlow", extra="train"
    )
    tensorflow.get_logger().setLevel("ERROR")
    return tensorflow, keras
