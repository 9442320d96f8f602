"""Which texts of the program are messages to be translated: the sources say it, through their syntax trees.

Three kinds are found. What is given to `say` (or `translate`, in a module without a window), as a literal or by the
name of a constant. Any other literal that reads as prose, such as the line of an error: not docstrings, not what goes
to the log, not checks of our own mistakes. And f-strings among them, as templates: `f"{path}: no film {number}"` is the
message "no film {number}", for what a line is about stands before it untranslated (see `catalogue`).
"""

import ast
import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

import osteo_edge
from osteo_edge.edge_app.web.ts_messages import ts_messages

CORE: Final = Path(osteo_edge.__file__).parent
APP: Final = Path(__file__).parents[1]
ROOTS: Final = {"osteo_edge.edge_app": APP, "osteo_edge": CORE}

TERMINAL_ONLY: Final = (
    "android/alignment", "android/apk_check", "android/build", "android/build_checks", "android/build_plan",
    "android/built_in_test", "android/contents", "android/drawing", "android/elf", "android/expected_answer",
    "android/packable", "android/package_command", "android/parts", "android/phone_test", "android/places",
    "android/signing", "android/spec", "android/staging", "android/start", "android/starting_intent",
    "android/system_log", "android/versions", "android/walk", "android/project", "app_command", "app_timing",
    "arrivals", "audit_trail", "encryption_timing", "history/invented", "languages", "ledger", "log_file", "nameless",
    "package_command", "photo_study", "pi", "results_table", "sbom_command", "ui/probe", "ui/window", "virtual_display",
    "watch_command", "watching", "web", "window_start",
)  # fmt: skip
"""Modules and packages of the app of which nothing is seen in the window."""

OF_CORE: Final = (
    "bundle", "dicom", "durable", "errors", "familiarity", "gate", "image_header", "isolated_reading", "locking",
    "overlay", "radiograph", "routing", "audit_log", "litert_java", "runtime", "screening", "signature", "throttling",
    "trust", "verdict", "wording", "writing",
)  # fmt: skip
"""Modules of the core whose lines come up to the window."""

NOT_SHOWN: Final = (
    "SEVERITY_USE", "LAYERS", "CUT_OFF", "TEXT_ON_FILM", "TORN", "measured", "asked_for", "read_events", "verify_log",
    "_wrong_with", "slot", "__post_init__", "disagreement", "named_head",
)  # fmt: skip
"""What stands in model cards and reports only, is looked for, or checks fields of our own making."""

SPEAKING: Final = ("say", "_say", "translate", "_translate")
"""What is called with a message."""
LISTING: Final = ("choices", "map")
"""What is called with several of them, by the name of their constant."""
UNSEEN: Final = ("debug", "info", "warning", "error", "exception", "getLogger", "Thread")
"""What is called with texts that are in no one's sight: the log's lines, names of threads."""
WORKING: Final = ("start", "cancel")
"""What is called with the name of a job: a constant whose text is in no one's sight either."""
OWN_MISTAKES: Final = (
    "ValueError", "TypeError", "KeyError", "LookupError", "RuntimeError", "AssertionError", "FieldError",
)  # fmt: skip
TOLD_MISTAKES: Final = ("exports/restoring.py", "image_header.py", "bundle.py")
"""Modules that put the words of a `ValueError` into the line of an error."""
SYSTEM_ERRORS: Final = (
    errno.ENOENT, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EISDIR, errno.ENOTDIR,
    errno.EBUSY, errno.EMFILE, errno.ENAMETOOLONG, errno.ENODEV, errno.EINVAL, errno.ESTALE, errno.EDQUOT, errno.EFBIG,
    errno.ENXIO, errno.ETIMEDOUT,
)  # fmt: skip
"""What the operating system says of files and disks, in brackets in many a line."""

_NO_PROSE: Final = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE FROM|CREATE|ALTER TABLE|ATTACH|DETACH|PRAGMA|BEGIN IMMEDIATE|NULL|NOTNULL|"
    r"NOT EXISTS|IN \()|"
    r" = (ON|FULL|WAL)$|[=<>,(] ?\?|[?%]\(|%Y|^, |^osteo-edge |--(out|force|precision|data)|\\[swbd]|"
    r"^[\w.-]+/[\w./-]+$"
)
_WORDS: Final = re.compile(r"[^\W\d_]{2,}\S* +\S|\S +\S*[^\W\d_]{2,}|[^\W\d_]{2,}…$")
_LETTERS: Final = re.compile(r"[^\W\d_]{2}")
_PLACEHOLDER: Final = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Message:
    """A text in English, perhaps with {names} in it, and the sources that it stands in."""

    text: str
    places: tuple[str, ...]


def find_messages() -> tuple[Message, ...]:
    """All messages of the app, in the order of their places; those of the web app's own sources come last."""
    found: dict[str, list[str]] = {}
    in_python = ((text, source.label) for source in _sources() for text in messages_in(source))
    for text, label in chain(in_python, ts_messages()):
        places = found.setdefault(text, [])
        if label not in places:
            places.append(label)
    for number in SYSTEM_ERRORS:
        found.setdefault(os.strerror(number), []).append("the operating system")
    return tuple(Message(text, tuple(places)) for text, places in found.items())


@dataclass(frozen=True)
class Source:
    """A file of the program: a module, or what describes a screen."""

    path: Path
    label: str
    module: str

    @property
    def is_kv(self) -> bool:
        return self.path.suffix == ".kv"


def messages_in(source: Source) -> Iterator[str]:
    """The messages of one source, some perhaps more than once."""
    text = source.path.read_text(encoding="utf-8")
    if source.is_kv:
        yield from _messages_in_kv(text, source)
        return
    tree = ast.parse(text)
    tells_mistakes = source.label.endswith(TOLD_MISTAKES)
    yield from _Reader(_names_of(source.module), source, tells_mistakes, _jobs_in(tree)).read(tree)


def _messages_in_kv(text: str, source: Source) -> Iterator[str]:
    names = re.findall(r"^#:import (\w+) (?:([\w.]+)\.)?(\w+)$", text, re.MULTILINE)
    imported = {name: (module, what) for name, module, what in names}
    for expression in calls_in_kv(text):
        yield from _Reader(Names({}, imported), source, tells_mistakes=False).read(expression)


def calls_in_kv(text: str) -> Iterator[ast.Expression]:
    """The calls of `say` and `choices` in the text of a .kv file.

    >>> [ast.unparse(call) for call in calls_in_kv('text: say("Age (years)") + "!"')]
    ["say('Age (years)')"]
    """
    for start in re.finditer(r"(?<![\w.])(say|choices)\(", text):
        for end in re.finditer(r"\)", text[start.end() :]):
            try:
                yield ast.parse(text[start.start() : start.end() + end.end()], mode="eval")
            except SyntaxError:
                continue
            break


def template_of(node: ast.JoinedStr, names: "Names") -> str:
    """An f-string as a template; string constants that it names are put in, other values become {names}.

    >>> tree = ast.parse("f'{self.path / name}: has {len(rows)} rows, not {n:.1f} {n}'", mode="eval").body
    >>> template_of(tree, Names({}, {})) if isinstance(tree, ast.JoinedStr) else None
    'has {rows} rows, not {n} {n}'
    """
    parts, used = list[str](), dict[str, str]()
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value).replace("{", "{{").replace("}", "}}"))
        elif isinstance(value, ast.FormattedValue):
            constant = names.constant(value.value)
            parts.append(constant if constant is not None else f"{{{_name_for(value.value, used)}}}")
    if len(parts) > 1 and parts[0].startswith("{") and parts[1].startswith(": "):
        parts = [parts[1].removeprefix(": "), *parts[2:]]
    return "".join(parts)


def _name_for(value: ast.expr, used: dict[str, str]) -> str:
    """A name for what stands in a template: the last one that the expression holds, made unlike the others."""
    source = ast.unparse(value)
    nodes = list(ast.walk(value))
    if any(isinstance(node, ast.Attribute) and node.attr == "strerror" for node in nodes):
        name = "reason"
    else:
        attributes = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
        functions = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        plain = [node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in functions]
        called = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        is_simple = isinstance(value, ast.Attribute)
        name = (attributes[:1] if is_simple else plain[-1:] or attributes[:1] or called[:1] or ["value"])[0]
    name = name.strip("_").lower() or "value"
    choices = (name, *(f"{name}{number}" for number in range(2, 100)))
    chosen = next(choice for choice in choices if used.get(choice, source) == source)
    used[chosen] = source
    return chosen


def is_prose(text: str) -> bool:
    """Whether a literal may be a text for people: words with spaces between, and nothing of SQL or a pattern.

    >>> [is_prose(text) for text in ("no such bundle", "PixelData", "SELECT id FROM films", "{width} x {height}")]
    [True, False, False, False]
    """
    words = _PLACEHOLDER.sub("0", text)
    return bool(_WORDS.search(words) and _LETTERS.search(words.lower())) and not (
        words.isupper() or _NO_PROSE.search(text)
    )


@dataclass(frozen=True)
class Names:
    """What the names of a module stand for: its own constants, and what it imports from the program."""

    constants: dict[str, ast.expr]
    imported: dict[str, tuple[str, str]]

    def find(self, name: str) -> tuple[ast.expr, "Names"] | None:
        """The expression that a constant was given, with the names of the module that it stands in."""
        if name in self.constants:
            return self.constants[name], self
        module, original = self.imported.get(name, ("", ""))
        return _names_of(module).find(original) if _path_of(module) is not None else None

    def of(self, node: ast.expr) -> tuple[ast.expr, "Names"] | None:
        """What `NAME`, `NAME[...]`, `NAME.get(...)`, `NAME.values()` or `module.NAME` refers to."""
        if isinstance(node, ast.Subscript):
            return self.of(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return self.of(node.func.value)
        if isinstance(node, ast.Name):
            return self.find(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = ".".join(self.imported.get(node.value.id, ("", "")))
            return _names_of(module).find(node.attr) if _path_of(module) is not None else None
        return None

    def constant(self, node: ast.expr) -> str | None:
        """The text of a string constant that is named; None of anything else."""
        found = self.find(node.id) if isinstance(node, ast.Name) else None
        if found is None:
            return None
        value, names = found
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
        return template_of(value, names) if isinstance(value, ast.JoinedStr) else None


class _Reader:
    """Reads one syntax tree."""

    def __init__(self, names: Names, source: Source, tells_mistakes: bool, jobs: Iterable[str] = ()) -> None:
        self._names, self._source, self._tells_mistakes = names, source, tells_mistakes
        self._is_kv, self._unseen = source.is_kv, {*jobs, *NOT_SHOWN}

    def read(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Call):
            yield from self._call(node)
            return
        if isinstance(node, ast.Raise) and self._is_own_mistake(node.exc):
            return
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            yield from self._body(node)
            return
        if isinstance(node, ast.Constant | ast.JoinedStr):
            yield from self._literal(node)
            return
        if isinstance(node, ast.Subscript):  # its key is no text
            yield from self.read(node.value)
            return
        if isinstance(node, ast.Assign | ast.AnnAssign) and self._unseen.intersection(_targets(node)):
            return
        if isinstance(node, ast.Dict) and any(map(self._reads_as_prose, node.values)):
            yield from self._all(node)
            return
        for child in ast.iter_child_nodes(node):
            yield from self.read(child)

    def _body(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) -> Iterator[str]:
        if getattr(node, "name", None) in NOT_SHOWN:
            return
        for part in node.body:
            if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)):  # a docstring
                yield from self.read(part)

    def _call(self, node: ast.Call) -> Iterator[str]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SPEAKING and node.args:
            yield from self._said(node.args[0])
            rest: Iterable[ast.AST] = (*node.args[1:], *node.keywords)
        elif name in LISTING and (self._is_kv or self._lists_messages(node, name)):
            yield from self._said(node.args[-1])
            rest = ()
        else:
            rest = () if name in UNSEEN else (node.func, *node.args, *node.keywords)
        for child in rest:
            yield from self.read(child)

    def _lists_messages(self, node: ast.Call, name: str) -> bool:
        if name == "choices":
            return bool(node.args)
        speaker = node.args[0] if len(node.args) == 2 else None
        return getattr(speaker, "attr", getattr(speaker, "id", "")) in SPEAKING

    def _said(self, node: ast.expr) -> Iterator[str]:
        """What is given to `say`: a literal, one of two, or a constant by its name."""
        if isinstance(node, ast.IfExp):
            yield from self._said(node.body)
            yield from self._said(node.orelse)
        elif isinstance(node, ast.Constant | ast.Dict | ast.Tuple | ast.List):
            yield from self._all(node)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                yield from self._said(value)
        elif (found := self._names.of(node)) is not None:
            value, names = found
            yield from _Reader(names, self._source, self._tells_mistakes)._all(value)
        else:
            yield from self.read(node)

    def _all(self, node: ast.AST) -> Iterator[str]:
        """Every text in an expression but the keys of its dictionaries, single words too."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _LETTERS.search(_PLACEHOLDER.sub("", node.value)):
                yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from self._literal(node)
        elif isinstance(node, ast.Name) and (found := self._names.find(node.id)) is not None:
            yield from _Reader(found[1], self._source, self._tells_mistakes)._all(found[0])
        else:
            for child in node.values if isinstance(node, ast.Dict) else ast.iter_child_nodes(node):
                yield from self._all(child)

    def _literal(self, node: ast.Constant | ast.JoinedStr) -> Iterator[str]:
        if isinstance(node, ast.JoinedStr):
            template = template_of(node, self._names)
            if is_prose(template):
                yield template
            for value in node.values:
                if isinstance(value, ast.FormattedValue):
                    yield from self.read(value.value)
        elif isinstance(node.value, str) and node.value.startswith("\n<"):
            yield from _messages_in_kv(node.value, self._source)
        elif isinstance(node.value, str) and is_prose(node.value):
            yield node.value

    def _reads_as_prose(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and is_prose(node.value)

    def _is_own_mistake(self, raised: ast.expr | None) -> bool:
        name = getattr(getattr(raised, "func", None), "id", "")
        return name in OWN_MISTAKES and not self._tells_mistakes


def _sources() -> Iterator[Source]:
    for path in sorted([*APP.rglob("*.py"), *APP.rglob("*.kv")]):
        inside = path.relative_to(APP)
        if not f"{inside.with_suffix('').as_posix()}/".startswith(tuple(f"{name}/" for name in TERMINAL_ONLY)):
            module = ".".join(("osteo_edge.edge_app", *inside.with_suffix("").parts)).removesuffix(".__init__")
            yield Source(path, f"edge_app/{inside.as_posix()}", module)
    for name in OF_CORE:
        yield Source(CORE / f"{name}.py", f"osteo_edge/{name}.py", f"osteo_edge.{name}")


def _path_of(module: str) -> Path | None:
    for root, folder in ROOTS.items():
        if module == root or module.startswith(f"{root}."):
            inside = folder.joinpath(*module.removeprefix(root).split("."))
            path = inside.with_suffix(".py") if inside != folder else folder / "__init__.py"
            return next((one for one in (path, inside / "__init__.py") if one.is_file()), None)
    return None


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _jobs_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WORKING:
            yield from (argument.id for argument in node.args[:1] if isinstance(argument, ast.Name))


@cache
def _names_of(module: str) -> Names:
    path = _path_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8")) if path is not None else ast.Module([], [])
    constants: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            constants |= dict.fromkeys(_targets(node), node.value)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    imported = {alias.asname or alias.name: (node.module or "", alias.name) for node in imports for alias in node.names}
    return Names(constants, imported)
