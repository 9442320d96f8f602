"""The project that buildozer reads, from templates: what is asked for, and the texts with it filled in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.versions import ANDROIDX_CORE, ARCHS, DEFAULT_ARCHS, LITERT, PACKAGE_ID, pins
from osteo_edge.version import VERSION

TEMPLATES: Final = Path(__file__).with_name("project")
FIELD: Final = re.compile(r"@([A-Z0-9_]+)@")
PART_OF_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_ID: Final = 100
JAVA_WORDS: Final = """
abstract as assert boolean break byte case catch char class const continue default do double else enum extends false
final finally float for fun goto if implements import in instanceof int interface is long native new null object
package private protected public return short static strictfp super switch synchronized this throw throws transient
true try typealias typeof val var void volatile when while
"""
"""Words of Java and Kotlin's own: a package that is called so does not compile."""
NATIVE_GPU: Final = '<uses-native-library android:name="libOpenCL.so" android:required="false" />'
"""Since Android 12 an app does not see this library of the device's maker without a word; the delegate needs it."""
LIGHT_PAPER: Final = "#f4f5f6"
DARK_PAPER: Final = "#14171a"
"""The paper of `ui.look.THEMES`: what is seen while the app starts."""
MIN_ANDROID: Final = "7"
"""The name of `versions.MIN_API`."""


@dataclass(frozen=True)
class Project:
    """What is asked for. `package_id` names the app on a phone, and `archs` the processors that it is built for.

    `with_gpu` builds LiteRT's GPU delegate in, which the app then tries beside the processor.
    """

    package_id: str = PACKAGE_ID
    archs: tuple[str, ...] = DEFAULT_ARCHS
    with_gpu: bool = False

    def __post_init__(self) -> None:
        problem = problem_of_id(self.package_id)
        if problem is not None:
            raise ValueError(problem)
        if not self.archs or set(self.archs) - set(ARCHS) or len(set(self.archs)) < len(self.archs):
            raise ValueError(f"archs must be some of {', '.join(ARCHS)}, each once")


def problem_of_id(package_id: str) -> str | None:
    """What keeps a text from being the id of an app, in words; None where nothing does.

    >>> problem_of_id("org.osteoedge.app") is None, problem_of_id("app") is None
    (True, False)
    """
    parts = package_id.split(".")
    if len(parts) < 2 or not all(PART_OF_ID.fullmatch(part) for part in parts):
        return f"{package_id!r} is no id of an app; write it like {PACKAGE_ID}, in small letters"
    if len(package_id) > LONGEST_ID:
        return f"{package_id!r} is longer than {LONGEST_ID} letters"
    word = next((part for part in parts if part in JAVA_WORDS.split()), None)
    return None if word is None else f"{package_id!r} has {word!r} in it, a word of Java's own; choose another"


def version_code(version: str) -> int:
    """The number by which Android tells the newer of two versions: it rises with each, below 2,100,000,000.

    >>> version_code("0.1.0"), version_code("1.12.3")
    (1000, 1012003)
    """
    major, minor, patch = map(int, version.split("."))
    return (major * 1000 + minor) * 1000 + patch


def fields_of(project: Project, *, bundle: str) -> dict[str, str]:
    """What is filled in for each field of the templates; `bundle` is the model's name and version."""
    domain, _, name = project.package_id.rpartition(".")
    return pins() | {
        "VERSION": VERSION,
        "VERSION_CODE": str(version_code(VERSION)),
        "PACKAGE_DOMAIN": domain,
        "PACKAGE_NAME": name,
        "ARCHS": ", ".join(project.archs),
        "LIBRARIES": ", ".join(libraries(project)),
        "NATIVE_LIBRARIES": NATIVE_GPU if project.with_gpu else "",
        "LIGHT_PAPER": LIGHT_PAPER,
        "DARK_PAPER": DARK_PAPER,
        "MIN_ANDROID": MIN_ANDROID,
        "BUNDLE": bundle,
    }


def libraries(project: Project) -> tuple[str, ...]:
    """What Gradle is to fetch, as its coordinates."""
    parts = ("litert", "litert-gpu", "litert-gpu-api") if project.with_gpu else ("litert",)
    return (*(f"com.google.ai.edge.litert:{part}:{LITERT}" for part in parts), f"androidx.core:core:{ANDROIDX_CORE}")


def fill_in(text: str, fields: Mapping[str, str]) -> str:
    """A template's text with its fields filled in; `KeyError` for one that there is nothing for.

    >>> fill_in("kivy==@KIVY@, @xml/rules", {"KIVY": "2.3.1"})
    'kivy==2.3.1, @xml/rules'
    """
    return FIELD.sub(lambda found: fields[found[1]], text)


def project_texts(project: Project, *, bundle: str) -> dict[str, str]:
    """Every text of the project by its name, beside the app itself."""
    fields = fields_of(project, bundle=bundle)
    paths = [path for path in sorted(TEMPLATES.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(TEMPLATES).as_posix(): fill_in(path.read_text("utf-8"), fields) for path in paths}
