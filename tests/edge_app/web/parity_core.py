"""The page's own TypeScript, bundled as it is for the page, and asked from Python by way of Node."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from osteo_edge.edge_app.web.building import PROJECT, find_npm

Pixels = npt.NDArray[np.float32]

ENTRY: Final = Path(__file__).with_name("parity_core.ts")
PATIENCE_S: Final = 60
CONFIG: Final = """
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const of = createRequire("%s/package.json");
export default {
  input: "%s", platform: "node", logLevel: "silent",
  output: { file: "%s", format: "esm", banner: "const __dirname = '.', __filename = '.';" },
  resolve: { modules: ["%s/node_modules"] },
  plugins: [{
    name: "wasm",
    resolveId: (name) => (name.endsWith("?url") ? "\\0" + name : null),
    load: (id) => id.startsWith("\\0") && id.endsWith("?url")
      ? `export default "data:;base64,${readFileSync(of.resolve(id.slice(1, -4))).toString("base64")}"`
      : null,
  }],
};
"""


class CoreError(Exception):
    """What the page's code threw; `is_for_user` where it is a sentence for the user."""

    def __init__(self, message: str, is_for_user: bool) -> None:
        super().__init__(message)
        self.is_for_user = is_for_user


class Core:
    """The page's code in a process of Node, which answers one question after another."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, question: str, *values: Any) -> Any:
        """The answer to a question of parity_core.ts; `CoreError` for what was thrown."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": question, "values": values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise CoreError(answer["error"], answer["isForUser"])
        return answer["result"]


@contextmanager
def opened_core(shared: dict[str, Any], folder: Path) -> Iterator[Core]:
    """Bundle the code into a folder and run it while the block does; `shared` is what shared.json holds."""
    environ = find_npm()[1]
    bundled, config = folder / "core.mjs", folder / "rolldown.config.mjs"
    config.write_text(CONFIG % (PROJECT, ENTRY, bundled, PROJECT), "utf-8")
    bundling = ["node", str(PROJECT / "node_modules/rolldown/bin/cli.mjs"), "--config", str(config)]
    subprocess.run(bundling, cwd=PROJECT, env=environ, check=True, capture_output=True, timeout=PATIENCE_S)
    node = ["node", "--no-warnings", str(bundled)]
    with subprocess.Popen(node, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        core = Core(process)
        core.ask("open", shared)
        yield core
        process.stdin.close()  # type: ignore[union-attr]
        process.wait(PATIENCE_S)


def packed(plane: npt.ArrayLike) -> dict[str, Any]:
    """A plane as shared.json has them."""
    values = np.ascontiguousarray(plane, "<f4")
    return {"shape": values.shape, "data": base64.b64encode(values.tobytes()).decode()}


def unpacked(plane: dict[str, Any]) -> Pixels:
    """Back from `packed`."""
    return np.frombuffer(base64.b64decode(plane["data"]), "<f4").reshape(plane["shape"])


def text_of(data: bytes) -> str:
    """Bytes as the questions take them."""
    return base64.b64encode(data).decode()
