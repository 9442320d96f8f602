import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.split import Split, SplitRow, write_split
from osteo_edge.wording import FAILED_CHECK

BRIGHTNESS = {"normal": (0.1, 0.2, 0.25, 0.3), "osteopenia": (0.35, 0.4, 0.45, 0.7), "osteoporosis": (0.5, 0.8, 0.9)}


class Films(NamedTuple):
    """A table of drawn films, men and women in turn, and the split that has them all in its test part."""

    table: Path
    split: Path


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> Films:
    lines, rows = ["path,label,sex,age"], []
    for label, of_label in BRIGHTNESS.items():
        for number, brightness in enumerate(of_label):
            name = draw_film(f"{label}{number}.png", brightness=brightness).name
            lines.append(f"{name},{label},{'mf'[number % 2]},{30 + 15 * number}")
            rows.append(SplitRow(name, label, name, "test", "a" * 64))
    table, split = tmp_path / "films.csv", tmp_path / "split.csv"
    table.write_text("\n".join(lines), "utf-8")
    write_split(Split(tuple(rows)), split)
    return Films(table, split)


def evaluate(bundle: Bundle, films: Films, *options: object) -> int:
    words = ["evaluate", bundle.path, films.table, "--split", films.split, *options]
    return run([str(word) for word in words])


def test_what_matters_stands_first_and_the_labels_apart(
    bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
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


def test_everything_is_there_for_machines(bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]) -> None:
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


def test_figures_too_good_to_be_true_are_the_first_thing_said(
    golden_bundle: Callable[..., Bundle], bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    real = golden_bundle("real", data=replace(bundle.manifest.data, label_source="DXA"))
    for loaded, alarmed in ((real, True), (bundle, False)):
        assert evaluate(loaded, films) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("ALARM: AUROC") == alarmed
        assert ("implausibly high" in printed) == alarmed


def test_a_model_that_failed_its_check_is_measured_and_says_so(
    failed_bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    assert evaluate(failed_bundle, films, "--json", "--report", report) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["estimates"]
    assert printed.err.startswith(f"FAILED: {FAILED_CHECK}")
    assert f'<p class="alarm">{FAILED_CHECK}' in report.read_text("utf-8")


@pytest.mark.parametrize("prevalence", ["0", "1", "10"])
def test_a_prevalence_is_a_share_between_none_and_all(
    prevalence: str, bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(bundle, films, "--prevalence", prevalence) == 2
    assert "--prevalence" in capsys.readouterr().err
