import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from osteo_edge.edge_app.languages.catalogue import DOMAIN, FOLDER, read_mo
from osteo_edge.edge_app.languages.extract import (
    LANGUAGES,
    REVIEW,
    compiled,
    main,
    paths_of,
    read_translations,
    template,
    update,
)
from osteo_edge.edge_app.languages.messages import find_messages

TO_DO = "run python -m osteo_edge.edge_app.languages.extract, and translate what is empty in the .po files"
UNTRUE = {
    "fr": r"\bnormal|\bsain|\brassur|\bgaranti|\bguéri",
    "es": r"\bnormal|\bsan[oa]s?\b|\bsaludable|\bgarantiz",
    "sw": r"\bkawaida\b|\bmwenye afya\b|\bana afya\b|\bmzima\b|\bhakikisho\b|\bsalama kabisa\b",
}
"""What no text may say of a patient, and no promise."""
INFORMAL = {
    "fr": r"\b(tu|ton|ta|tes|toi)\b",
    "es": r"\b(tú|tu|tus)\b|(^|[.;:] )(elige|escribe|revisa|comprueba|guarda|pulsa|cierra|abre|toca)\b",
    "sw": r"(?!)",
}


def names_in(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def pairs(language: str) -> Iterator[tuple[str, str]]:
    for one in read_translations(paths_of(language)[0], language):
        if one.id:
            yield str(one.id), str(one.string)


def test_the_template_is_that_of_the_sources() -> None:
    assert (FOLDER / f"{DOMAIN}.pot").read_text(encoding="utf-8") == template(find_messages()), TO_DO


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language: str) -> None:
    catalog = read_translations(paths_of(language)[0], language)
    assert [one.id for one in catalog if one.id] == [message.text for message in find_messages()], TO_DO
    assert [one.id for one in catalog if one.id and (not one.string or one.fuzzy)] == [], TO_DO


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_app_reads_is_what_is_edited(language: str) -> None:
    po, mo = paths_of(language)
    assert read_mo(mo.read_bytes()) == read_mo(compiled(read_translations(po, language))), TO_DO


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_have_the_values_of_their_messages(language: str) -> None:
    differing = [message for message, text in pairs(language) if text and names_in(text) != names_in(message)]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_begin_and_end_as_their_messages(language: str) -> None:
    """A capital where there is one, and the same sign at the end: lines are put together of them."""
    wrong = []
    for message, text in pairs(language):
        for sign in ".?…!:":
            if text and message.endswith(sign) != text.endswith(sign):
                wrong.append((message, text))
        if text and message[0].islower() and text[0].isupper() and not text.split()[0].isupper():
            wrong.append((message, text))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_soothes_promises_or_is_familiar(language: str) -> None:
    texts = [text for _, text in pairs(language)]
    assert [text for text in texts if re.search(UNTRUE[language], text, re.IGNORECASE)] == []
    assert [text for text in texts if re.search(INFORMAL[language], text, re.IGNORECASE)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_reviewed_says_so(language: str) -> None:
    assert REVIEW in paths_of(language)[0].read_text(encoding="utf-8").splitlines()[1]


def test_new_messages_are_added_old_ones_go_and_translations_stay(tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "fr", tmp_path / "fr")
    po, mo = paths_of("fr", tmp_path)
    empty = update(tmp_path)["fr"]
    text = po.read_text(encoding="utf-8")
    known, rest = re.split(r'(?=\nmsgid "History"\n)', text, maxsplit=1)
    rest = rest.split("\n\n", 1)[1]
    po.write_text(f'{known}\nmsgid "no message any more"\nmsgstr "ancien"\n\n{rest}', encoding="utf-8")
    missing = update(tmp_path)
    updated = po.read_text(encoding="utf-8")
    assert missing["fr"] == empty + 1
    assert 'msgid "History"\nmsgstr ""' in updated
    assert "no message any more" not in updated
    kept = read_mo(mo.read_bytes())
    assert "History" not in kept
    assert kept["Help"] == dict(pairs("fr"))["Help"]
    before = mo.read_bytes()
    update(tmp_path)
    assert mo.read_bytes() == before


def test_the_command_says_what_is_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteo_edge.edge_app.languages.extract.update", lambda: {"fr": 3, "es": 0})
    main()
    assert capsys.readouterr().out.splitlines()[0].startswith("French: 3 messages to translate (")
