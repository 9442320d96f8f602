import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.cli import run
from osteo_edge.dataset import Dataset
from osteo_edge.gate import DEFAULT_GATE
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.split import Split, SplitRow, write_split
from osteo_edge.train import stress_report
from osteo_edge.train.disturbances import DISTURBANCES, STRENGTHS
from osteo_edge.wording import FAILED_CHECK
from tests.cascade import draw_limb, write_cascade
from tests.film_table import write_film_table

BRIGHTNESS = {"normal": (0.1, 0.2, 0.3), "osteopenia": (0.35, 0.5), "osteoporosis": (0.7, 0.8, 0.9)}


class Films(NamedTuple):
    """Drawn films, in class folders or a table, and the split that has them all in its test part."""

    data: Path
    split: Path


@pytest.fixture
def films(draw_film: Callable[..., Path], tmp_path: Path) -> Films:
    rows = []
    for label, of_label in BRIGHTNESS.items():
        for number, brightness in enumerate(of_label):
            name = f"{label}/{number}.png"
            film = draw_film(f"films/{name}", brightness=brightness)
            rows.append(SplitRow(name, label, name, "test", sha256_file(film)))
    write_split(Split(tuple(rows)), tmp_path / "split.csv")
    return Films(tmp_path / "films", tmp_path / "split.csv")


def stress(bundle: Bundle, films: Films, *options: object) -> int:
    words = ["stress", bundle.path, films.data, "--split", films.split, *options]
    return run([str(word) for word in words])


def test_a_table_has_every_level_and_the_last_line_is_what_to_remember(
    bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(bundle, films, "--only", "darker", "--only", "JPEG") == 0
    printed = capsys.readouterr()
    for row in ("nothing ", "darker 0.8 ", "darker 0.2 ", "JPEG 70 ", "JPEG 5 "):
        assert f"│ {row}" in printed.out
    assert "blur" not in printed.out
    assert "8 films of the part test" in printed.out
    assert max(map(len, printed.out.splitlines()[:-3])) <= 120
    assert printed.out.splitlines()[-1].startswith(("Most reversed decisions go unnoticed under", "No decision was"))
    assert "not the split file that this bundle was trained with" in printed.err
    assert "knows no statistics of its training films" in printed.err


def test_everything_is_there_for_machines(bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(bundle, films, "--json", "--limit", 3) == 0
    found = json.loads(capsys.readouterr().out)
    assert [film["label"] for film in found["films"]] == ["normal", "osteopenia", "osteoporosis"]
    assert len(found["levels"]) == len(DISTURBANCES) * STRENGTHS
    assert found["split_is_the_trained_one"] is False
    assert found["untouched"]["measures"]["reversed"]["value"] == 0
    for level in found["levels"]:
        assert set(level) == {"disturbance", "unit", "strength", "amount", "measures", "replies", "turns"}
        assert [set(reply) for reply in level["replies"]] == [{"score", "outcome", "refusal", "bone"}] * 3
        refused = [reply["refusal"] is not None for reply in level["replies"]]
        assert level["measures"]["refused"]["value"] == pytest.approx(sum(refused) / 3)
        assert level["measures"]["auroc"]["n"] == 3


def test_the_same_command_gives_the_same_figures_and_another_seed_others(
    bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for seed in (0, 0, 1):
        assert stress(bundle, films, "--only", "noise", "--json", "--limit", 4, "--seed", seed) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_the_report_is_written(
    bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "new" / "stress.html"
    assert stress(bundle, films, "--only", "photo of film", "--report", report) == 0
    assert f"Written: {report}" in capsys.readouterr().out
    assert "<h2>Photo of film</h2>" in report.read_text("utf-8")


def test_a_report_leaves_the_result_for_machines_as_it_is(
    bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "stress.html"
    assert stress(bundle, films, "--only", "crop", "--limit", 2, "--json", "--report", report) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["films"]
    assert f"Written: {report}" in printed.err


def test_a_place_that_cannot_be_written_is_refused_before_the_work(
    bundle: Bundle, films: Films, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = films._replace(data=tmp_path / "gone")
    assert stress(bundle, nothing, "--report", film / "reports" / "stress.html") == 1
    assert f"stress.html: the report cannot be written ({film} " in one_line(capsys)


def test_a_report_that_cannot_be_written_after_all_does_not_lose_the_result(
    bundle: Bundle, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"

    def in_the_way(*_: object) -> str:
        out.write_bytes(b"a file where the folder was to be")
        return ""

    monkeypatch.setattr(stress_report, "render_stress_report", in_the_way)
    assert stress(bundle, films, "--only", "darker", "--report", out / "stress.html") == 1
    printed = capsys.readouterr()
    assert "│ darker 0.2 " in printed.out
    assert "Written" not in printed.out
    assert "stress.html: the report cannot be written" in printed.err.splitlines()[-1]


def test_a_report_whose_name_is_too_long_does_not_lose_the_result(
    bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        stress(bundle, films, "--only", "crop", "--limit", 2, "--report", tmp_path / ("x" * 300) / "stress.html") == 1
    )
    printed = capsys.readouterr()
    assert "│ crop 45 " in printed.out
    assert printed.err.splitlines()[-1].endswith("(File name too long); choose another place")


def test_films_that_the_gate_refuses_undisturbed_are_counted(
    golden_bundle: Callable[..., Bundle], films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = golden_bundle("strict", gate=replace(DEFAULT_GATE, min_side_px=5000))
    assert stress(strict, films, "--only", "crop", "--limit", 2) == 0
    printed = capsys.readouterr().out
    assert "Refused undisturbed too: 2 films, left out of refused and caught." in printed
    assert stress(strict, films, "--only", "crop", "--limit", 2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["refused_untouched"] == 2


def test_a_model_of_several_bones_has_a_column_for_films_that_go_to_another_head(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = []
    for bone, label, brightness in (("elbow", "normal", 0.3), ("wrist", "abnormal", 0.8)):
        name = draw_limb(tmp_path / f"{bone}.png", bone, brightness).name
        films.append({"path": name, "label": label, "bone": bone})
    cascade = write_cascade(tmp_path / "cascade", manifest)
    limbs = Films(*write_film_table(tmp_path, films))
    report = tmp_path / "stress.html"
    assert stress(cascade, limbs, "--only", "rotation", "--report", report) == 0
    printed = capsys.readouterr().out
    assert " re-routed " in printed
    assert max(map(len, printed.splitlines()[:-4])) <= 120
    page = report.read_text("utf-8")
    assert "<th>re-routed</th>" in page
    assert "elbow: no finding, " in page
    assert stress(cascade, limbs, "--only", "rotation", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [film["bone"] for film in found["films"]] == ["elbow", "wrist"]
    assert [reply["bone"] for reply in found["untouched"]["replies"]] == ["elbow", "wrist"]


def test_a_model_that_failed_its_check_is_measured_and_says_so(
    failed_bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(failed_bundle, films, "--only", "crop", "--limit", 2, "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["films"]
    assert printed.err.startswith(f"FAILED: {FAILED_CHECK}")


def test_a_film_that_has_changed_since_the_split_is_named(
    bundle: Bundle, films: Films, draw_film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(bundle, films, "--only", "crop", "--json") == 0
    unchanged = capsys.readouterr()
    assert json.loads(unchanged.out)["changed_since_the_split"] == []
    assert "since the split" not in unchanged.err
    draw_film("films/osteopenia/1.png", brightness=0.6)
    assert stress(bundle, films, "--only", "crop", "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["changed_since_the_split"] == ["osteopenia/1.png"]
    assert "Warning: 1 of 8 films have changed since the split was made, the first of them osteop" in printed.err


def test_a_film_that_cannot_be_read_is_told_and_the_others_are_measured(
    bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    (films.data / "normal" / "0.png").write_bytes(b"no image")
    assert stress(bundle, films, "--only", "blur") == 0
    printed = capsys.readouterr()
    assert "7 films of the part test" in printed.out
    assert "skipped " in printed.err
    assert "0.png" in printed.err


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--only", "fog"), "--only"), (("--limit", "0"), "--limit"), (("--part", "all"), "--part"), (("--seed", -1), "")],
)
def test_wrong_options_are_told_at_once(
    options: tuple[object, ...], words: str, bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(bundle, films, *options) == 2
    assert words in capsys.readouterr().err


def test_a_report_that_is_a_folder_is_refused_before_the_work(
    bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stress(bundle, films, "--report", tmp_path) == 2
    assert "is a directory" in capsys.readouterr().err


def test_a_report_without_matplotlib_is_refused_before_the_work(
    bundle: Bundle, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert stress(bundle, films._replace(data=tmp_path / "gone"), "--report", tmp_path / "stress.html") == 1
    assert one_line(capsys).endswith("a report with figures needs matplotlib: pip install 'osteo-edge[report]'")


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr()
    (line,) = printed.err.strip().splitlines()
    assert printed.out == ""
    assert line.startswith("osteo-edge: ")
    return line


def test_what_is_not_there_is_one_line(
    bundle: Bundle, films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for changed, words in (
        (films._replace(data=tmp_path / "gone"), "no such folder or CSV file"),
        (films._replace(split=tmp_path / "gone.csv"), "gone.csv"),
    ):
        assert stress(bundle, changed) == 1
        assert words in one_line(capsys)
    assert run(["stress", str(tmp_path / "gone"), str(films.data), "--split", str(films.split)]) == 1
    assert "no such bundle" in one_line(capsys)


def test_a_part_without_films_is_one_line(bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]) -> None:
    assert stress(bundle, films, "--part", "train") == 1
    line = one_line(capsys)
    assert f"{films.split}: its part 'train' holds no film with one of the labels normal, osteopenia" in line


def test_films_of_which_none_can_be_read_are_one_line(
    bundle: Bundle, films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in films.data.rglob("*.png"):
        path.write_bytes(b"no image")
    assert stress(bundle, films, "--only", "blur") == 1
    assert "none of 8 images can be screened" in one_line(capsys)


def test_an_interruption_leaves_no_report(
    bundle: Bundle, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(stress_report, "render_stress_report", interrupt)
    out = tmp_path / "out"
    assert stress(bundle, films, "--only", "crop", "--report", out / "stress.html") == 130
    printed = capsys.readouterr()
    assert "│ crop 45 " in printed.out
    assert printed.err.splitlines()[-1] == "osteo-edge: interrupted; nothing half-written was left behind"
    assert not out.exists()


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stress", "--help"]) == 0
    printed = capsys.readouterr().out
    for disturbance in DISTURBANCES:
        assert disturbance.name in " ".join(printed.split())
    for figure in ("AUROC", "reversed", "wavered", "re-routed", "refused", "caught", "unnoticed"):
        assert f"\n    {figure} " in printed


@pytest.mark.tf
@pytest.mark.slow
def test_a_keras_bundle_is_measured_too(
    tiny_bundle: Bundle, phantoms: Dataset, split_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = Films(phantoms.root, split_file)
    capsys.readouterr()
    assert stress(tiny_bundle, films, "--only", "darker", "--limit", 3, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runtime"].startswith("Keras ")
    assert len(found["films"]) == 3
    assert len({level["replies"][0]["score"] for level in found["levels"]}) > 1
