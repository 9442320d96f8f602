import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.android.packable import foreign_operators, read_packable
from osteo_edge.errors import BundleError

GOLDEN = Path(__file__).resolve().parents[2] / "data"


def with_operator(name: bytes) -> bytes:
    """The golden model with its first operator in place of a custom one."""
    schema = importlib.import_module("ai_edge_litert.schema_py_generated")
    builder = importlib.import_module("flatbuffers").Builder()
    model: Any = schema.ModelT.InitFromPackedBuf((GOLDEN / "golden-float32.tflite").read_bytes(), 0)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = name, 1
    model.operatorCodes.append(code)
    model.subgraphs[0].operators[0].opcodeIndex = len(model.operatorCodes) - 1
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_what_convert_writes_is_of_built_in_operators(precision: str) -> None:
    assert list(foreign_operators((GOLDEN / f"golden-{precision}.tflite").read_bytes())) == []


@pytest.mark.parametrize(("operator", "named"), [(b"FlexErf", "Erf"), (b"KneeFinder", "KneeFinder")])
def test_an_operator_that_a_phone_has_not_is_named_in_one_line(
    golden_bundle: Callable[..., Bundle], operator: bytes, named: str
) -> None:
    bundle = golden_bundle("foreign", precision="float32", model=with_operator(operator))
    with pytest.raises(BundleError) as raised:
        read_packable(bundle.path)
    assert str(raised.value) == (
        f"{bundle.path}: uses {named}, which LiteRT for Android has not; convert it to built-in operators"
    )


@pytest.mark.parametrize("model", [b"", b"no model", bytes(64), b"\xff" * 64, b"\xff\xff\xff\x7fTFL3"], ids=repr)
def test_what_is_no_model_is_one_line(golden_bundle: Callable[..., Bundle], model: bytes) -> None:
    bundle = golden_bundle("damaged", model=model)
    with pytest.raises(BundleError, match="the model is no TFLite file"):
        read_packable(bundle.path)


def test_a_bundle_at_the_limit_is_let_through(bundle: Bundle) -> None:
    size = sum(path.stat().st_size for path in bundle.path.iterdir())
    assert read_packable(bundle.path, max_mb=size / 1e6).path == bundle.path
    with pytest.raises(BundleError, match="convert it to int8"):
        read_packable(bundle.path, max_mb=(size - 1) / 1e6)
