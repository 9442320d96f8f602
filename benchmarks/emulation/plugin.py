"""The emulator's plugin that counts instructions, compiled on first use."""

from enum import IntEnum
from pathlib import Path

from osteo_edge.benchmarks.emulation.host import run_tool
from osteo_edge.cache import made_once
from osteo_edge.hashing import sha256_file

SOURCE = Path(__file__).with_name("instruction_kinds.c")
LIBRARY = "instruction_kinds.so"


class Kind(IntEnum):
    """The kinds of instructions, in the order of the plugin's counters."""

    DOT_PRODUCT = 0
    MULTIPLY_ACCUMULATE = 1
    LOAD = 2
    STORE = 3
    OTHER = 4


def compiled_plugin() -> Path:
    """The shared library; `OsteoEdgeError`, with the compiler's error, if it cannot be compiled.

    The emulator's functions that it calls are only there inside the emulator: bound when called, not when loaded.
    """

    def make(folder: Path) -> None:
        flags = ["-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,lazy"]
        run_tool(["gcc", *flags, "-o", folder / LIBRARY, SOURCE], "compiling the emulator's plugin")

    return made_once(f"plugin-{sha256_file(SOURCE)[:12]}", make) / LIBRARY


def plugin_option(plugin: Path, counters: Path) -> str:
    """What QEMU's -plugin is given: the library, and the file to count into. A comma is written twice there.

    >>> plugin_option(Path("/a,b/kinds.so"), Path("/tmp/counters"))
    '/a,,b/kinds.so,out=/tmp/counters'
    """
    library, file = (str(path).replace(",", ",,") for path in (plugin, counters))
    return f"{library},out={file}"
