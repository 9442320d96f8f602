import html
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Decision, Head, Manifest, Router
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import Prediction
from osteo_edge.split import Split, SplitRow, read_split, write_split
from osteo_edge.train import evaluate_command
from osteo_edge.wording import FAILED_CHECK
from tests.film_table import FilmTable, write_film_table

BRIGHTNESS = {"normal": (0.1, 0.2, 0.25, 0.3), "osteopenia": (0.35, 0.4, 0.45, 0.7), "osteoporosis": (0.5, 0.8, 0.9)}


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> FilmTable:
    """Drawn films of men and women in turn."""
    films = []
    for label, of_label in BRIGHTNESS.items():
        for number, brightness in enumerate(of_label):
            name = draw_film(f"{label}{number}.png", brightness=brightness).name
            films.append({"path": name, "label": label, "sex": "mf"[number % 2], "age": 30 + 15 * number})
    return write_film_table(tmp_path, films)


def evaluate(bundle: Bundle, films: FilmTable, *options: object) -> int:
    words = ["evaluate", bundle.path, films.table, "--split", films.split, *options]
    return run([str(word) for word in words])


def test_what_matters_stands_first_and_the_labels_apart(
    bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, films, "--prevalence", "0.1") == 0
    printed = capsys.readouterr().out
    first, rest = printed.split("In detail, and by label")
    details, after = rest.split("Confusion matrix")
    for name in ("AUROC osteoporosis", "sensitivity", "PPV at a prevalence of 0.1", "NPV at a prevalence of 0.1"):
        assert f" {name} " in first
        assert f" {name} " not in details
    for name in ("recall osteopenia", "Cohen's kappa", "net benefit"):
        assert f" {name} " in details
        assert f" {name} " not in first
    for row in ("sex female", "sex male", "age 0-39", "age 70+", "format png"):
        assert f" {row} " in after


def test_everything_is_there_for_machines(bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(bundle, films, "--prevalence", "0.1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["headline"] == list(found["estimates"])[: len(found["headline"])]
    assert "PPV at a prevalence of 0.1" in found["headline"]
    assert [group["value"] for group in found["subgroups"]] == [
        "female",
        "male",
        "0-39",
        "40-54",
        "55-69",
        "70+",
        "png",
    ]
    assert found["alarms"] == []
    assert found["prediction_sets"] is None
    assert found["second_look"] is None


def test_figures_too_good_to_be_true_are_the_first_thing_said(
    golden_bundle: Callable[..., Bundle], bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    real = golden_bundle("real", data=replace(bundle.manifest.data, label_source="DXA"))
    for loaded, alarmed in ((real, True), (bundle, False)):
        assert evaluate(loaded, films) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("ALARM: AUROC") == alarmed
        assert ("implausibly high" in printed) == alarmed


def test_a_model_that_failed_its_check_is_measured_and_says_so(
    failed_bundle: Bundle, films: FilmTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert evaluate(failed_bundle, films, "--json", "--report", report) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["estimates"]
    assert printed.err.startswith(f"FAILED: {FAILED_CHECK}")
    assert f'<p class="alarm">{FAILED_CHECK}' in report.read_text("utf-8")


def test_a_film_that_has_changed_since_the_split_is_named(
    bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, films, "--json") == 0
    unchanged = capsys.readouterr()
    assert json.loads(unchanged.out)["changed_since_the_split"] == []
    assert "since the split" not in unchanged.err
    folder = films.table.parent
    (folder / "osteoporosis2.png").write_bytes((folder / "normal0.png").read_bytes())
    assert evaluate(bundle, films, "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["changed_since_the_split"] == ["osteoporosis2.png"]
    assert "Warning: 1 of 11 films have changed since the split was made, the first of them osteop" in printed.err


@pytest.mark.parametrize("place", ["{film}/report.html", "{folder}"])
def test_a_place_for_no_report_is_known_before_the_work(
    place: str, bundle: Bundle, films: FilmTable, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(evaluate_command, "predict")
    folder = films.table.parent
    assert evaluate(bundle, films, "--report", place.format(film=folder / "normal0.png", folder=folder)) == 1
    assert ": the report cannot be written (" in capsys.readouterr().err


def test_a_page_that_the_disk_refuses_costs_no_figures(
    bundle: Bundle,
    films: FilmTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(path: Path, *rest: object) -> None:
        raise OsteoEdgeError(f"{path}: the report cannot be written (No space left on device)")

    monkeypatch.setattr(evaluate_command, "write_report", refuse)
    assert evaluate(bundle, films, "--json", "--report", str(tmp_path / "page.html")) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["part"] == "test"
    assert "No space left on device" in told.err


@pytest.mark.parametrize("prevalence", ["0", "1", "10"])
def test_a_prevalence_is_a_share_between_none_and_all(
    prevalence: str, bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, films, "--prevalence", prevalence) == 2
    assert "--prevalence" in capsys.readouterr().err


PAIRS = ("elbow normal", "elbow abnormal", "hand normal", "hand abnormal")


class ByBrightness:
    """Answers the first of `PAIRS` for the darkest quarter of the images, and so on, with a little doubt."""

    name = "by brightness"

    def run(self, tensor: Tensor) -> Prediction:
        logits = np.zeros(4, np.float32)
        logits[min(3, int((float(tensor.mean()) + 1) * 2))] = 3.0
        return Prediction(logits, None)


@pytest.fixture
def limbs(draw_film: Callable[..., Path], tmp_path: Path) -> FilmTable:
    """Two films a study, two studies of each bone and label; a hand's normal study looks like an elbow's abnormal."""
    films = []
    for place, pair in enumerate(PAIRS):
        bone, label = pair.split()
        for number in range(4):
            brightness = 0.4 if pair == "hand normal" and number > 1 else 0.15 + 0.25 * place
            name = draw_film(f"{bone}-{label}-{number}.png", height=300, brightness=brightness).name
            study = f"{bone}-{label}-{number // 2}"
            films.append({"path": name, "label": label, "bone": bone, "study": study, "patient": study})
    return write_film_table(tmp_path, films)


@pytest.fixture
def cascade(golden_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle of elbows and hands, which is answered for by brightness."""
    monkeypatch.setattr(evaluate_command, "_open", lambda bundle: ByBrightness())
    decisions = [Decision((pair,), 0.5, 0.9, 0.4, 0.6, "validation") for pair in (PAIRS[1], PAIRS[3])]
    heads = (
        Head("elbow", "abnormality", PAIRS[:2], decisions[0]),
        Head("hand", "abnormality", PAIRS[2:], decisions[1]),
    )
    whole = replace(decisions[0], positive_labels=(PAIRS[1], PAIRS[3]))
    return golden_bundle("limbs", labels=PAIRS, decision=whole, router=Router(heads, 0.5, "validation"))


def test_a_model_of_bones_has_its_table_by_bone_first_and_where_the_studies_went(
    cascade: Bundle, limbs: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(cascade, limbs) == 0
    printed = capsys.readouterr().out
    assert 0 <= printed.index("By bone, study by study (mean of 16 films)") < printed.index("Metric")
    lines = [line.split("│") for line in printed.splitlines()]
    cells = {line[1].strip(): [cell.strip() for cell in line[2:7]] for line in lines if len(line) > 8}
    assert cells["elbow"] == ["4", "2", "0", "0", "2"]
    assert cells["hand"] == ["4", "2", "0", "1", "1"]
    went = printed.split("Studies routed to")[1]
    assert [line.split("│")[1:4] for line in went.splitlines() if line.startswith("│ hand")] == [
        [" hand  ", " 1     ", " 3    "]
    ]
    assert "Routed to their own bone: 0.875 [" in went
    assert "Uncertain which bone: 0.000 [0.000, " in went


def test_the_table_by_bone_is_there_for_machines_and_in_the_page(
    cascade: Bundle, limbs: FilmTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert evaluate(cascade, limbs, "--json", "--report", report) == 0
    found = json.loads(capsys.readouterr().out)["by_bone"]
    assert [(bone["bone"], bone["false_positives"]) for bone in found["bones"]] == [("elbow", 0), ("hand", 1)]
    assert found["mean"]["accuracy"]["value"] == (1 + 3 / 4) / 2
    assert found["all"]["estimates"]["Cohen's kappa"]["n"] == 8
    assert found["routing"]["counts"] == {"elbow": {"elbow": 4}, "hand": {"elbow": 1, "hand": 3}}
    page = report.read_text("utf-8")
    for text in ("<td>mean</td>", html.escape("Cohen's kappa"), "Routed to their own bone: 0.875"):
        assert text in page
    assert "evidence for an abnormality" in page


def test_bone_density_of_a_named_bone_is_measured_as_ever(
    bundle: Bundle, films: FilmTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    lines = films.table.read_text("utf-8").splitlines()
    films.table.write_text("\n".join([f"{lines[0]},bone", *(f"{line},knee" for line in lines[1:])]), "utf-8")
    assert evaluate(bundle, films, "--json", "--report", report) == 0
    assert "by_bone" not in json.loads(capsys.readouterr().out)
    assert evaluate(bundle, films) == 0
    assert capsys.readouterr().out.startswith("golden on test: ")
    page = report.read_text("utf-8")
    assert "By bone" not in page
    assert "evidence for low bone density" in page


@pytest.fixture
def with_validation(films: FilmTable, draw_film: Callable[..., Path], tmp_path: Path) -> FilmTable:
    """The same test films, and as many for validation."""
    lines, rows = films.table.read_text("utf-8").splitlines(), list(read_split(films.split).rows)
    for label, of_label in BRIGHTNESS.items():
        for number, brightness in enumerate(of_label):
            film = draw_film(f"validation-{label}{number}.png", brightness=brightness + 0.02)
            lines.append(f"{film.name},{label},m,50")
            rows.append(SplitRow(film.name, label, film.name, "validation", sha256_file(film)))
    films.table.write_text("\n".join(lines), "utf-8")
    write_split(Split(tuple(rows)), films.split)
    return films


def test_how_sure_the_answers_are_is_told_with_the_rate_that_the_band_was_chosen_for(
    golden_bundle: Callable[..., Bundle],
    manifest: Manifest,
    with_validation: FilmTable,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = {"parent": {"train": {"abstain_sensitivity": 0.97}}}
    recorded = golden_bundle("recorded", parent=replace(manifest.parent, recipe=recipe))
    assert evaluate(recorded, with_validation, "--second-look") == 0
    told = capsys.readouterr().out
    sure = told[told.index("How sure it is") : told.index("Subgroups")]
    for text in (
        " 100 % ",
        "AURC, the mean of that over all shares: 0.",
        "The abstain band answers 0.",
        "the band was chosen for at most 0.030 on validation.",
        "Sets to hold the true label of 90 %",
        "fitted on this bundle's answers to 11 films of the part validation.",
        "AUROC of the scores' spread for a wrong decision (",
        " ms a film beside ",
    ):
        assert text in sure


def test_a_validation_film_that_cannot_be_read_is_named_and_left_out(
    bundle: Bundle, with_validation: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = with_validation.table.parent / "validation-normal0.png"
    broken.write_bytes(b"no picture")
    assert evaluate(bundle, with_validation, "--json") == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(f"skipped {broken}: ")
    assert json.loads(printed.out)["prediction_sets"]["fitted_films"] == 10


def test_how_sure_the_answers_are_is_there_for_machines_and_in_the_page(
    bundle: Bundle, with_validation: FilmTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    options = ("--second-look", "--json", "--coverage", "0.8", "--report", report)
    assert evaluate(bundle, with_validation, *options) == 0
    found = json.loads(capsys.readouterr().out)
    curve = found["risk_coverage"]["curve"]
    assert len(curve["coverage"]) == len(curve["risk"]) == 11
    assert found["risk_coverage"]["abstain_band"]["stated"] is None
    assert found["prediction_sets"]["coverage_asked_for"] == 0.8
    assert found["prediction_sets"]["fitted_films"] == 11
    assert [sum(rule["films_by_size"]) for rule in found["prediction_sets"]["rules"]] == [11, 11]
    assert found["second_look"]["again_ms"] > found["second_look"]["first_ms"] > 0
    page = report.read_text("utf-8")
    for text in ("<h2>How sure it is</h2>", "Risk over coverage", "a limit for each label", "Second look: five more"):
        assert text in page


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--no-sets",), "No prediction sets: they were not asked for."),
        (("--part", "validation"), "No prediction sets: they would be fitted on the part validation,"),
    ],
)
def test_without_prediction_sets_the_reason_is_said_and_validation_is_left_alone(
    options: tuple[str, ...],
    reason: str,
    bundle: Bundle,
    with_validation: FilmTable,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert evaluate(bundle, with_validation, *options) == 0
    told = capsys.readouterr().out
    assert reason in told
    assert "Second look" not in told


def test_a_split_without_validation_films_has_no_sets_and_says_so(
    bundle: Bundle, films: FilmTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert evaluate(bundle, films, "--report", report) == 0
    reason = "No prediction sets: the split has no films in its part validation to fit them on."
    assert reason in capsys.readouterr().out
    assert reason in report.read_text("utf-8")


@pytest.mark.parametrize("coverage", ["0", "1", "90"])
def test_the_coverage_is_a_share_between_none_and_all(
    coverage: str, bundle: Bundle, films: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, films, "--coverage", coverage) == 2
    assert "--coverage" in capsys.readouterr().err


def test_the_sets_of_a_cascade_are_of_its_labels(
    cascade: Bundle, limbs: FilmTable, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_split(limbs.split).rows
    parts = [replace(row, part="validation" if row.name.endswith(("0.png", "1.png")) else "test") for row in rows]
    write_split(Split(tuple(parts)), limbs.split)
    assert evaluate(cascade, limbs, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["prediction_sets"]["rules"][0]["coverage_by_label"]) == list(PAIRS)
    assert found["risk_coverage"]["risk_at_coverage"][0]["risk"]["n"] == 8
