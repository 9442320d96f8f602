import re
import sys
import typing
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fpdf")

from osteo_edge.edge_app.answer_words import USE_UNKNOWN
from osteo_edge.edge_app.exports.pdf import Report, report_name, write_pdf
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.languages.catalogue import open_catalogue
from osteo_edge.edge_app.ost import ABOUT_OST
from osteo_edge.edge_app.translation import Translate
from osteo_edge.errors import MissingExtraError, OsteoEdgeError
from osteo_edge.lettering import Picture
from osteo_edge.wording import (
    ADVICE,
    FAILED_CHECK,
    HEADLINES,
    PHANTOM_USE,
    Outcome,
    advice,
    headline,
    intended_use,
)

USE = intended_use("DXA")
OUTCOMES: tuple[Outcome, ...] = typing.get_args(Outcome)
POINTS_PER_MM = 72 / 25.4
FORBIDDEN = "normal|healthy|clear|negative|diagnosed|safe"


@dataclass(frozen=True)
class Read:
    """What a PDF of ours shows: its lines in the order they were set, and where, in mm from the lower left."""

    pages: int
    images: int
    lines: tuple[tuple[float, float, str], ...]

    @property
    def text(self) -> str:
        return " ".join(line for _, _, line in self.lines)


def read(path: Path) -> Read:
    data = path.read_bytes()
    objects = {int(number): body for number, body in re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", data, re.DOTALL)}
    letters = {
        name.decode(): _letters(objects[int(re.search(rb"/ToUnicode (\d+)", objects[int(font)])[1])])  # type: ignore[index]
        for name, font in re.findall(rb"/(F\d+) (\d+) 0 R", data)
    }
    (contents,) = re.findall(rb"/Contents (\d+) 0 R", data)
    font, lines = "", []
    shown = re.compile(rb"/(F\d+) [\d.]+ Tf|([\d.-]+) ([\d.-]+) Td.*?\(((?:\\.|[^\\)])*)\) Tj", re.DOTALL)
    for name, x, y, text in shown.findall(_stream(objects[int(contents)])):
        font = name.decode() or font
        if not name:
            lines.append((float(x) / POINTS_PER_MM, float(y) / POINTS_PER_MM, _decoded(text, letters[font])))
    return Read(len(re.findall(rb"/Type /Page\n", data)), data.count(b"/Subtype /Image"), tuple(lines))


def _stream(body: bytes) -> bytes:
    head, _, data = body.partition(b"stream\n")
    data = data.rpartition(b"\nendstream")[0]
    return zlib.decompress(data) if b"FlateDecode" in head else data


def _letters(body: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", _stream(body))
    return {int(code, 16): bytes.fromhex(letter.decode()).decode("utf-16-be") for code, letter in pairs}


def _decoded(text: bytes, letters: dict[int, str]) -> str:
    plain = re.sub(rb"\\(.)", lambda found: {b"r": b"\r", b"n": b"\n"}.get(found[1], found[1]), text, flags=re.DOTALL)
    return "".join(letters[int.from_bytes(plain[place : place + 2], "big")] for place in range(0, len(plain), 2))


@pytest.fixture
def film() -> Picture:
    rows = np.linspace(0, 255, 160, dtype=np.uint8)[:, np.newaxis, np.newaxis]
    return np.ascontiguousarray(np.broadcast_to(rows, (160, 120, 3)))


@pytest.fixture
def make_report(make_entry: Callable[..., Entry], film: Picture) -> Callable[..., Report]:
    def make(*, institution: str = "District Hospital", **changes: object) -> Report:
        return Report(make_entry(**changes), film, film, institution)

    return make


@pytest.fixture
def show(tmp_path: Path) -> Callable[..., Read]:
    """Write a report and read it again."""

    def shown(report: Report, translate: Translate = str) -> Read:
        return read(write_pdf(tmp_path / "report.pdf", report, translate=translate))

    return shown


def rejected(make_report: Callable[..., Report]) -> Report:
    reasons = ("not a knee", "too dark")
    return make_report(outcome="rejected", score=None, probabilities={}, reasons=reasons, abstain_low=None)


def test_a_report_has_all_that_whoever_reads_it_must_know(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    decided = {"decided": "otherwise", "override_reason": "DXA last month"}
    shown = show(make_report(note="pain since May", dxa="osteopenia", t_score=-1.8, **decided))
    assert shown.pages == 1
    for words in (
        *("District Hospital", "K-0042", "71 years", "female", "52.5 kg", "2026-01-31 09:30 UTC"),
        *(HEADLINES["refer"], ADVICE["refer"], "score 0.67 is at or above the threshold 0.50"),
        *("0.67 (osteopenia 0.42, osteoporosis 0.25)", "operating point 0.50", "uncertain from 0.45 to 0.55"),
        *("OST index -3: moderate-risk group", "From age and weight alone, not from the image"),
        *("entered by the clinic: osteopenia, T-score -1.8", "Note: pain since May"),
        "otherwise than the answer says, because: DXA last month",
        *(USE, "knee-int8", "c" * 64, "a" * 64, "osteo-edge 0.1.0", "0123456789abcdef" * 2),
    ):
        assert words in shown.text


@pytest.mark.parametrize("language", ["fr", "es", "sw"])
def test_a_report_speaks_the_language_of_the_clinic(
    show: Callable[..., Read], make_report: Callable[..., Report], language: str
) -> None:
    say = open_catalogue(language)
    shown = show(make_report(dxa="osteopenia", t_score=-1.8, warnings=(FAILED_CHECK,)), say)
    assert shown.pages == 1
    text = shown.text.replace("\u00a0", " ")
    for message in (HEADLINES["refer"], ADVICE["refer"], FAILED_CHECK, USE, "Patient code", "Intended use", "none",
                    "score 0.67 is at or above the threshold 0.50", "T-score -1.8", "female", ABOUT_OST):  # fmt: skip
        assert say(message) != message or message == "T-score -1.8"
        assert say(message).replace("\u00a0", " ") in text
    assert "?" not in text  # no letter is missing


def test_the_film_stands_beside_the_evidence_with_its_scale(
    show: Callable[..., Read], make_report: Callable[..., Report], make_entry: Callable[..., Entry], film: Picture
) -> None:
    assert show(make_report()).images == 2  # the scale, and the film, which here is the overlay too
    alone = show(Report(make_entry(overlay_sha256=None), film, None))
    assert alone.images == 1
    assert "vidence" not in alone.text


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_report_about_an_abnormality_names_the_bone_and_says_nothing_of_bone_density(
    show: Callable[..., Read], make_report: Callable[..., Report], outcome: Outcome
) -> None:
    reasons = ("taken for: elbow (probability 0.97)", "score 0.67 is at or above the threshold 0.50")
    about = {"finding": "abnormality", "bone": "elbow", "probabilities": {"elbow abnormal": 0.67}, "reasons": reasons}
    shown = show(make_report(outcome=outcome, intended_use=intended_use("MURA", "abnormality"), **about))
    assert shown.pages == 1
    for words in (headline(outcome, "abnormality"), advice(outcome, "abnormality"), "Bone: elbow", reasons[0]):
        assert words in shown.text
    assert "(elbow: abnormal 0.67)" in shown.text
    assert not re.search("bone density|DXA|OST index|knee radiograph", shown.text)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_no_outcome_is_told_as_the_all_clear(
    show: Callable[..., Read], make_report: Callable[..., Report], outcome: Outcome
) -> None:
    report = rejected(make_report) if outcome == "rejected" else make_report(outcome=outcome)
    shown = show(report)
    assert HEADLINES[outcome] in shown.text
    assert ADVICE[outcome] in shown.text
    assert not re.search(FORBIDDEN, shown.text, re.IGNORECASE)


def test_a_result_that_the_clinic_entered_is_told_as_the_clinics(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(dxa="normal")).text
    assert not re.search(FORBIDDEN, text, re.IGNORECASE)
    assert "DXA result, entered by the clinic: T-score -1 or above" in text


def test_a_rejected_image_has_reasons_and_no_probability(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(rejected(make_report)).text
    assert "not a knee too dark" in text
    assert "No probability" in text
    assert "operating point" not in text


@pytest.mark.parametrize(("count", "told"), [(5, None), (6, "and 1 more reason"), (7, "and 2 more reasons")])
def test_of_many_reasons_the_rest_are_counted(
    show: Callable[..., Read], make_report: Callable[..., Report], count: int, told: str | None
) -> None:
    text = show(make_report(reasons=tuple(f"too dark {number}" for number in range(count)))).text
    assert "too dark 4" in text
    assert "too dark 5" not in text
    assert re.findall(r"and \d more reasons?", text) == ([] if told is None else [told])


def test_what_is_not_known_of_the_patient_is_said_to_be_so(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(patient=Patient())).text
    assert text.count("not given") == 4
    assert "OST index: not known without age and weight." in text


def test_a_demonstration_says_so_above_everything(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    shown = show(make_report(intended_use=PHANTOM_USE, is_demo=True))
    assert shown.text.index(PHANTOM_USE) < shown.text.index("Patient code")
    assert shown.text.count(PHANTOM_USE) == 1
    own = show(make_report(intended_use="Drawn bones of my own.", is_demo=True)).text
    assert PHANTOM_USE in own
    assert "Drawn bones of my own." in own


def test_a_use_that_an_older_version_did_not_keep_is_said_to_be_so(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    assert USE_UNKNOWN in show(make_report(intended_use=None)).text


def test_every_warning_is_shown_apart_from_the_reasons(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(warnings=("A photo of a film.", FAILED_CHECK))).text
    assert f"A photo of a film. {FAILED_CHECK} score 0.67 is at" in text


def test_a_score_beside_the_threshold_is_not_rounded_onto_it(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(outcome="no_finding", score=0.4996, abstain_low=None, abstain_high=None)).text
    assert "this image 0.4996" in text
    assert "uncertain from" not in text


def test_the_longest_texts_fit_on_one_page_and_the_intended_use_is_whole(
    make_entry: Callable[..., Entry], film: Picture, show: Callable[..., Read]
) -> None:
    words = "Évaluation à l'échelle régionale, œuvre, ñandú, ng'ombe "
    entry = make_entry(
        patient=Patient("K" * 500, 130, "female", 123.25),
        reasons=(words * 20,) * 40,
        note=words * 100,
        decided="otherwise",
        override_reason=words * 100,
        dxa="osteoporosis",
        t_score=-3.4,
        model_name="m" * 300,
        software="s" * 300,
        probabilities={"osteopenia": 0.123456789, "osteoporosis": 0.376543211},
        score=0.5 - 1e-9,
        intended_use=f"{USE} {USE}",
        warnings=(f"{FAILED_CHECK} In detail: {words * 3}",),
    )
    report = Report(entry, film, film, words * 30)
    shown = show(report, translate=lambda text: f"{text} {text[: len(text) // 3].replace('{', '').replace('}', '')}")
    assert shown.pages == 1
    assert f"{USE} {USE}" in shown.text
    assert "and 35 more reasons" in shown.text
    assert all(13.5 < x < 196 and 13.5 < y < 283.5 for x, y, _ in shown.lines)


def test_an_intended_use_that_leaves_no_room_is_one_line(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    with pytest.raises(OsteoEdgeError, match="does not fit on one page: shorten the intended use"):
        write_pdf(tmp_path / "report.pdf", make_report(intended_use=USE * 40))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", ["Hôpital de l'Œuvre, à Bâle", "Clínica Señora Núñez ¿sí?", "Ng'ombe wa Mwanza", "Łódź, Bệnh viện, Ωμέγα"]
)
def test_letters_of_other_languages_are_kept(
    show: Callable[..., Read], make_report: Callable[..., Report], words: str
) -> None:
    assert words in show(make_report(institution=words, note=words)).text


def test_what_the_fonts_lack_and_the_librarys_own_signs_do_no_harm(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(note="医院 {nb} **bold** \x00 (1) \\ {age}\nsecond line")).text
    assert "Note: ?? {nb} **bold** ? (1) \\ {age} second line" in text


def test_every_text_of_the_program_can_be_translated(
    show: Callable[..., Read], make_report: Callable[..., Report]
) -> None:
    text = show(make_report(note="x", dxa="osteopenia", t_score=-1.0), translate=lambda text: f"«{text}»").text
    while (shorter := re.sub("«[^«»]*»", "", text)) != text:
        text = shorter
    assert text.split() == ["District", "Hospital", "K-0042", "01234567", "2026-01-31", "09:30", "UTC", *"▼·┃·▨"]


def test_without_the_library_the_line_says_what_to_install(
    tmp_path: Path, make_report: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fpdf", None)
    with pytest.raises(MissingExtraError, match=r"the PDF report needs fpdf2: pip install 'osteo-edge\[app\]'"):
        write_pdf(tmp_path / "report.pdf", make_report())


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, make_report: Callable[..., Report]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OsteoEdgeError, match="the report cannot be written"):
        write_pdf(tmp_path / "file" / "report.pdf", make_report())


def test_the_name_of_a_report_does_not_tell_who_the_patient_is(make_entry: Callable[..., Entry]) -> None:
    assert report_name(make_entry()) == "screening-2026-01-31-01234567.pdf"
