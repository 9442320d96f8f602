"""Read a TFLite file as objects that can be changed, and write it again, by LiteRT's own tools."""

from types import ModuleType
from typing import Any

import numpy as np

from osteo_edge.extras import load_extra


def read_graph(model: bytes) -> tuple[Any, ModuleType]:
    """The model (`ModelT` of the schema, with one subgraph) and the schema's module."""
    tools, schema = _modules()
    return tools.read_model_from_bytearray(bytearray(model)), schema


def write_graph(graph: Any) -> bytes:
    """The TFLite file of a model."""
    tools, _ = _modules()
    for buffer in graph.buffers:  # arrays are written whole, all else byte by byte
        if buffer.data is not None and not isinstance(buffer.data, np.ndarray):
            buffer.data = np.frombuffer(bytes(buffer.data), np.uint8)
    return bytes(tools.convert_object_to_bytearray(graph))


def _modules() -> list[ModuleType]:
    names = ["ai_edge_litert.tools.flatbuffer_utils", "ai_edge_litert.schema_py_generated"]
    return load_extra(names, feature="conversion to integers", package="ai-edge-litert", extra="train")
