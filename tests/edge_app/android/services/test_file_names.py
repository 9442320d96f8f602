import pytest

from osteo_edge.edge_app.android.services.file_names import LONGEST_BYTES, safe_name

DICOM = bytes(128) + b"DICM"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("claimed", "name"),
    [
        ("knee left.png", "knee left.png"),
        ("/etc/passwd.png", "passwd.png"),
        ("../../databases/history.db", "history.db"),
        ("..\\..\\history.db", "history.db"),
        (".hidden.png", "hidden.png"),
        ("..", "film.png"),
        ("", "film.png"),
        (None, "film.png"),
        (".png", "film.png"),
        ("a\x00b\nc\u202egnp.png", "a b c gnp.png"),
        ("\ud800knee.png", "knee.png"),
        ("knee.png ", "knee.png"),
        ("  many   blanks .png", "many blanks.png"),
        ("e\u0301tude.PNG", "étude.PNG"),
        ("knee", "knee.png"),
        ("knee.", "knee"),
        ("1.2.840.10008.1", "1.2.840.10008.1"),
        ("report.pdf", "report.pdf"),
    ],
)
def test_a_name_is_one_of_our_own_making(claimed: str | None, name: str) -> None:
    assert safe_name(claimed, PNG) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [(DICOM, "IM1.dcm"), (b"\xff\xd8\xff\xe0", "IM1.jpg"), (b"MM\0*", "IM1.tif"), (b"BM", "IM1.bmp"), (b"?", "IM1")],
)
def test_a_name_without_a_suffix_gets_that_of_its_content(head: bytes, name: str) -> None:
    assert safe_name("IM1", head) == name


@pytest.mark.parametrize("letter", ["x", "é", "骨", "🦴"])
def test_a_long_name_keeps_its_suffix_and_whole_letters(letter: str) -> None:
    name = safe_name(letter * 500 + ".dcm", DICOM)
    assert name.removesuffix(".dcm").strip(letter) == ""
    assert LONGEST_BYTES - 4 < len(name.encode()) <= LONGEST_BYTES
    assert name.endswith(".dcm")
