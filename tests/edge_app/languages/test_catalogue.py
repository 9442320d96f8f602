import gettext
import io
import struct
import subprocess
import sys
import time

import pytest

from osteo_edge.edge_app.languages import catalogue
from osteo_edge.edge_app.languages.catalogue import Catalogue, open_catalogue, read_mo
from osteo_edge.edge_app.languages.extract import LANGUAGES, paths_of

KNOWN = {
    "cannot be read ({reason}); check the disk": "illisible ({reason}) ; vérifiez le disque",
    "No space left on device": "plus de place",
    "camera {number}: gives no picture": "caméra {number} : aucune image",
    "score {score}": "note {score}",
    "{number} is below the threshold {threshold}": "{number} est sous le seuil {threshold}",
    "{words} now": "{words} maintenant",
    "throttled": "ralenti",
    "{name} files are not supported": "les fichiers {name} ne sont pas acceptés",
    "{what} cannot be written": "{what} : écriture impossible",
    "the settings": "les réglages",
    "History": "Historique",
    "{count} of {all} %": "{all} dont {count} %",
    "a set {{of}} braces {x}": "des accolades {{of}} {x}",
}


@pytest.fixture(scope="module")
def french() -> Catalogue:
    return Catalogue(KNOWN)


@pytest.mark.parametrize(
    ("line", "translated"),
    [
        ("History", "Historique"),
        ("camera 0: gives no picture", "caméra 0 : aucune image"),
        ("/a: b/c.jpg: cannot be read (No space left on device); check the disk",
         "/a: b/c.jpg: illisible (plus de place) ; vérifiez le disque"),
        ("cannot be read (never heard of); check the disk", "illisible (never heard of) ; vérifiez le disque"),
        ("score 0.05 is below the threshold 0.72", "note 0.05 est sous le seuil 0.72"),
        ("throttled now", "ralenti maintenant"),
        ("/films/x.gif: GIF files are not supported", "/films/x.gif: les fichiers GIF ne sont pas acceptés"),
        ("the settings cannot be written", "les réglages : écriture impossible"),
        ("throttled; History", "ralenti; Historique"),
        ("3 of 4 %", "4 dont 3 %"),
        ("a set {of} braces 1", "des accolades {of} 1"),
    ],
)  # fmt: skip
def test_a_line_is_translated_by_its_template(french: Catalogue, line: str, translated: str) -> None:
    assert french(line) == translated


@pytest.mark.parametrize(
    "line", ["", "never heard of", "Call me now", "no: such: line: there: is: in: it: at: all", "12"]
)
def test_what_is_not_known_stays(french: Catalogue, line: str) -> None:
    assert french(line) == line


def test_data_that_read_like_a_message_stay(french: Catalogue) -> None:
    assert french("History files are not supported") == "les fichiers History ne sont pas acceptés"


def test_a_line_with_a_thousand_colons_and_semicolons_takes_no_time(french: Catalogue) -> None:
    start = time.perf_counter()
    assert french("a: b; " * 1000) == "a: b; " * 1000
    assert time.perf_counter() - start < 1


def test_english_and_unknown_languages_stay_as_they_are() -> None:
    assert open_catalogue("en") is str
    assert open_catalogue("xx")("History") == "History"


@pytest.mark.parametrize(
    "data", [b"", b"no catalogue at all, but long enough", struct.pack("<5I", 0x950412DE, 0, 9, 28, 99)]
)
def test_a_damaged_catalogue_leaves_the_app_in_english(
    data: bytes, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "zz" / "LC_MESSAGES").mkdir(parents=True)
    (folder / "zz" / "LC_MESSAGES" / "osteo_edge.mo").write_bytes(data)
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    open_catalogue.cache_clear()
    assert open_catalogue("zz")("History") == "History"


@pytest.mark.parametrize(
    ("language", "one", "two"),
    [
        ("fr", "1 fil d'exécution", "2 fils d'exécution"),
        ("es", "1 hilo", "2 hilos"),
        ("sw", "uzi 1", "nyuzi 2"),
    ],
)
def test_the_threads_of_a_runtime_are_counted_as_the_language_counts(language: str, one: str, two: str) -> None:
    translate = open_catalogue(language)
    assert translate("LiteRT 2.1.0, 1 thread") == f"LiteRT 2.1.0, {one}"
    assert translate("LiteRT 2.1.0, 2 threads") == f"LiteRT 2.1.0, {two}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogues_are_read_as_gettext_reads_them(language: str) -> None:
    data = paths_of(language)[1].read_bytes()
    reference = gettext.GNUTranslations(io.BytesIO(data))
    known = read_mo(data)
    assert len(known) > 300
    assert {message: reference.gettext(message) for message in known} == known


@pytest.mark.timed
def test_opening_a_catalogue_does_not_hold_up_the_start() -> None:
    """In a process of its own, since it counts once: less than 10 ms on the machine that this was written on."""
    program = (
        "import time; from osteo_edge.edge_app.languages.catalogue import open_catalogue; start = time.perf_counter();"
        "open_catalogue('fr')('History'); print(time.perf_counter() - start);"
        "import sys; assert not {'babel', 'gettext', 'kivy', 'numpy'} & set(sys.modules)"
    )
    taken_s = min(float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(3))
    assert taken_s < 0.03
