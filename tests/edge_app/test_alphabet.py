import unicodedata
from importlib.util import find_spec
from pathlib import Path

import pytest

from osteo_edge.edge_app.alphabet import RANGES, is_shown


def fonts() -> list[Path]:
    """Those of the window and of the reports."""
    from osteo_edge.edge_app.exports.sheet import FONTS

    kivy = find_spec("kivy")
    if kivy is None or kivy.origin is None:
        pytest.skip("no Kivy: pip install 'osteo-edge[app]'")
    window = Path(kivy.origin).parent / "data" / "fonts"
    return [window / "Roboto-Regular.ttf", window / "Roboto-Bold.ttf", *sorted(FONTS.glob("*.ttf"))]


def test_both_fonts_have_every_letter_that_may_be_typed() -> None:
    fonts_of = pytest.importorskip("fontTools.ttLib")

    typed = {code for first, last in RANGES for code in range(first, last + 1) if chr(code).isprintable()}
    found = fonts()
    assert len(found) == 4
    for path in found:
        with fonts_of.TTFont(path) as font:
            assert typed <= font.getBestCmap().keys(), path.name


@pytest.mark.parametrize(
    "text", ["", "K-17/b", "Hôpital de Kisangani", "Больница № 7", "Νοσοκομείο", "Bệnh viện", "“A” – 1 €"]
)
def test_a_text_in_latin_greek_or_cyrillic_is_shown(text: str) -> None:
    assert is_shown(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize("text", ["患者1", "K-ሰላም", "०१", "مرضى", "K\n1", "😀", "Ѐ\u0483", "\u200b", "\udce9"])
def test_a_text_with_other_letters_is_not(text: str) -> None:
    assert not is_shown(text)
