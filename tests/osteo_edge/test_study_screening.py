import errno
import itertools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.console import show_json
from osteo_edge.errors import BundleError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.runtime import Prediction, open_interpreter
from osteo_edge.screening import Failure, screen
from osteo_edge.study_screening import MAX_FILMS, StudyScreening, films_in, screen_studies, screen_study
from osteo_edge.wording import FAILED_CHECK, advice
from tests.cascade import UNCLEAR, draw_limb, write_cascade

Draw = Callable[..., Path]
SAME = ("outcome", "score", "probabilities", "reasons", "warnings", "finding", "headline", "runtime")
SAME_BONE = ("bone", "bone_found", "bone_probability", "bone_given")


class InTurn:
    """Gives the first film the first answer, the second the second, and so on."""

    name = "in turn"

    def __init__(self, *answers: Sequence[float], activation_map: Pixels | None = None) -> None:
        self._answers = iter(answers)
        self._map = activation_map

    def run(self, tensor: Pixels) -> Prediction:
        return Prediction(np.array(next(self._answers), np.float32), self._map)


@pytest.fixture
def limbs(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A bundle of the model of two bones."""
    return write_cascade(tmp_path / "limbs", manifest)


@pytest.fixture
def knees(draw_film: Draw, tmp_path: Path) -> Path:
    """A study of three knee films of different brightness."""
    for number, brightness in enumerate((0.3, 0.9, 0.6)):
        draw_film(f"study/view{number}.png", brightness=brightness)
    return tmp_path / "study"


def logits_of(*probabilities: float) -> list[float]:
    return [float(value) for value in np.log(probabilities)]


@pytest.mark.parametrize("brightness", [0.85, 0.5, 0.2])
def test_a_study_of_one_film_answers_as_the_film(
    brightness: float, draw_film: Draw, tmp_path: Path, bundle: Bundle
) -> None:
    path, interpreter = draw_film("study/a.png", brightness=brightness), open_interpreter(bundle)
    _, film = screen(path, bundle, interpreter)
    study = screen_study(tmp_path / "study", bundle, interpreter)
    for name in (*SAME, *SAME_BONE):
        assert getattr(study, name) == getattr(film, name)
    (only,) = study.films
    assert (only.score, only.image_sha256, only.left_out) == (film.score, film.image_sha256, ())
    np.testing.assert_array_equal(only.evidence, film.evidence)
    assert study.notes == (*film.notes, "films in this answer: 1 of 1")


@pytest.mark.parametrize("bone", [None, "elbow", "wrist"])
@pytest.mark.parametrize("contrast", [0.3, UNCLEAR])
@pytest.mark.parametrize("brightness", [0.75, 0.4])
def test_a_study_of_one_film_goes_to_the_head_of_the_film(
    bone: str | None, contrast: float, brightness: float, tmp_path: Path, limbs: Bundle
) -> None:
    path = draw_limb(tmp_path / "study" / "a.png", "wrist", brightness, contrast=contrast)
    interpreter = open_interpreter(limbs)
    _, film = screen(path, limbs, interpreter, bone)
    study = screen_study(tmp_path / "study", limbs, interpreter, bone)
    for name in (*SAME, *SAME_BONE):
        assert getattr(study, name) == getattr(film, name)
    assert (study.films[0].evidence is None) == (film.evidence is None) == (study.bone is None)


def test_the_score_of_a_study_is_the_mean_of_those_of_its_films(knees: Path, bundle: Bundle) -> None:
    interpreter = open_interpreter(bundle)
    study = screen_study(knees, bundle, interpreter)
    films = [screen(path, bundle, interpreter)[1] for path in sorted(knees.iterdir())]
    scores = [film.score for film in films]
    assert [film.score for film in study.films] == scores
    assert study.score == pytest.approx(np.mean([score for score in scores if score is not None]))
    for label, value in study.probabilities.items():
        assert value == pytest.approx(np.mean([film.probabilities[label] for film in films]))
    assert len({film.outcome for film in films}) > 1
    assert [film.image_sha256 for film in study.films] == [sha256_file(film.image) for film in films]


def test_the_order_of_the_films_does_not_matter(draw_film: Draw, tmp_path: Path, limbs: Bundle) -> None:
    answers = [logits_of(*film) for film in ((0.5, 0.4, 0.1, 0.0001), (0.2, 0.7, 0.05, 0.05), (0.1, 0.3, 0.2, 0.4))]
    for number in range(3):
        draw_film(f"study/{number}.png")
    found = [
        screen_study(tmp_path / "study", limbs, InTurn(*order), bone)
        for bone in (None, "wrist")
        for order in itertools.permutations(answers)
    ]
    for studies in (found[:6], found[6:]):
        assert len({(study.outcome, study.bone, study.reasons) for study in studies}) == 1
        for study in studies[1:]:
            assert study.score == pytest.approx(studies[0].score, abs=1e-12)
            assert study.bone_probability == pytest.approx(studies[0].bone_probability, abs=1e-12)


def test_a_mean_is_decided_as_a_film_would_be(draw_film: Draw, tmp_path: Path, bundle: Bundle) -> None:
    for name in "ab":
        draw_film(f"study/{name}.png")
    clear, doubtful = logits_of(0.1, 0.4, 0.5), logits_of(0.9, 0.05, 0.05)
    for answers, outcome in (
        ((clear, clear), "refer"),
        ((clear, doubtful), "uncertain"),
        ((doubtful,) * 2, "no_finding"),
    ):
        assert screen_study(tmp_path / "study", bundle, InTurn(*answers)).outcome == outcome


def test_films_that_are_rejected_or_unreadable_are_left_out_and_named(
    knees: Path, draw_film: Draw, bundle: Bundle
) -> None:
    interpreter = open_interpreter(bundle)
    alone = screen_study(knees, bundle, interpreter)
    draw_film("study/small.png", height=100, width=100)
    (knees / "view1b.jpg").write_bytes(b"no picture")
    study = screen_study(knees, bundle, interpreter)
    assert (study.score, study.outcome, study.reasons) == (alone.score, alone.outcome, alone.reasons)
    by_name = {film.image.name: film for film in study.films}
    assert list(by_name) == ["small.png", "view0.png", "view1.png", "view1b.jpg", "view2.png"]
    assert by_name["small.png"].left_out == ("too small: 100 x 100 pixels, at least 160 on each side are needed",)
    (unreadable,) = by_name["view1b.jpg"].left_out
    assert unreadable.startswith("not a PNG, JPEG")
    assert [film.score is None for film in study.films] == [True, False, False, True, False]
    assert study.notes[-1] == "films in this answer: 3 of 5; left out: small.png, view1b.jpg"
    assert len(study.counted) == 3


def test_a_study_is_rejected_when_all_that_could_be_read_is(draw_film: Draw, tmp_path: Path, limbs: Bundle) -> None:
    for name in "ab":
        draw_film(f"study/{name}.png", height=100, width=100)
    (tmp_path / "study" / "c.png").write_bytes(b"")
    study = screen_study(tmp_path / "study", limbs, InTurn(), "wrist")
    assert (study.outcome, study.score, study.probabilities, study.bone) == ("rejected", None, {}, None)
    assert study.reasons == ("too small: 100 x 100 pixels, at least 160 on each side are needed",)
    assert advice("rejected", "abnormality") in study.notes
    assert study.notes[-1] == "films in this answer: 0 of 3; left out: a.png, b.png, c.png"


def test_a_study_of_which_no_film_can_be_read_is_one_line(tmp_path: Path, bundle: Bundle) -> None:
    study = tmp_path / "study"
    study.mkdir()
    for name in "ab":
        (study / f"{name}.png").write_bytes(b"")
    with pytest.raises(RadiographError) as caught:
        screen_study(study, bundle, InTurn())
    assert str(caught.value) == (
        f"{study}: no film of this study can be read; the first, a.png: the file is empty; copy or export it again"
    )


def test_films_of_different_bones_get_no_answer_unless_the_user_names_the_bone(tmp_path: Path, limbs: Bundle) -> None:
    draw_limb(tmp_path / "study" / "a.png", "wrist", 0.75)
    draw_limb(tmp_path / "study" / "b.png", "elbow", 0.75)
    interpreter = open_interpreter(limbs)
    study = screen_study(tmp_path / "study", limbs, interpreter)
    assert (study.outcome, study.score, study.probabilities, study.bone) == ("uncertain", None, {}, None)
    assert study.reasons == ("its films show different bones: elbow, wrist",)
    assert [(film.bone_found, film.score, film.evidence) for film in study.films] == [
        ("wrist", None, None),
        ("elbow", None, None),
    ]
    named = screen_study(tmp_path / "study", limbs, interpreter, "wrist")
    assert (named.outcome, named.bone, list(named.probabilities)) == ("refer", "wrist", ["wrist abnormal"])
    assert named.score == pytest.approx(1 / (1 + np.exp(-12 * 0.25)), abs=0.01)


def test_films_of_different_bones_get_no_answer_even_where_the_mean_is_beyond_doubt(
    draw_film: Draw, tmp_path: Path, limbs: Bundle
) -> None:
    for name in "abcdef":
        draw_film(f"study/{name}.png")
    elbow, wrist = logits_of(0.1, 0.89, 0.005, 0.005), logits_of(0.1, 0.1, 0.4, 0.4)
    study = screen_study(tmp_path / "study", limbs, InTurn(*[elbow] * 5, wrist))
    assert study.bone_probability is not None
    assert study.bone_probability > 0.8
    assert (study.outcome, study.bone, study.score) == ("uncertain", None, None)


def test_a_film_in_doubt_goes_with_the_others(tmp_path: Path, limbs: Bundle) -> None:
    draw_limb(tmp_path / "study" / "a.png", "elbow", 0.75)
    draw_limb(tmp_path / "study" / "b.png", "elbow", 0.75)
    draw_limb(tmp_path / "study" / "c.png", "elbow", 0.75)
    draw_limb(tmp_path / "study" / "d.png", "wrist", 0.75, contrast=0.03)
    study = screen_study(tmp_path / "study", limbs, open_interpreter(limbs))
    assert (study.outcome, study.bone) == ("refer", "elbow")
    assert [film.bone_found for film in study.films] == ["elbow", "elbow", "elbow", "wrist"]
    probabilities = [film.bone_probability or 0.0 for film in study.films]
    assert probabilities[3] < 0.8 < min(probabilities[:3])
    assert study.bone_probability == pytest.approx((sum(probabilities[:3]) + 1 - probabilities[3]) / 4)


def test_a_study_whose_mean_is_in_doubt_about_the_bone_gets_no_answer(tmp_path: Path, limbs: Bundle) -> None:
    for name in "ab":
        draw_limb(tmp_path / "study" / f"{name}.png", "wrist", 0.75, contrast=UNCLEAR)
    study = screen_study(tmp_path / "study", limbs, open_interpreter(limbs))
    assert (study.outcome, study.score, study.bone_found) == ("uncertain", None, "wrist")
    assert study.reasons[0].startswith("it is not clear which bone this shows: wrist (0.7")


def test_a_film_without_numbers_leaves_its_study_without_an_answer(knees: Path, bundle: Bundle, limbs: Bundle) -> None:
    study = screen_study(knees, bundle, InTurn([0, 1, 2], [np.nan, 0, 0], [0, 1, 2]))
    assert (study.outcome, study.reasons) == ("uncertain", ("the model gave no number for this image",))
    routed = screen_study(knees, limbs, InTurn([0, 9, 0, 0], [np.nan, 0, 0, 0], [0, 9, 0, 0]))
    assert (routed.outcome, routed.score, routed.bone_found) == ("uncertain", None, None)


def test_each_film_has_the_evidence_of_the_head_that_answers_for_the_study(
    draw_film: Draw, tmp_path: Path, limbs: Bundle
) -> None:
    for name in "ab":
        draw_film(f"study/{name}.png")
    activation_map = np.zeros((8, 8, 4), np.float32)
    activation_map[1, 3, 1], activation_map[6, 3, 3] = 5, 9
    elbow, rather_wrist = logits_of(0.1, 0.89, 0.005, 0.005), logits_of(0.2, 0.2, 0.3, 0.3)
    certain = replace(limbs.manifest.router, min_confidence=0.65) if limbs.manifest.router else None
    limbs = Bundle(limbs.path, replace(limbs.manifest, router=certain))
    study = screen_study(tmp_path / "study", limbs, InTurn(elbow, rather_wrist, activation_map=activation_map))
    assert study.bone == "elbow"
    for film in study.films:
        assert film.evidence is not None
        upper, lower = np.array_split(film.evidence, 2)
        assert (upper.max(), lower.max()) == (1, 0)


def test_beside_a_film_stands_the_answer_of_its_study(knees: Path, draw_film: Draw, bundle: Bundle) -> None:
    draw_film("study/small.png", height=100, width=100)
    (knees / "bad.png").write_bytes(b"")
    study = screen_study(knees, bundle, open_interpreter(bundle))
    beside = {film.image.name: study.of_film(film) for film in study.films}
    assert beside["bad.png"] is None
    small, view = beside["small.png"], beside["view0.png"]
    assert small is not None
    assert (small.outcome, small.score, small.evidence, small.probabilities) == ("rejected", None, None, {})
    assert view is not None
    assert (view.outcome, view.score) == (study.outcome, study.score)
    assert view.reasons == (
        *study.reasons,
        "this is the answer of the whole study",
        "films in this answer: 3 of 5; left out: bad.png, small.png",
    )
    assert view.evidence is study.films[2].evidence is not None


def test_hidden_files_and_files_of_other_kinds_are_no_films(knees: Path) -> None:
    for name in ("._view0.png", ".hidden.png", "notes.txt", "list.csv", "report"):
        (knees / name).write_bytes(b"no film")
    (knees / "more").mkdir()
    assert [path.name for path in films_in(knees)] == ["view0.png", "view1.png", "view2.png"]


def test_a_file_that_cannot_be_opened_does_not_hide_the_others(
    knees: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    (knees / "IM000001").write_bytes(bytes(128) + b"DICM")
    open_file = Path.open

    def open_unless_bad(path: Path, *options: Any, **others: Any) -> Any:
        if path.name == "IM000001":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return open_file(path, *options, **others)

    monkeypatch.setattr(Path, "open", open_unless_bad)
    study = screen_study(knees, bundle, open_interpreter(bundle))
    assert study.notes[-1] == "films in this answer: 3 of 4; left out: IM000001"


@pytest.mark.parametrize("name", ["IM000001", "1.2.840.10008.5", "FILM.DCM"])
def test_a_dicom_file_is_a_film_whatever_its_name(name: str, knees: Path) -> None:
    (knees / name).write_bytes(bytes(128) + b"DICM")
    assert name in [path.name for path in films_in(knees)]


def test_a_folder_without_films_is_one_line(tmp_path: Path, bundle: Bundle) -> None:
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    (other / "notes.txt").write_text("no film")
    for folder in (empty, other):
        with pytest.raises(RadiographError) as caught:
            screen_study(folder, bundle, InTurn())
        assert str(caught.value) == (
            f"{folder}: holds no image file; name the folder that holds the films of one study"
        )


@pytest.mark.parametrize(("name", "problem"), [("gone", "No such file or directory"), ("a.png", "Not a directory")])
def test_what_is_no_folder_is_one_line(name: str, problem: str, tmp_path: Path, draw_film: Draw) -> None:
    draw_film("a.png")
    with pytest.raises(RadiographError) as caught:
        films_in(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot be read ({problem}); name the folder of one study"


def test_a_folder_of_many_images_is_no_study(tmp_path: Path) -> None:
    for number in range(MAX_FILMS + 1):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(RadiographError, match=r"holds 101 image files, a study at most 100; name the folder of one"):
        films_in(tmp_path)
    (tmp_path / "0.png").unlink()
    assert len(films_in(tmp_path)) == MAX_FILMS


def test_a_study_that_cannot_be_read_does_not_stop_the_others(knees: Path, tmp_path: Path, bundle: Bundle) -> None:
    gone = tmp_path / "gone"
    first, second, third = screen_studies([knees, gone, knees], bundle, open_interpreter(bundle))
    assert isinstance(second, Failure)
    assert (second.image, second.error.startswith(f"{gone}: cannot be read")) == (gone, True)
    for answer in (first, third):
        assert isinstance(answer, StudyScreening)
        assert answer.study == knees


def test_an_unknown_bone_is_told_before_any_folder_is_read(tmp_path: Path, limbs: Bundle, bundle: Bundle) -> None:
    with pytest.raises(OsteoEdgeError, match="limbs does not know the bone 'knee'; it knows elbow, wrist"):
        screen_studies([tmp_path / "gone"], limbs, InTurn(), "knee")
    with pytest.raises(OsteoEdgeError, match="golden does not tell bones apart"):
        screen_study(tmp_path / "gone", bundle, InTurn(), "knee")


def test_a_model_that_failed_its_check_answers_only_when_forced_and_warns(knees: Path, failed_bundle: Bundle) -> None:
    interpreter = open_interpreter(failed_bundle)
    for refused in (screen_study, lambda path, *rest: screen_studies([path], *rest)):
        with pytest.raises(BundleError, match="failed its check after conversion"):
            refused(knees, failed_bundle, interpreter)
    study = screen_study(knees, failed_bundle, interpreter, force=True)
    assert study.warnings == (FAILED_CHECK,)
    assert study.notes[0] == FAILED_CHECK


def test_a_study_tells_machines_of_each_film(knees: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    (knees / "bad.png").write_bytes(b"")
    study = screen_study(knees, bundle, open_interpreter(bundle))
    show_json(study.to_dict())
    plain = json.loads(capsys.readouterr().out)
    assert (plain["study"], plain["outcome"], plain["headline"]) == (str(knees), study.outcome, study.headline)
    assert (plain["score"], plain["probabilities"], plain["bone"]) == (study.score, study.probabilities, None)
    bad, *views = plain["films"]
    assert bad["left_out"] == ["the file is empty; copy or export it again"]
    assert [film["score"] for film in views] == [film.score for film in study.counted]
    assert [film["image"] for film in plain["films"]] == [str(film.image) for film in study.films]
    assert "evidence" not in bad


def test_the_time_of_a_study_is_that_of_its_films_together(knees: Path, draw_film: Draw, bundle: Bundle) -> None:
    draw_film("study/small.png", height=100, width=100)
    study = screen_study(knees, bundle, open_interpreter(bundle))
    assert list(study.stage_ms) == ["read", "prepare", "infer"]
    assert study.stage_ms["read"] == pytest.approx(sum(film.stage_ms["read"] for film in study.films), abs=0.01)
