"""What a TFLite file is made of once a runtime has loaded it: its nodes, their number types, who computes them."""

import gzip
import importlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.quiet import native_messages_held
from osteo_edge.runtime import installed_backends

DELEGATE = "DELEGATE"
FLOATS = (np.float16, np.float32)


@dataclass(frozen=True)
class Node:
    """One operator with the tensors it reads and its first output; `position` is its place in execution, from 0."""

    position: int
    operator: str
    reads: tuple[int, ...]
    tensor: int
    name: str
    shape: tuple[int, ...]
    is_float: bool


@dataclass(frozen=True)
class Placement:
    """The model file's size, alone and compressed, and how many of its operators compute in what.

    `in_float` counts, by operator, those that write floating point, the conversion of an integer result back to it
    among them. `undelegated` counts those that XNNPACK did not take over.
    """

    model_bytes: int
    gzip_bytes: int
    operators: int
    in_float: dict[str, int]
    undelegated: dict[str, int]


def read_placement(model: Path) -> Placement:
    """Load the file as the device would, delegates and all; `BundleError` if the runtime cannot load it."""
    interpreter = load_graph(model)
    nodes = read_nodes(interpreter)
    data = model.read_bytes()
    return Placement(
        model_bytes=len(data),
        gzip_bytes=len(gzip.compress(data, compresslevel=9)),
        operators=len(nodes),
        in_float=dict(Counter(node.operator for node in nodes if node.is_float)),
        undelegated=dict(Counter(node.operator for node in undelegated_nodes(interpreter))),
    )


def load_graph(model: Path, *, keep_tensors: bool = False, delegate: bool = True) -> Any:
    """The runtime's own interpreter over a TFLite file, ready to run, in the best runtime that is installed.

    With `keep_tensors` every tensor can be read after a run: no delegate takes nodes over then, since what lies between
    these cannot be seen, and nothing is overwritten. Without `delegate` none takes nodes over either.
    """
    module = importlib.import_module(_best_module())
    options: dict[str, Any] = {"model_path": str(model)}
    if keep_tensors or not delegate:
        options["experimental_op_resolver_type"] = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    if keep_tensors:
        options["experimental_preserve_all_tensors"] = True
    try:
        with native_messages_held():
            interpreter = module.Interpreter(**options)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BundleError(f"{model}: not a TFLite model that this runtime can load ({reason})") from error
    return interpreter


def read_nodes(interpreter: Any) -> tuple[Node, ...]:
    """The model's operators in the order of execution, without the nodes that stand for what a delegate took."""
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    found = [node for node in interpreter._get_ops_details() if node["op_name"] != DELEGATE]
    return tuple(_node(position, node, details[int(node["outputs"][0])]) for position, node in enumerate(found))


def has_delegate(interpreter: Any) -> bool:
    """Whether a delegate took any part of the model."""
    return any(node["op_name"] == DELEGATE for node in interpreter._get_ops_details())


def undelegated_nodes(interpreter: Any) -> tuple[Node, ...]:
    """The operators that the runtime computes itself, in the order of execution."""
    ends = _ends_of_delegates(interpreter)
    return tuple(node for node in read_nodes(interpreter) if not _is_delegated(node, ends, interpreter))


def _best_module() -> str:
    backends = installed_backends()
    if not backends:
        raise OsteoEdgeError("no TFLite runtime is installed: pip install ai-edge-litert")
    return backends[0].module


def _node(position: int, operator: dict[str, Any], output: dict[str, Any]) -> Node:
    return Node(
        position=position,
        operator=operator["op_name"],
        reads=tuple(int(tensor) for tensor in operator["inputs"]),
        tensor=int(output["index"]),
        name=output["name"],
        shape=tuple(int(side) for side in output["shape"]),
        is_float=output["dtype"] in FLOATS,
    )


def _ends_of_delegates(interpreter: Any) -> set[int]:
    """The tensors that come out of what a delegate computes."""
    found = [node for node in interpreter._get_ops_details() if node["op_name"] == DELEGATE]
    return {int(tensor) for node in found for tensor in node["outputs"]}


def _is_delegated(node: Node, ends: set[int], interpreter: Any) -> bool:
    """Whether a delegate computes the node: its output is one of the delegate's, or lies within it, without memory."""
    if node.tensor in ends:
        return True
    try:
        interpreter.get_tensor(node.tensor)
    except ValueError:
        return True
    return False
