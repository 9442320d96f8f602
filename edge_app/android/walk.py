"""Which modules of the program an entry module needs: found in their sources, without importing any."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

PACKAGE: Final = "osteo_edge"


def modules_of(files: Mapping[str, Path]) -> dict[str, Path]:
    """The modules by their full names, of files by their names in a wheel."""
    names = {name: path for name, path in files.items() if name.endswith(".py")}
    return {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for name, path in names.items()}


def needed_modules(entries: Iterable[str], modules: Mapping[str, Path], *, left_out: Iterable[str] = ()) -> set[str]:
    """The entries and every module of the program that they import, at any depth, and the packages around them.

    An import counts wherever it stands, in a function or under a condition; so does a string that is the whole name of
    a module, since some are imported by it. `left_out` are modules, and packages with all in them, that are not
    followed. Raises `ValueError` for an entry that is no module.
    """
    unknown = sorted(set(entries) - set(modules))
    if unknown:
        raise ValueError(f"{unknown[0]} is no module of the program")
    out = tuple(left_out)
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name in found or name not in modules or any(_inside(name, one) for one in out):
            continue
        found.add(name)
        waiting += _around(name)
        path = modules[name]
        waiting += imported(path.read_text("utf-8"), name, is_package=path.name == "__init__.py")
    return found


def imported(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """Every name that `source` may import, modules and what is in them alike, relative ones resolved.

    >>> sorted(imported("from .bundle import Bundle", "osteo_edge.screening"))
    ['osteo_edge.bundle', 'osteo_edge.bundle.Bundle']
    """
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_own(node.value):
            yield node.value


def _around(name: str) -> list[str]:
    words = name.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def _inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _is_own(text: str) -> bool:
    return re.fullmatch(rf"{PACKAGE}(\.\w+)+", text) is not None
