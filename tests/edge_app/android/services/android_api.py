"""What the app's Java classes use of Android, and since which level of its API it has been there.

`android_api.txt` says the second, of exactly the names that are used. It was made from the declarations that the
NativeScript project generates from Google's android.jar of each level (npm: @nativescript/types-android, 8.0.0 for
levels 24 to 30 and 9.1.1 for level 37 and androidx). Where a test says that the file is no longer what the sources use:

    npm pack @nativescript/types-android@8.0.0 @nativescript/types-android@9.1.1  (unpacked into V8 and V9)
    python android_api.py CLASSES V8 V9 > android_api.txt               (CLASSES: compiled with the doubles)
"""

import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOREIGN: Final = ("android/", "androidx/", "org/osteoedge/app/EdgeActivity", "org/kivy/")
OURS: Final = "org/osteoedge/app/"
LEVELS: Final = range(24, 31)
NEWEST: Final = 37
ONLY_CONSTANTS: Final = (
    "app/Activity", "content/Context", "provider/MediaStore", "provider/OpenableColumns",
    "view/WindowManager$LayoutParams",
)  # fmt: skip
SIMPLE: Final = {"I": "number", "J": "number", "Z": "boolean", "V": "void"}
TEXTS: Final = ("java.lang.String", "java.lang.CharSequence")


def names_used(classes: Path) -> set[str]:
    """What the app's own compiled classes call and read of others, as javap names it."""
    lines = _javap("-v", "-p", *map(str, sorted((classes / OURS).glob("*.class"))))
    entry = re.compile(r"= (?:Interface)?(?:Method|Field)ref\s.*// (\S+?)\.(\S+)$")
    found = {(match[1], match[2].replace('"', "")) for line in lines if (match := entry.search(line))}
    found = {(holder, member) for holder, member in found if not member.startswith("lambda$")}
    foreign = {(holder, member) for holder, member in found if not _is_declared(classes, holder, member)}
    return {f"{holder}.{member}" for holder, member in foreign if holder.startswith(FOREIGN)}


def constants(classes: Path, names: set[str]) -> set[str]:
    """The constants of the doubles that stand for those of `names`' classes: javac puts their values into the app."""
    files = [classes / f"{name}.class" for name in sorted({name.partition(".")[0] for name in names})]
    files += [classes / f"android/{name}.class" for name in ONLY_CONSTANTS]
    found, holder = set[str](), ""
    for line in _javap("-constants", *(str(file) for file in sorted(set(files)) if file.is_file())):
        if match := re.search(r"(?:class|interface) ([\w.$]+)", line):
            holder = match[1].replace(".", "/")
        elif holder.startswith("android") and (match := re.search(r"static final \S+ (\w+) = (.+);", line)):
            found.add(f"{holder}.{match[1]} = {match[2]}")
    return found


def _is_declared(classes: Path, holder: str, member: str) -> bool:
    """Whether a class of our own has the member itself."""
    if not holder.startswith(OURS):
        return False
    name = member.partition(":")[0]
    return any(re.search(rf"\b{name}\b[(;]", line) for line in _javap("-p", str(classes / f"{holder}.class")))


@functools.cache
def _javap(*arguments: str) -> list[str]:
    return subprocess.run(["javap", *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


class Declarations:
    """The classes of one level: their members, and what they extend."""

    def __init__(self, *files: Path) -> None:
        self.members: dict[str, list[str]] = {}
        self.parents: dict[str, list[str]] = {}
        for file in files:
            self._read(file)

    def has(self, holder: str, member: str) -> bool:
        """Whether a class, or one that it extends, has a member by javap's name for it."""
        name, _, kind = member.partition(":")
        wanted = _as_declared(name, kind)
        seen, waiting = set[str](), [re.sub(r"[/$]", ".", holder)]
        while waiting:
            at = waiting.pop()
            if at in seen:
                continue
            seen.add(at)
            if any(wanted.fullmatch(line) for line in self.members.get(at, ())):
                return True
            waiting += self.parents.get(at, ())
        return False

    def constant(self, holder: str, name: str) -> str | None:
        lines = self.members.get(re.sub(r"[/$]", ".", holder), [])
        start = f"public static {name}: "
        return next((line.removeprefix(start).rstrip(";") for line in lines if line.startswith(start)), None)

    def _read(self, file: Path) -> None:
        within: list[str] = []
        for line in file.read_text("utf-8").splitlines():
            text = line.strip()
            if match := re.match(r"(?:declare|export) (?:abstract )?(?:module|class|interface) ([\w$.]+)", text):
                within.append(match[1])
                if match[0].split()[-2] != "module":
                    self.parents.setdefault(".".join(within), []).extend(
                        one.replace("globalAndroid.", "android.")
                        for one in re.findall(r"[\w$.]*[a-z]\.[\w$.]+", text.partition(match[1])[2])
                    )
            elif text.endswith("{"):
                within.append("")
            elif text.startswith("}"):
                within.pop()
            elif within and within[-1]:
                self.members.setdefault(".".join(within), []).append(text.replace("globalAndroid.", "android."))


def _as_declared(name: str, kind: str) -> re.Pattern[str]:
    """How the declarations write a member."""
    if not kind.startswith("("):
        return re.compile(rf"public (static )?{name}: {_type(kind)};")
    inside, result = re.fullmatch(r"\((.*)\)(.+)", kind).groups()  # type: ignore[union-attr]
    values = ", ".join(rf"\w+: {_type(one)}" for one in re.findall(r"\[*(?:L[^;]+;|[A-Z])", inside))
    if name == "<init>":
        return re.compile(rf"public constructor\({values}\);")
    return re.compile(rf"(public|protected) (static )?{name}(<[^>]*>)?\({values}\): {_type(result)};")


def _type(kind: str) -> str:
    if kind.startswith("["):
        return rf"(native|androidNative)\.Array<{_type(kind[1:])}>"
    if kind in SIMPLE:
        return SIMPLE[kind]
    dotted = kind[1:-1].replace("/", ".").replace("$", ".")
    return "string" if dotted in TEXTS else "any" if dotted == "java.lang.Object" else re.escape(dotted)


def _since(name: str, levels: dict[int, Declarations]) -> str:
    holder, _, member = name.partition(".")
    ours = holder.startswith("org/")
    if holder.startswith("androidx/"):
        return "androidx" if levels[NEWEST].has(holder, member) else "never"
    holder = "android/app/Activity" if ours else holder
    since = (str(level) for level, declared in levels.items() if declared.has(holder, member))
    return next(since, "python-for-android" if ours else "never")


def _lines(classes: Path, old: Path, new: Path) -> Iterator[str]:
    inside = Path("package/lib/android")
    levels = {level: Declarations(old / inside / f"android-platform-{level}.d.ts") for level in LEVELS}
    levels[NEWEST] = Declarations(new / inside / f"android-platform-{NEWEST}.d.ts", new / inside / "androidx-32.d.ts")
    names = names_used(classes)
    yield from (f"{name} {_since(name, levels)}" for name in sorted(names))
    for line in sorted(constants(classes, names)):
        name, _, value = line.partition(" = ")
        declared = levels[NEWEST].constant(*name.split("."))
        yield f"{name} = {value}" if declared == value else f"{name} = {declared}, not {value}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in _lines(*map(Path, sys.argv[1:])))
