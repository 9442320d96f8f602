"""The dependency rule: osteo_edge (core) <- train, convert, benchmarks, edge_app, and these four never each other."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PARTS = ("train", "convert", "benchmarks", "edge_app")
CONFINED = {
    "tensorflow": ("train", "convert", "benchmarks.baselines.frameworks"),
    "tf_keras": ("train", "convert"),
    "keras": ("train", "convert", "benchmarks.baselines.networks"),
    "jax": ("benchmarks.baselines.frameworks",),
    "torch": ("benchmarks.baselines.frameworks",),
    "tensorflow_model_optimization": ("train",),
    "ai_edge_quantizer": ("convert",),
    "sklearn": ("train",),
    "skimage": ("train",),
    "scipy": ("train",),
    "xgboost": ("train",),
    "matplotlib": ("train", "svg_figure"),
    "pyarrow": ("archive",),
    "ray": ("archive.ray_engine",),
    "sqlcipher3": ("edge_app.history",),
    "babel": ("edge_app.languages.extract",),
    "kivy": ("edge_app.ui",),
    "kivymd": ("edge_app.ui",),
    "jnius": ("edge_app.android", "litert_java", "litert_gpu", "ecdsa"),
    "cv2": (  # of what runs on a phone, one topic of `raster` alone: it has a second form there
        "raster", "train", "benchmarks", "edge_app.android.drawing", "edge_app.app_timing", "edge_app.photo_study",
        "edge_app.encryption_timing", "edge_app.light_box.camera", "edge_app.light_box.drawn",
    ),
}  # fmt: skip
TABLES_OF_NAMES = {  # whose strings name modules that are looked for, or imported when a command is called
    "osteo_edge.cli": ("osteo_edge",),
    "osteo_edge.archive.command": ("ray",),
    "osteo_edge.backends": ("tensorflow", "kivy"),
    "osteo_edge.benchmarks.archive.scale": ("ray",),
    "osteo_edge.doctor": (
        "cv2",
        "tensorflow",
        "tf_keras",
        "ai_edge_quantizer",
        "sklearn",
        "skimage",
        "xgboost",
        "kivy",
        "sqlcipher3",
    ),
    "osteo_edge.device_checks": ("kivy",),
    "osteo_edge.benchmarks.measuring.machine": ("tensorflow", "jax"),
    "osteo_edge.edge_app.android.system_log": ("kivy",),
    "osteo_edge.edge_app.app_command": ("kivy",),
    "osteo_edge.edge_app.window_start": ("kivy",),
}


class Import(NamedTuple):
    """A module that a source names: by an import, or by a string that could be given to `import_module`."""

    name: str
    line: int
    is_string: bool = False


def imports(source: str, module: str, *, is_package: bool = False) -> Iterator[Import]:
    """Every module that `source` imports, at its top or later, relative names resolved."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            base = f"{above}.{node.module or ''}".strip(".")
            yield Import(base, node.lineno)
            yield from (Import(f"{base}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in ("import_module", "__import__"):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(argument.value, node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w.]+", node.value):
            yield Import(node.value, node.lineno, is_string=True)


def breaches(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What in the source of `module` breaks the rule, one line each."""
    found = imports(source, module, is_package=is_package)
    return sorted({f"{module}:{used.line}: {why}" for used in found if (why := _breach(used, module))})


def _breach(used: Import, module: str) -> str | None:
    root, part, target = used.name.partition(".")[0], part_of(module), part_of(used.name)
    if used.is_string and (root in TABLES_OF_NAMES.get(module, ()) or used.name == "keras"):  # keras: a format, too
        return None
    if root in (*PARTS, "tests") and not used.is_string:
        return f"imports {used.name}, a second copy of osteo_edge.{used.name} or no module at all"
    if target is not None and target != part:
        return f"{part or 'the core'} imports {used.name}"
    if root in CONFINED and not any(_inside(module, f"osteo_edge.{home}") for home in CONFINED[root]):
        return f"imports {used.name}, which only {' and '.join(CONFINED[root])} may"
    return None


def part_of(module: str) -> str | None:
    """Which of the four parts a module belongs to; None for the core and for what is not ours."""
    return next((part for part in PARTS if _inside(module, f"osteo_edge.{part}")), None)


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    found = {}
    for folder in ("osteo_edge", *PARTS):
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            words = path.relative_to(REPOSITORY).with_suffix("").parts
            words = words if folder == "osteo_edge" else ("osteo_edge", *words)
            found[".".join(words).removesuffix(".__init__")] = path
    return found


MODULES = modules()
TESTS = sorted(path for path in (REPOSITORY / "tests").rglob("*.py") if path != Path(__file__))


def test_the_walk_finds_the_modules() -> None:
    assert {"osteo_edge", "osteo_edge.cli", "osteo_edge.train", "osteo_edge.convert.tflite"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_keeps_the_rule(module: str) -> None:
    path = MODULES[module]
    assert breaches(path.read_text("utf-8"), module, is_package=path.name == "__init__.py") == []


def test_the_packages_of_benchmarks_need_each_other_in_one_direction_only() -> None:
    needs: dict[str, set[str]] = {}
    for module in MODULES:
        if _inside(module, "osteo_edge.benchmarks"):
            used = imports(MODULES[module].read_text("utf-8"), module)
            groups = {one.name.split(".")[2] for one in used if one.name.startswith("osteo_edge.benchmarks.")}
            needs.setdefault(".".join(module.split(".")[2:3]), set()).update(groups)
    order = tuple(TopologicalSorter({group: used - {group} for group, used in needs.items()}).static_order())
    assert order.index("measuring") < order.index("bench")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_no_test_imports_a_folder_by_its_short_name(path: Path) -> None:
    found = [used for used in imports(path.read_text("utf-8"), path.stem) if not used.is_string]
    assert [used for used in found if used.name.partition(".")[0] in PARTS] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("osteo_edge.screening", "import osteo_edge.train.models"),
        ("osteo_edge.screening", "from osteo_edge import convert"),
        ("osteo_edge.screening", "from osteo_edge.benchmarks.bundles import sizes"),
        ("osteo_edge.screening", "from .edge_app import history"),
        ("osteo_edge.screening", "def late():\n    from osteo_edge.train import models"),
        ("osteo_edge.screening", "importlib.import_module('osteo_edge.train.models')"),
        ("osteo_edge.screening", "import_module('osteo_edge.train.models')"),
        ("osteo_edge.screening", "__import__('osteo_edge.train')"),
        ("osteo_edge.screening", "MODULE = 'osteo_edge.train.models'"),
        ("osteo_edge.cli", "import osteo_edge.train.models"),
        ("osteo_edge.cli", "MODULE = 'tensorflow'"),
        ("osteo_edge.train.models", "import osteo_edge.convert"),
        ("osteo_edge.train.models", "from ..benchmarks import sizes"),
        ("osteo_edge.convert.tflite", "from osteo_edge.train import keras"),
        ("osteo_edge.benchmarks.bundles.sizes", "if True:\n    import osteo_edge.edge_app.history"),
        ("osteo_edge.edge_app.history", "from osteo_edge.train.models import build"),
        ("osteo_edge.screening", "import tensorflow as tf"),
        ("osteo_edge.screening", "from tensorflow.lite import Interpreter"),
        ("osteo_edge.screening", "MODULES = ('tensorflow', 'tf_keras')"),
        ("osteo_edge.runtime", "import tensorflow"),
        ("osteo_edge.doctor", "import_module('tf_keras')"),
        ("osteo_edge.benchmarks.bundles.sizes", "try:\n    import tensorflow\nexcept ImportError:\n    pass"),
        ("osteo_edge.edge_app.ui.screens", "import keras"),
        ("osteo_edge.convert.tflite", "import tensorflow_model_optimization"),
        ("osteo_edge.train.models", "from ai_edge_quantizer import quantizer"),
        ("osteo_edge.edge_app.history", "from kivy.app import App"),
        ("osteo_edge.train.models", "import kivy"),
        ("osteo_edge.train.models", "import train"),
        ("osteo_edge.train.models", "from convert.tflite import to_tflite"),
        ("osteo_edge.screening", "def late():\n    from benchmarks import sizes"),
        ("osteo_edge.screening", "import tests.conftest"),
    ],
)
def test_every_breach_is_noticed(module: str, source: str) -> None:
    (problem, *_) = breaches(source, module)
    assert problem.startswith(f"{module}:")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("osteo_edge.screening", "import numpy\nfrom osteo_edge import gate\nfrom .bundle import Bundle"),
        ("osteo_edge.cli", "ENTRY = 'osteo_edge.train.train_command'"),
        ("osteo_edge.backends", "BACKEND = 'tensorflow.lite.python.interpreter'"),
        ("osteo_edge.doctor", "NEEDED = ('tensorflow', 'tf_keras')"),
        ("osteo_edge.split", "PARTS = ('train', 'test')"),
        ("osteo_edge.manifest", "FORMATS = ('keras', 'tflite')"),
        (
            "osteo_edge.train.models",
            "from .keras import load\nfrom ..bundle import Bundle\nimport tensorflow_model_optimization",
        ),
        ("osteo_edge.convert.tflite", "def late():\n    import tensorflow, tf_keras"),
        ("osteo_edge.edge_app.ui.screens", "from kivy.app import App\nfrom ..history import History"),
        ("osteo_edge.benchmarks.bundles.sizes", "'''Compares with osteo_edge.train and tensorflow.'''"),
    ],
)
def test_what_is_allowed_is_let_through(module: str, source: str) -> None:
    assert breaches(source, module) == []


def test_a_relative_import_in_a_package_counts_from_the_package() -> None:
    source = "from . import models\nfrom .. import convert"
    assert [used.name for used in imports(source, "osteo_edge.train", is_package=True)] == [
        "osteo_edge.train",
        "osteo_edge.train.models",
        "osteo_edge",
        "osteo_edge.convert",
    ]
    assert len(breaches(source, "osteo_edge.train", is_package=True)) == 1
