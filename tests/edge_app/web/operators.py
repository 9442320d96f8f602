"""Which operators LiteRT.js has: a model of one operator each is loaded in Chromium, and what it says is read.

    python -m tests.edge_app.web.operators

writes edge_app/web/litert_operators.json, which `package web` holds a model's operators to.
"""

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema
from playwright.sync_api import Page, sync_playwright

from osteo_edge.edge_app.web.building import PROJECT
from osteo_edge.edge_app.web.headers import type_of
from osteo_edge.edge_app.web.serving import Content, open_server
from osteo_edge.edge_app.web.suitable import OPERATORS
from tests.edge_app.web.conftest import CHROMIUM

PACKAGES = PROJECT / "node_modules" / "@litertjs"
NOT_OPERATORS = ("PLACEHOLDER_FOR_GREATER_OP_CODES", "CUSTOM", "DELEGATE")
VERSIONS = (1, 2)
"""Some operators begin with their second version."""
MISSING = "Didn't find op for builtin opcode"
PAGE = b"""<!doctype html><script type="importmap">
{"imports": {"@litertjs/wasm-utils": "./wasm-utils/dist/index.js", "@litertjs/core": "./core/dist/index.js"}}
</script><script type="module">
import { loadLiteRt, loadAndCompile } from "@litertjs/core";
window.load = async (text) => {
  const model = await loadAndCompile(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), { accelerator: "wasm" });
  model.delete();
};
await loadLiteRt("./core/wasm/");
window.isReady = true;
</script>"""


def package_version() -> str:
    """The version of LiteRT.js that is tried."""
    version: str = json.loads((PACKAGES / "core" / "package.json").read_text("utf-8"))["version"]
    return version


def known_operators() -> dict[str, int]:
    """Every built-in operator of the format by its name."""
    names = {name: code for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    return {name: code for name, code in names.items() if name not in NOT_OPERATORS}


def model_with(code: int, version: int = 1) -> bytes:
    """A TFLite file with one operator of a version, one float32 input and one output."""
    model = schema.ModelT()
    model.version = 3
    operator_code = schema.OperatorCodeT()
    operator_code.builtinCode, operator_code.deprecatedBuiltinCode, operator_code.version = (
        code,
        min(code, 127),
        version,
    )
    model.operatorCodes = [operator_code]
    graph = schema.SubGraphT()
    graph.tensors = [_tensor(b"in"), _tensor(b"out")]
    graph.inputs, graph.outputs = [0], [1]
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    graph.operators = [operator]
    model.subgraphs, model.buffers = [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _tensor(name: bytes) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [1, 4], schema.TensorType.FLOAT32, 0
    return tensor


def site() -> dict[str, Content]:
    """A page with LiteRT.js as its package brings it."""
    files = {path.relative_to(PACKAGES).as_posix(): path.read_bytes() for path in PACKAGES.rglob("*") if path.is_file()}
    contents = {"/index.html": PAGE} | {f"/{name}": data for name, data in files.items()}
    found = {path: Content(path, data, {"Content-Type": type_of(path)}, path) for path, data in contents.items()}
    return found | {"/": found["/index.html"]}


def complaint(page: Page, said: list[str], model: bytes) -> str:
    """What LiteRT.js says of a model that it does not load; "" of one that it does."""
    said.clear()
    error = page.evaluate(
        "async (text) => { try { await window.load(text); return '' } catch (error) { return String(error) } }",
        base64.b64encode(model).decode(),
    )
    return " ".join([*said, error]).strip()


def opened(browser: Any, address: str) -> tuple[Page, list[str]]:
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    page.wait_for_function("window.isReady === true")
    return page, said


def missing_operators() -> Iterator[tuple[str, bool]]:
    """Each built-in operator, and whether LiteRT.js lacks it."""
    with sync_playwright() as playwright, open_server("127.0.0.1", 0, site()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page, said = opened(browser, address)
        for name, code in known_operators().items():
            for version in VERSIONS:
                told = complaint(page, said, model_with(code, version))
                if "RuntimeError" in told:  # a model without the options that its operator needs: the program is lost
                    page.close()
                    page, said = opened(browser, address)
                if MISSING not in told:
                    break
            yield name, MISSING in told
        browser.close()


if __name__ == "__main__":
    there = sorted(name for name, is_missing in missing_operators() if not is_missing)
    OPERATORS.write_text(json.dumps({"litert": package_version(), "operators": there}, indent=1) + "\n", "utf-8")
