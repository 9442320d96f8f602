"""`osteo-edge screen` with models that tell bones apart, and with whole studies."""

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import cv2
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.errors import RadiographError
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import Radiograph, read_radiograph
from osteo_edge.runtime import Prediction, open_interpreter
from osteo_edge.wording import HEADLINES, advice
from tests.cascade import draw_limb, write_cascade
from tests.osteo_edge.screen_calls import problem_of, read_lines, screen

Draw = Callable[..., Path]
RULING_OUT = re.compile("normal|healthy|clear", re.IGNORECASE)


@pytest.fixture
def limbs(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A bundle of the model of two bones."""
    return write_cascade(tmp_path / "limbs", manifest)


@pytest.fixture
def studies(tmp_path: Path) -> tuple[Path, Path]:
    """An abnormal elbow in two films, and a study of an elbow and a wrist."""
    for name, bone, brightness in (("elbow/a", "elbow", 0.8), ("elbow/b", "elbow", 0.6), ("mixed/a", "elbow", 0.8)):
        draw_limb(tmp_path / f"{name}.png", bone, brightness)
    draw_limb(tmp_path / "mixed" / "b.png", "wrist", 0.8)
    return tmp_path / "elbow", tmp_path / "mixed"


def test_the_bone_that_a_film_was_taken_for_is_shown(
    tmp_path: Path, limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    path = draw_limb(tmp_path / "film.png", "wrist", 0.8)
    assert screen(limbs.path, path) == 0
    printed = capsys.readouterr().out
    for part in (
        f"{path}: Possible abnormality: have this film read\n  taken for: wrist (probability above 0.99)\n  score 0.97",
        "calibrated probability: wrist abnormal 0.97\n",
    ):
        assert part in printed
    assert "elbow" not in printed


@pytest.mark.parametrize("as_json", [False, True])
def test_a_bone_that_is_named_overrides_the_router_for_all_films(
    as_json: bool, tmp_path: Path, limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [draw_limb(tmp_path / f"{bone}.png", bone, 0.8) for bone in ("elbow", "wrist")]
    assert screen(limbs.path, *paths, "--bone", "elbow", *(["--json"] if as_json else [])) == 0
    printed = capsys.readouterr().out
    if as_json:
        answers = read_lines(printed)
        assert [answer["bone_found"] for answer in answers] == ["elbow", "wrist"]
        assert {(answer["bone"], answer["bone_given"]) for answer in answers} == {("elbow", "elbow")}
    else:
        for found in ("elbow", "wrist"):
            assert f"read as elbow, as you said; the model takes it for {found} (above 0.99)" in printed
        assert printed.count("calibrated probability: elbow abnormal 0.97\n") == 2


@pytest.mark.parametrize("named", ["film", "study"])
def test_a_bone_that_the_model_does_not_know_is_one_line_before_any_film(
    named: str, film: Path, limbs: Bundle, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    what = [film] if named == "film" else ["--study", film.parent]
    assert screen(limbs.path, *what, "--bone", "knee") == 1
    assert problem_of(capsys) == "limbs does not know the bone 'knee'; it knows elbow, wrist"
    assert screen(bundle.path, *what, "--bone", "knee", "--json") == 1
    assert problem_of(capsys) == "golden does not tell bones apart; leave out --bone knee"


def test_a_study_is_answered_first_and_then_shows_its_films(
    studies: tuple[Path, Path], limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    elbow, _ = studies
    (elbow / "c.png").write_bytes(b"")
    assert screen(limbs.path, "--study", elbow) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    answer = printed.out[printed.out.index(str(elbow)) :].splitlines()
    assert answer[:-1] == [
        f"{elbow}: Possible abnormality: have this film read",
        "  taken for: elbow (probability above 0.99)",
        "  score 0.87 is at or above the threshold 0.60",
        f"  {advice('refer', 'abnormality')}",
        "  films in this answer: 2 of 3; left out: c.png",
        "  calibrated probability: elbow abnormal 0.87",
        "  a.png: score 0.97",
        "  b.png: score 0.77",
        "  c.png: left out: the file is empty; copy or export it again",
    ]
    assert re.fullmatch(r"  read \d+ ms, prepare \d+ ms, infer \d+ ms \(LiteRT .*\)", answer[-1])


def test_where_the_films_of_a_study_show_different_bones_each_says_which(
    studies: tuple[Path, Path], limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(limbs.path, "--study", studies[1]) == 0
    printed = capsys.readouterr().out
    for part in (
        f"{studies[1]}: {HEADLINES['uncertain']}\n  its films show different bones: elbow, wrist\n",
        "  a.png: by itself taken for elbow (above 0.99)\n  b.png: by itself taken for wrist (above 0.99)\n",
    ):
        assert part in printed
    assert "score" not in printed
    assert "calibrated" not in printed
    assert screen(limbs.path, "--study", studies[1], "--bone", "wrist") == 0
    printed = capsys.readouterr().out
    assert "  a.png: score 0.97; by itself taken for elbow (above 0.99)\n  b.png: score 0.97\n" in printed


def test_studies_are_one_object_a_line_with_their_films(
    studies: tuple[Path, Path], limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    elbow, mixed = studies
    assert screen(limbs.path, "--study", elbow, "--study", mixed, "--json") == 0
    answers = read_lines(capsys.readouterr().out)
    assert [answer["study"] for answer in answers] == [str(elbow), str(mixed)]
    assert [answer["outcome"] for answer in answers] == ["refer", "uncertain"]
    first, second = (answer["films"] for answer in answers)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert [film["image"] for film in first] == [str(elbow / "a.png"), str(elbow / "b.png")]
    assert [film["bone_found"] for film in second] == ["elbow", "wrist"]
    assert {film["overlay"] for film in first + second} == {None}


def test_a_study_of_a_model_of_one_question_is_answered_too(
    draw_film: Draw, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, brightness in (("a", 0.85), ("b", 0.2)):
        draw_film(f"knee/{name}.png", brightness=brightness)
    assert screen(bundle.path, "--study", tmp_path / "knee") == 0
    printed = capsys.readouterr().out
    assert f"{tmp_path / 'knee'}: {HEADLINES['uncertain']}\n  score 0." in printed
    assert "taken for" not in printed
    assert not RULING_OUT.search(printed.replace(str(tmp_path), ""))


def test_a_study_that_cannot_be_screened_is_one_line_and_the_others_go_on(
    studies: tuple[Path, Path], tmp_path: Path, limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert screen(limbs.path, "--study", empty, "--study", studies[0], "--json") == 1
    printed = capsys.readouterr()
    problem = f"{empty}: holds no image file; name the folder that holds the films of one study"
    assert printed.err == f"osteo-edge: {problem}\n"
    failed, answered = read_lines(printed.out)
    assert failed == {"study": str(empty), "error": problem}
    assert answered["outcome"] == "refer"


def test_each_film_of_a_study_gets_an_overlay_of_its_own(
    studies: tuple[Path, Path], tmp_path: Path, limbs: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    (studies[0] / "c.png").write_bytes(b"")
    pictures = tmp_path / "pictures"
    named = [option for study in studies for option in ("--study", study)]
    assert screen(limbs.path, *named, "--overlay", pictures, "--json") == 0
    answers = read_lines(capsys.readouterr().out)
    films = [film for answer in answers for film in answer["films"]]  # type: ignore[attr-defined]
    written = [film["overlay"] for film in films if film["left_out"] == []]
    assert sorted(written) == sorted(map(str, pictures.iterdir()))
    assert [Path(path).name.split("-")[:2] for path in written] == [
        ["elbow", "a"],
        ["elbow", "b"],
        ["mixed", "a"],
        ["mixed", "b"],
    ]
    assert [film["overlay"] for film in films if film["left_out"]] == [None]
    assert all(cv2.imread(path) is not None for path in written)
    assert screen(limbs.path, *named, "--overlay", pictures) == 0
    assert f"a.png: score 0.97\n  overlay: {written[0]}\n" in capsys.readouterr().out


def test_the_overlays_of_the_current_folder_carry_its_name(
    studies: tuple[Path, Path], tmp_path: Path, limbs: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(studies[0])
    assert screen(limbs.path, "--study", ".", "--overlay", tmp_path / "pictures") == 0
    assert {path.name[:8] for path in (tmp_path / "pictures").iterdir()} == {"elbow-a-", "elbow-b-"}


def test_a_film_that_is_changed_before_its_overlay_is_drawn_is_one_line(
    studies: tuple[Path, Path],
    tmp_path: Path,
    limbs: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    opened, path = open_interpreter(limbs), studies[0] / "a.png"

    class Meanwhile:
        name = "meanwhile"

        def run(self, tensor: Pixels) -> Prediction:
            draw_limb(path, "elbow", 0.5)
            return opened.run(tensor)

    monkeypatch.setattr("osteo_edge.screen_command.open_checked", lambda *args, **kwargs: Meanwhile())
    assert screen(limbs.path, "--study", studies[0], "--overlay", tmp_path / "pictures") == 1
    assert problem_of(capsys) == f"{path}: was changed while it was screened; screen it again"


def test_a_picture_that_cannot_be_drawn_holds_no_answer_back(
    studies: tuple[Path, Path],
    tmp_path: Path,
    limbs: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost, reads = studies[0] / "a.png", Counter[Path]()

    def read_once(path: Path) -> Radiograph:
        reads[path] += 1
        if path == lost and reads[path] > 1:
            raise RadiographError(f"{path}: cannot be read (Input/output error); check the name and the disk")
        return read_radiograph(path)

    monkeypatch.setattr("osteo_edge.screen_command._reader", lambda count: nullcontext(read_once))
    options = [option for study in studies for option in ("--study", study)]
    assert screen(limbs.path, *options, "--overlay", tmp_path / "pictures", "--json") == 1
    told = capsys.readouterr()
    answers = [json.loads(line) for line in told.out.splitlines()]
    assert [answer["study"] for answer in answers] == [str(study) for study in studies]
    assert answers[0]["films"][0]["overlay"] is None
    assert all(film["overlay"] for answer in answers for film in answer["films"] if film["image"] != str(lost))
    assert "Input/output error" in told.err


@pytest.mark.parametrize("both", [True, False])
def test_images_or_studies_are_needed_and_not_both(
    both: bool, film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(bundle.path, *([film, "--study", film.parent] if both else [])) == 2
    wanted = "Name images, or folders with --study, not both." if both else "name images, or a folder with --study."
    assert wanted in capsys.readouterr().err


def test_the_help_shows_how_to_name_a_bone_and_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert screen("--help") == 0
    shown = capsys.readouterr().out
    assert "osteo-edge screen limbs-int8 front.png side.png --bone elbow" in shown
    assert "osteo-edge screen limbs-int8 --study patient7/study1" in shown
