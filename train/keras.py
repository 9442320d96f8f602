"""Keras 2 over TensorFlow for training: the one file that chooses it, because tfmot takes no Keras 3 model."""

import os
from functools import cache
from types import ModuleType

from osteo_edge.extras import load_extra
from osteo_edge.quiet import native_messages_held


@cache
def load_tensorflow() -> tuple[ModuleType, ModuleType]:
    """The modules `tensorflow` and `tf_keras`, quiet and deterministic; takes seconds the first time."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    tensorflow, keras = load_extra(("tensorflow", "tf_keras"), feature="training", package="TensorFlow", extra="train")
    with native_messages_held():
        tensorflow.config.list_physical_devices()
    tensorflow.get_logger().setLevel("ERROR")
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow, keras
