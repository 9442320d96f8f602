"""A model card without its Markdown: blocks that a screen can show one below the other.

No Markdown library is needed for what a card has: headings, paragraphs, lists and tables. What it cannot read it shows
as it stands, and a card of any length gives a bounded number of short blocks, since anybody can write one. One word is
replaced: the class "normal" is told by its T-score, as everywhere in the window, or, of a model that looks for what is
abnormal, by what its labels say. The file stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Final, Literal

from osteo_edge.edge_app.dxa import DXA_WORDS
from osteo_edge.edge_app.long_texts import CUT
from osteo_edge.errors import BundleError

Kind = Literal["title", "heading", "text", "item", "row"]

FILE_NAME: Final = "MODEL_CARD.md"
MAX_BYTES: Final = 1 << 16
MAX_BLOCKS: Final = 400
MAX_LETTERS: Final = 2000
NORMAL_CLASS: Final = f"DXA {DXA_WORDS['normal']}"
"""What a class is called here that cards name "normal": no screen calls anybody so."""
NOT_ABNORMAL: Final = "not labelled abnormal"
"""The same of a model that looks for abnormalities; its knees, if it knows them, are asked for bone density."""

_HEADING: Final = re.compile(r"(#{1,6})\s+(.*)")
_ITEM: Final = re.compile(r"([-*+]|\d{1,3}[.)])\s+(.*)")
_NORMAL: Final = re.compile(r"(\bknee )?\bnormal\b", re.IGNORECASE)
_ABNORMAL: Final = re.compile(r"\babnormal\b", re.IGNORECASE)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)")


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, item of a list, or row of a table as a line."""

    kind: Kind
    text: str


def read_card(folder: Path) -> tuple[Block, ...]:
    """The blocks of the card in a bundle's folder, () where it has none; `BundleError` where it cannot be read."""
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror or error})") from error
    card = data[:MAX_BYTES].decode("utf-8", "replace")
    return blocks_of(card if len(data) <= MAX_BYTES else f"{card}\n\n{CUT}")


def blocks_of(card: str) -> tuple[Block, ...]:
    """The blocks of a card in Markdown.

    >>> for block in blocks_of("# knee\\n\\nSome *plain*\\nwords\\n\\n| Metric | n |\\n| --- | --- |\\n| AUROC | 96 |"):
    ...     print(block.kind, "-", block.text)
    title - knee
    text - Some plain words
    row - AUROC: n 96
    """
    blocks = tuple(islice(_blocks(_told(card)), MAX_BLOCKS + 1))
    return blocks if len(blocks) <= MAX_BLOCKS else (*blocks[:MAX_BLOCKS], Block("text", CUT))


def _told(card: str) -> str:
    """The card with the class "normal" told otherwise."""
    others = NOT_ABNORMAL if _ABNORMAL.search(card) else NORMAL_CLASS
    return _NORMAL.sub(lambda found: f"{found[1]}{NORMAL_CLASS}" if found[1] else others, card)


def _blocks(card: str) -> Iterator[Block]:
    lines = [line.strip() for line in card.splitlines()]
    for kind, group in groupby(lines, _kind_of_line):
        if kind == "table":
            yield from _rows(list(group))
        elif kind == "words":
            yield from _paragraphs(group)


def _kind_of_line(line: str) -> str:
    return "table" if line.startswith("|") else "words" if line else "gap"


def _paragraphs(lines: Iterator[str]) -> Iterator[Block]:
    """Headings, items, and what stands between them; a line that begins nothing of its own goes on with the last."""
    gathered: list[str] = []
    kind: Kind = "text"
    for line in lines:
        heading, item = _HEADING.fullmatch(line), _ITEM.fullmatch(line)
        if not heading and not item:
            gathered.append(line)
            continue
        yield from _block(kind, gathered)
        gathered, kind = [], "text"
        if heading:
            yield from _block("title" if len(heading[1]) == 1 else "heading", [heading[2].rstrip("# ")])
        elif item:
            gathered, kind = [item[2]], "item"
    yield from _block(kind, gathered)


def _rows(lines: Sequence[str]) -> Iterator[Block]:
    """A table's rows as lines: the first cell, then each other one after the name of its column."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not _is_rule(line)]
    has_names = len(lines) > 1 and _is_rule(lines[1])
    names = cells[0] if has_names else []
    for row in cells[1:] if has_names else cells:
        first, *others = row
        called = [f"{names[at]} {cell}" if at < len(names) else cell for at, cell in enumerate(others, 1)]
        yield from _block("row", [f"{first}: {', '.join(called)}" if called else first])


def _is_rule(line: str) -> bool:
    """Whether it is the line between a table's head and its rows."""
    return "-" in line and set(line) <= set("|:- ")


def _block(kind: Kind, lines: Sequence[str]) -> Iterator[Block]:
    whole = " ".join(lines)
    text = _plain(whole[:MAX_LETTERS])
    if text:
        yield Block(kind, text if len(whole) <= MAX_LETTERS else f"{text}{CUT}")


def _plain(text: str) -> str:
    """Without the marks of emphasis, code and links, and without what cannot be seen."""
    text = _LINK.sub(lambda found: f"{found[1]} ({found[2]})" if found[2] else found[1], text)
    text = re.sub(r"\*\*|__|`", "", text)
    text = re.sub(r"(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)", "", text)
    return "".join(character if character.isprintable() else " " for character in text).strip()
