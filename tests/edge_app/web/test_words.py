"""The page's words and forms say what the Kivy app's say: the TypeScript that the page runs, asked by way of Node."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pytest

from osteo_edge.edge_app.answer_words import answer_words
from osteo_edge.edge_app.demo_bundle import demo_bundle
from osteo_edge.edge_app.dxa import dxa_words
from osteo_edge.edge_app.dxa_form import DxaFields, read_dxa_form
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.edge_app.history.rows import OF_PATIENT, to_row
from osteo_edge.edge_app.languages.catalogue import FOLDER, Catalogue, read_mo
from osteo_edge.edge_app.long_texts import shortened
from osteo_edge.edge_app.ost import ost_of
from osteo_edge.edge_app.screening_form import FormFields, looks_like_a_name, read_form
from osteo_edge.edge_app.typed import plain_number
from osteo_edge.edge_app.web.building import PROJECT, find_npm
from osteo_edge.edge_app.web.shared import shared_json
from osteo_edge.wording import probability_in_words
from tests.edge_app.history.made import make_entry

ENTRY: Final = Path(__file__).with_name("words.ts")
LANGUAGES: Final = ("fr", "es", "sw")
Ask = Callable[[Sequence[tuple[Any, ...]]], list[Any]]

LINES: Final = (
    "score above 0.99 is at or above the threshold 0.72",
    "score 0.42 lies between 0.12 and 0.72",
    "film.png: not a file of at most 512 MiB; export the radiograph as PNG or DICOM",
    "131072 x 131072 pixels is too large (at most 16384 a side and 100 megapixels); export it smaller",
    "AUROC, osteopenia or osteoporosis: 0.98 (95 % interval 0.95 to 1.00), n = 96",
    "Sensitivity: 0.84 (95 % interval 0.75 to 0.92), n = 64",
    "unsupervised grade: high (a grouping of this model's own, not a clinical stage)",
    "over-exposed, or glare, 93 % of its middle is pure white: take it again with less light",
    "above 0.999",
    "taken for: elbow (probability above 0.99)",
    "read as wrist, as you said; the model takes it for elbow (0.81)",
    "it is not clear which bone this shows: elbow (0.75) or wrist (0.25)",
    "nobody has ever said this: neither this",
    "{name} {",
    "",
)
FORMS: Final = (
    FormFields(),
    FormFields(code="  K\u00a017 \n", age="71", sex="female", weight="46,5 kg"),
    FormFields(code="Lopez, Maria", age="17", weight="20"),
    FormFields(code="患者1", age="1956", sex="unknown", weight="700"),
    FormFields(code="x" * 65, age="sixty", weight="1.234"),
    FormFields(code="KNEE 17", age="٦٧", sex="other", weight="٧٢٫٥"),
    FormFields(code="Больница", age="131", weight="0"),
    FormFields(code="e\u0301cole", age="50", sex="female", weight="61.25"),
    FormFields(weight="0.15"),
    FormFields(weight="99,95"),
)
DXA: Final = (
    ("", ""), ("normal", ""), ("", "-1.8"), ("normal", "-2,5"), ("", "1.8"), ("", "+1.8"), ("", "-18"), ("", "low"),
    ("osteopenia", "-2.549"), ("", "\u22121.04"), ("", "0"), ("", "-2.25"), ("", "-2.45"),
)  # fmt: skip
PATIENTS: Final = (
    Patient(None, 70, "female", 46.0), Patient(None, 49, "female", 40.0), Patient(None, 70, "male", 46.0),
    Patient(None, 90, "female", 60.0), Patient(None, 50, "female", 200.0), Patient(None, 90, "female", 40.0), Patient(),
)  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Path:
    """words.ts with all that it imports, as one file that Node runs; `built` has had npm's packages installed."""
    npm, environ = find_npm()
    folder = tmp_path_factory.mktemp("words")
    file = folder / "words.mjs"
    words = ["exec", "--no", "--", "rolldown", str(ENTRY), "--platform", "node", "--file", str(file)]
    subprocess.run([str(npm), *words], cwd=PROJECT, env=environ, check=True, capture_output=True, timeout=60)
    return file


@pytest.fixture(scope="module")
def ask(program: Path) -> Ask:
    """Ask questions of words.ts, all at once."""
    _, environ = find_npm()
    tables = json.loads(shared_json(demo_bundle(), name=None, language=None))

    def answers(asked: Sequence[tuple[Any, ...]], language: str = "en") -> list[Any]:
        messages = {} if language == "en" else messages_of(language)
        told = json.dumps({"tables": tables, "messages": messages, "asked": asked})
        ended = subprocess.run(
            ["node", str(program)], input=told, env=environ, check=True, capture_output=True, text=True, timeout=60
        )
        found: list[Any] = json.loads(ended.stdout)
        return found

    return answers


def messages_of(language: str) -> dict[str, str]:
    return read_mo((FOLDER / language / "LC_MESSAGES" / "osteo_edge.mo").read_bytes())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_is_translated_as_in_the_kivy_app(ask: Callable[..., list[Any]], language: str) -> None:
    messages = messages_of(language)
    python = Catalogue(messages)
    lines = [*LINES, *messages]
    told = ask([("translate", line) for line in lines], language)
    assert dict(zip(lines, told, strict=True)) == {line: python(line) for line in lines}
    assert sum(line != text for line, text in zip(LINES, told, strict=False)) >= 12


def test_the_form_is_read_as_in_the_kivy_app(ask: Ask) -> None:
    for form, told in zip(FORMS, ask([("form", asdict(form)) for form in FORMS]), strict=True):
        reading = read_form(form, str)
        problems = {name: line for name, line in reading.problems.items() if name != "sex"}  # radio buttons cannot lie
        assert told["problems"] == problems
        assert told["hints"] == reading.hints
        if reading.patient is not None:
            assert told["patient"] == asdict(reading.patient)


def test_the_dxa_result_is_read_and_told_as_in_the_kivy_app(ask: Ask) -> None:
    readings = [read_dxa_form(DxaFields(*fields), str) for fields in DXA]
    asked = [("dxa", *fields) for fields in DXA]
    told = ask([*asked, *(("dxaWords", reading.dxa, reading.t_score) for reading in readings)])
    for reading, found in zip(readings, told, strict=False):
        assert (found["dxa"], found["tScore"]) == (reading.dxa, reading.t_score)
        assert found["problem"] == reading.problems.get("t_score", "")
        assert found["hint"] == " ".join(reading.hints.values())
    assert told[len(DXA) :] == [dxa_words(reading.dxa, reading.t_score) for reading in readings]


def test_the_ost_index_is_that_of_the_kivy_app(ask: Ask) -> None:
    for patient, told in zip(PATIENTS, ask([("ost", asdict(patient)) for patient in PATIENTS]), strict=True):
        ost = ost_of(patient)
        assert told == (None if ost is None else {"index": ost.index, "group": ost.words})


def test_small_words_are_those_of_the_kivy_app(ask: Ask) -> None:
    codes = ("Lopez, Maria", "K-17", "KNEE 17", "Ana María", "a b", "O'Brien Jean-Luc", "7 Maria Lopez")
    numbers = (" ٧٢٫٥ ", "\u22121.8", "７２．５", "12 KG", "x")
    chances = ((0.004, 2), (0.42, 2), (0.125, 2), (0.375, 2), (1.0, 3), (0.5996, 4), (0.996, 2), (1e-9, 9))
    texts = (("one\ntwo  three", 8), ("short", 9), ("", 3))
    asked = [
        *(("name", code) for code in codes),
        *(("number", number) for number in numbers),
        *(("probability", *chance) for chance in chances),
        *(("shortened", *text) for text in texts),
    ]
    assert ask(asked) == [
        *(looks_like_a_name(code) for code in codes),
        *(plain_number(number) for number in numbers),
        *(probability_in_words(*chance) for chance in chances),
        *(shortened(*text) for text in texts),
    ]


def answers() -> list[Entry]:
    told = make_entry(note=" two\nlines ", dxa="osteopenia", t_score=-1.8, warnings=("a photo",), is_demo=True)
    close = replace(told, score=0.5996, threshold=0.6, abstain_low=0.4, abstain_high=0.6, outcome="uncertain")
    nothing: dict[str, Any] = {
        "score": None,
        "abstain_low": None,
        "abstain_high": None,
        "probabilities": {},
        "intended_use": None,
    }
    return [
        told,
        replace(told, decided="otherwise", override_reason="seen\nby a surgeon", note="", dxa=None, t_score=None),
        replace(told, decided="followed", patient=Patient(), abstain_low=0.5, abstain_high=0.5),
        replace(close, finding="abnormality", bone="elbow", probabilities={"elbow abnormal": 0.5996}),
        make_entry(outcome="rejected", code=None, model_name="x" * 300, **nothing),
    ]


def test_an_answer_says_what_it_says_in_the_kivy_app(ask: Ask) -> None:
    entries = answers()
    plain = [{**to_row(entry), **asdict(entry)["patient"]} for entry in entries]
    for row, entry in zip(plain, entries, strict=True):
        row |= {name: getattr(entry, name) for name in row if name not in OF_PATIENT}
    names = {"no_probability": "noProbability", "about_ost": "aboutOst", "intended_use": "intendedUse"}
    for entry, told in zip(entries, ask([("answer", row) for row in plain]), strict=True):
        words = json.loads(json.dumps(asdict(answer_words(entry, str))))
        if words["probability"] is not None:
            words["probability"]["operatingPoint"] = words["probability"].pop("operating_point")
        assert told == {names.get(name, name): value for name, value in words.items()}


def test_ids_and_times_are_those_of_entries(ask: Ask) -> None:
    one, other, moment = ask([("id",), ("id",), ("utc", 1_772_600_767_900)])
    assert one != other
    for id_ in (one, other):
        make_entry(id=id_, taken_at=moment)  # which checks both
        assert (id_[12], id_[16] in "89ab") == ("4", True)
    assert moment == "2026-03-04T05:06:07+00:00"
