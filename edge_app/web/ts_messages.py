"""Which texts of the web app are messages to be translated: its TypeScript says it.

They are literals in double quotes: what is given to `say`, `msg` or `ScreeningError`, and constants that are sentences.
What the page has from `shared.json` are messages of the Python that it is from.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.web.building import PROJECT

SOURCES: Final = PROJECT / "src"
LITERAL: Final = r'"((?:[^"\\\n]|\\.)*)"'
GIVEN: Final = re.compile(rf"\b(?:say|msg|ScreeningError)\(\s*{LITERAL}")
CONSTANT: Final = re.compile(rf"\bconst [A-Z][A-Z_]* =\s*{LITERAL};")
SENTENCE: Final = re.compile(r"[A-Z].* .*[.?!]")


def ts_messages(folder: Path = SOURCES) -> Iterator[tuple[str, str]]:
    """Each message with the source that it stands in, some perhaps more than once; none where there are no sources."""
    for path in sorted(folder.rglob("*.ts")):
        label = f"edge_app/web/project/src/{path.relative_to(folder).as_posix()}"
        yield from ((text, label) for text in messages_in(path.read_text("utf-8")))


def messages_in(source: str) -> Iterator[str]:
    """The messages of one source, in the order of their kinds.

    >>> list(messages_in('say("Save"); const BAD = "The film is bad."; const KEY = "a b";'))
    ['Save', 'The film is bad.']
    """
    for literal in GIVEN.findall(source):
        yield json.loads(f'"{literal}"')
    for literal in CONSTANT.findall(source):
        if SENTENCE.fullmatch(literal):
            yield json.loads(f'"{literal}"')
