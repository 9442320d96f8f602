"""Bring the catalogues up to date with the sources: python -m osteo_edge.edge_app.languages.extract

It writes all messages to osteo_edge.pot, and for each language those that are new, without a translation, to its
osteo_edge.po, from which it drops what is no message any more; translations stay as they are. Then it compiles the .mo
files, which the app reads. Run it after changing any text, translate what is empty, and run it again. Needs Babel,
which comes with the dev extra.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

import click
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from osteo_edge.edge_app.languages.catalogue import DOMAIN, FOLDER, read_mo
from osteo_edge.edge_app.languages.messages import Message, find_messages
from osteo_edge.edge_app.settings import Language

LANGUAGES: Final = tuple(language for language in get_args(Language) if language != "en")
WIDTH: Final = 110
REVIEW: Final = "awaiting a native clinician's review"

HEADER: Final = """\
# osteo-edge: the texts of the app{of}.
# {status}
msgid ""
msgstr ""
"Project-Id-Version: osteo-edge\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
NAMES: Final = {"fr": "French", "es": "Spanish", "sw": "Swahili"}


def paths_of(language: str, folder: Path = FOLDER) -> tuple[Path, Path]:
    """The catalogue of a language as it is edited and as it is read: .po and .mo."""
    path = folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    return path, path.with_suffix(".mo")


def template(messages: Iterable[Message]) -> str:
    """The text of the .pot: all messages, with the sources in which they stand."""
    return _text(_catalog(messages, {}), HEADER.format(of="", status="Template: no translations.", language=""))


def read_translations(path: Path, language: str) -> Catalog:
    """What a .po file holds; an empty catalogue where there is none."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def merged(messages: Iterable[Message], translations: Catalog, language: str) -> tuple[str, Catalog]:
    """The text of a .po with the messages of today and the translations that there are; and as a catalogue."""
    known = {str(one.id): str(one.string) for one in translations if one.id and one.string and not one.fuzzy}
    catalog = _catalog(messages, known, language)
    return _text(catalog, HEADER.format(of=f" in {NAMES[language]}", status=f"Status: {REVIEW}.", language=language)), (
        catalog
    )


def compiled(catalog: Catalog) -> bytes:
    """The catalogue as the app reads it; its header holds the time, so that no two are the same."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def update(folder: Path = FOLDER) -> dict[str, int]:
    """Bring all catalogues below `folder` up to date; gives how many messages each language has no translation of."""
    messages = find_messages()
    _write_if_changed(folder / f"{DOMAIN}.pot", template(messages).encode())
    missing = {}
    for language in LANGUAGES:
        po, mo = paths_of(language, folder)
        po.parent.mkdir(parents=True, exist_ok=True)
        text, catalog = merged(messages, read_translations(po, language), language)
        _write_if_changed(po, text.encode())
        data = compiled(catalog)
        if not mo.exists() or read_mo(mo.read_bytes()) != read_mo(data):
            mo.write_bytes(data)
        missing[language] = sum(1 for one in catalog if one.id and not one.string)
    return missing


def _catalog(messages: Iterable[Message], translations: dict[str, str], language: str | None = None) -> Catalog:
    catalog = Catalog(locale=language, project="osteo-edge", charset="utf-8", fuzzy=False)
    for message in messages:
        places = [(place, 0) for place in message.places]
        added = catalog.add(message.text, translations.get(message.text, ""), locations=places)
        added.flags.discard("python-format")  # "5 % slower" is none
    return catalog


def _text(catalog: Catalog, header: str) -> str:
    file = io.BytesIO()
    write_po(file, catalog, width=WIDTH, omit_header=True, include_lineno=False)
    return header + file.getvalue().decode("utf-8").lstrip("\n")


def _write_if_changed(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)


def main() -> None:
    """Bring the catalogues up to date, and say what is left to translate."""
    for language, missing in update().items():
        po, _ = paths_of(language)
        click.echo(f"{NAMES[language]}: {missing or 'no'} messages to translate ({po})")


if __name__ == "__main__":
    main()
