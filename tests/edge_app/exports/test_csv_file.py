import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from osteo_edge.edge_app.exports.csv_file import COLUMNS, guarded, write_csv
from osteo_edge.edge_app.history.entry import Entry, Patient
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.wording import PHANTOM_USE, headline


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_field_of_an_entry_is_in_the_table(tmp_path: Path, make_entry: Callable[..., Entry]) -> None:
    noted = {"note": "Douleur à l'été, œdème", "warnings": ("a photo", "of a film")}
    decided = {"decided": "otherwise", "override_reason": "an old fracture"}
    entry = make_entry(dxa="osteopenia", t_score=-1.8, bone="knee", film_sha256="d" * 64, **noted, **decided)
    (row,) = read(write_csv(tmp_path / "history.csv", [entry]))
    plain = {field.name for field in dataclasses.fields(Entry)}
    plain -= {"patient", "probabilities", "milliseconds", "image_stats"}
    plain -= {"reasons", "warnings"}
    assert {name: row[name] for name in plain} == {name: str(getattr(entry, name)) for name in plain}
    assert (row["reasons"], row["warnings"]) == (entry.reasons[0], "a photo | of a film")
    assert (row["dxa"], row["dxa_in_words"]) == ("osteopenia", "osteopenia, T-score -1.8")
    patient = (row["patient_code"], row["age_years"], row["sex"], row["weight_kg"], row["ost_index"])
    assert patient == ("K-0042", "71", "female", "52.5", "-3")
    assert (row["probability_osteopenia"], row["image_mean"], row["ms_infer"]) == ("0.42", "0.41", "41.5")


def test_a_demonstration_is_marked_in_its_row(tmp_path: Path, make_entry: Callable[..., Entry]) -> None:
    demo = make_entry(intended_use=PHANTOM_USE, is_demo=True)
    rows = read(write_csv(tmp_path / "history.csv", [demo, make_entry(intended_use=None)]))
    assert [(row["is_demo"], row["intended_use"]) for row in rows] == [("True", PHANTOM_USE), ("False", "")]


def test_no_words_of_the_table_call_a_patient_normal(tmp_path: Path, make_entry: Callable[..., Entry]) -> None:
    (row,) = read(write_csv(tmp_path / "history.csv", [make_entry(dxa="normal")]))
    assert row["dxa_in_words"] == "T-score -1 or above"
    assert [name for name, cell in row.items() if "normal" in cell.lower()] == ["dxa"]


def test_a_row_says_what_its_answer_speaks_of_and_of_which_bone(
    tmp_path: Path, make_entry: Callable[..., Entry]
) -> None:
    rows = read(write_csv(tmp_path / "history.csv", [make_entry(finding="abnormality", bone="elbow"), make_entry()]))
    assert [(row["finding"], row["bone"]) for row in rows] == [("abnormality", "elbow"), ("density", "")]
    assert rows[0]["outcome_in_words"] == headline("refer", "abnormality")
    assert rows[1]["outcome_in_words"] == headline("refer", "density")


def test_an_index_for_osteoporosis_stands_beside_answers_about_bone_density_alone(
    tmp_path: Path, make_entry: Callable[..., Entry]
) -> None:
    rows = read(write_csv(tmp_path / "history.csv", [make_entry(finding="abnormality", bone="elbow"), make_entry()]))
    assert [row["ost_index"] for row in rows] == ["", "-3"]
    assert {row["weight_kg"] for row in rows} == {"52.5"}


def test_what_is_not_known_is_an_empty_field(tmp_path: Path, make_entry: Callable[..., Entry]) -> None:
    rejected = make_entry(outcome="rejected", probabilities={}, score=None, patient=Patient(), image_stats={})
    first, second = read(write_csv(tmp_path / "history.csv", [make_entry(), rejected]))
    names = ["score", "patient_code", "age_years", "ost_index", "probability_osteopenia", "image_mean", "dxa"]
    assert [second[name] for name in names] == [""] * 7
    assert first["score"] == "0.67"


def test_an_empty_history_is_a_header(tmp_path: Path) -> None:
    data = write_csv(tmp_path / "history.csv", []).read_bytes()
    assert data.startswith(b"\xef\xbb\xbfid,taken_at,patient_code,")
    assert data.count(b"\r\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " \n =1",
        "＝1",
        "x;=1",
        "x; =1",
        'x";=1',
        "x\t=1",
        "x\n=1",
        "x,=1",
    ],
)
def test_no_cell_begins_with_a_formula_however_the_line_is_divided(text: str) -> None:
    for sign in ";,|":
        for cell in guarded(text).split(sign):
            assert not cell.strip(" \"'").startswith(tuple("=+-@＝＋－＠")) or cell.lstrip(' "').startswith("'")


def test_a_plain_text_stays_as_it_is() -> None:
    assert guarded("left knee, 2 weeks; T-score of -1.8 in 2019 (a@b)") == (
        "left knee, 2 weeks; T-score of -1.8 in 2019 (a@b)"
    )


def test_formulas_are_held_off_in_every_text_and_numbers_stay_numbers(
    tmp_path: Path, make_entry: Callable[..., Entry]
) -> None:
    formula = '=HYPERLINK("http://example.org";"x")'
    entry = make_entry(
        patient=Patient(formula), note=formula, reasons=(formula,), model_name=formula, software=formula, t_score=-2.5
    )
    entry = dataclasses.replace(entry, probabilities={formula: 0.5}, dxa="osteoporosis")
    (row,) = read(write_csv(tmp_path / "history.csv", [entry]))
    assert not [cell for cell in (*row, *row.values()) if cell.startswith("=")]
    assert float(row["t_score"]) == -2.5


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OsteoEdgeError, match="the table cannot be written"):
        write_csv(tmp_path / "file" / "history.csv", [])


def test_the_docs_name_every_column() -> None:
    docs = (Path(__file__).resolve().parents[3] / "docs" / "exports.md").read_text("utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in docs] == []
