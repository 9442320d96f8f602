"""Whether a browser can screen with a bundle: its model, its operators, and what is done to the image before it."""

import importlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from osteo_edge.bundle import Bundle, read_model
from osteo_edge.edge_app.android.packable import foreign_operators
from osteo_edge.edge_app.models.trial import read_usable
from osteo_edge.edge_app.web.building import supported_file
from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.manifest import Manifest
from osteo_edge.strict import from_dict

OPERATORS: Final = Path(__file__).with_name("litert_operators.json")
"""The operators that LiteRT.js has, found by having it load one of each: `tests/edge_app/web/operators.py`."""
NO_WEB: Final = "which the web app has not; use it in the Kivy app"


@dataclass(frozen=True)
class Supported:
    """What of a manifest's possibilities the page knows, as its own sources say: `src/core/supported.json`."""

    precisions: tuple[str, ...]
    resize: tuple[str, ...]
    channels: tuple[int, ...]
    filters: tuple[str, ...]
    familiarity: bool
    severity: bool
    router: bool


def read_suitable(path: Path) -> Bundle:
    """Read and verify the bundle in `path`; `BundleError` that says why the page cannot use it."""
    bundle = read_usable(path)
    supported = from_dict(Supported, json.loads(supported_file().read_text("utf-8")))
    missing = next(_missing(bundle.manifest, supported), None)
    if missing is not None:
        raise BundleError(f"{path}: {missing}")
    model = read_model(bundle)
    require_operators(path, model)
    require_fixed(path, model)
    return bundle


def require_operators(path: Path, model: bytes) -> None:
    """Raise `BundleError` for a model with an operator that LiteRT.js has not."""
    foreign = sorted(set(foreign_operators(model)))
    known = set(json.loads(OPERATORS.read_text("utf-8"))["operators"])
    unknown = foreign or sorted(set(operators_of(model)) - known)
    if unknown:
        raise BundleError(
            f"{path}: uses {', '.join(unknown)}, which LiteRT.js has not; convert it to other built-in operators"
        )


def require_fixed(path: Path, model: bytes) -> None:
    """Raise `BundleError` for a model with an input whose size is not known before an image is given."""
    for shape in input_shapes(model):
        if any(side < 1 for side in shape):
            raise BundleError(
                f"{path}: an input of the model is {list(shape)}, and LiteRT.js takes none of a size that varies; "
                "convert it with a batch of 1"
            )


def operators_of(model: bytes) -> list[str]:
    """The names of the built-in operators in a TFLite file, custom ones left out."""
    schema = _schema()
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    read = schema.Model.GetRootAs(model, 0)
    codes = [read.OperatorCodes(number) for number in range(read.OperatorCodesLength())]
    # a code above 127 stands in the newer of two fields, a lower one in either
    numbers = [max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) for code in codes if not code.CustomCode()]
    return [names.get(number, f"operator {number}") for number in numbers]


def input_shapes(model: bytes) -> list[Sequence[int]]:
    """The shapes of the inputs of a TFLite file, a side below 1 where it varies; `BundleError` if they do not stand."""
    try:
        graph = _schema().Model.GetRootAs(model, 0).Subgraphs(0)
        return [_shape(graph.Tensors(graph.Inputs(number))) for number in range(graph.InputsLength())]
    except (AttributeError, IndexError, TypeError, ValueError, struct.error) as error:
        raise BundleError(f"the model is no TFLite file ({error}); copy the bundle again") from error


def _shape(tensor: Any) -> Sequence[int]:
    varies = tensor.ShapeSignatureLength() > 0
    return tuple(int(side) for side in (tensor.ShapeSignatureAsNumpy() if varies else tensor.ShapeAsNumpy()))


def _missing(manifest: Manifest, supported: Supported) -> Iterator[str]:
    """What the manifest asks for and the page has not, in a clause each."""
    model, spec = manifest.model, manifest.input
    if model.precision not in supported.precisions:
        known = ", ".join(supported.precisions)
        yield f"a {model.precision} model, which a browser runs slowly or not at all; convert it to one of {known}"
    if spec.resize not in supported.resize:
        yield f"images are prepared by {spec.resize!r}, {NO_WEB}"
    if spec.channels not in supported.channels:
        yield f"the model takes images of {spec.channels} channels, {NO_WEB}"
    for step in spec.filters:
        if step.kind not in supported.filters:
            yield f"images are prepared with the filter {step.kind}, {NO_WEB}"
    if manifest.router is not None and not supported.router:
        yield f"the model tells bones apart, {NO_WEB}"
    if manifest.familiarity is not None and not supported.familiarity:
        yield f"the model knows the films that it learned from, {NO_WEB}"
    if manifest.outputs.severity is not None and not supported.severity:
        yield f"the model grades, {NO_WEB}"


def _schema() -> Any:
    try:
        return importlib.import_module("ai_edge_litert.schema_py_generated")
    except ImportError as error:
        raise OsteoEdgeError("reading a model's operators needs LiteRT: pip install ai-edge-litert") from error
