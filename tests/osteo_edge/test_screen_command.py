import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.wording import ADVICE, FAILED_CHECK, HEADLINES
from tests.osteo_edge.screen_calls import problem_of, read_lines, screen

Draw = Callable[..., Path]
RULING_OUT = re.compile("normal|healthy|clear", re.IGNORECASE)
BRIGHTNESS = {"refer": 0.85, "uncertain": 0.5, "no_finding": 0.2}
ONE_PIXEL, NOISE = (
    cv2.imencode(".png", np.random.default_rng(0).integers(0, 256, (side, side), np.uint8))[1].tobytes()
    for side in (1, 200)
)


@pytest.mark.parametrize("outcome", BRIGHTNESS)
def test_an_answer_says_what_why_and_for_what_use(
    outcome: str, draw_film: Draw, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    path = draw_film(brightness=BRIGHTNESS[outcome])
    assert screen(bundle.path, path) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for part in (
        f"golden: {bundle.manifest.intended_use}",
        f"{path}: {HEADLINES[outcome]}",  # type: ignore[index]
        ADVICE[outcome],  # type: ignore[index]
        "calibrated probability: osteopenia 0.",
        " ms (LiteRT ",
    ):
        assert part in printed.out
    assert not RULING_OUT.search(printed.out.replace(str(path), ""))


def test_a_grade_is_shown_with_what_it_is_not_and_only_on_a_referral(
    draw_film: Draw, golden_bundle: Callable[..., Bundle], bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = replace(bundle.manifest.outputs, severity=bundle.manifest.outputs.logits)
    graded = golden_bundle("graded", outputs=outputs)
    referred, other = (draw_film(f"{name}.png", brightness=BRIGHTNESS[name]) for name in ("refer", "no_finding"))
    assert screen(graded.path, referred, other) == 0
    answered = capsys.readouterr().out
    assert answered.count("unsupervised grade: high (a grouping of this model's own, not a clinical stage)") == 1
    assert answered.index("unsupervised grade") < answered.index(f"{other}: ")
    assert screen(graded.path, referred, other, "--json") == 0
    assert [answer["severity"] for answer in read_lines(capsys.readouterr().out)] == ["high", None]


def test_a_rejected_image_is_answered_too(draw_film: Draw, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(bundle.path, draw_film(height=64, width=64)) == 0
    printed = capsys.readouterr().out
    assert HEADLINES["rejected"] in printed
    assert "too small: 64 x 64 pixels" in printed
    assert "probability" not in printed


@pytest.mark.parametrize("outcome", [*BRIGHTNESS, "rejected"])
def test_json_is_one_object_an_image_and_never_rules_out(
    outcome: str, draw_film: Draw, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    height = 64 if outcome == "rejected" else 400
    paths = [draw_film(name, brightness=BRIGHTNESS.get(outcome, 0.5), height=height) for name in ("a.png", "b.png")]
    assert screen(bundle.path, *paths, "--json") == 0
    printed = capsys.readouterr().out
    answers = read_lines(printed)
    assert [answer["image"] for answer in answers] == [str(path) for path in paths]
    for answer in answers:
        assert answer["outcome"] == outcome
        assert answer["intended_use"] == bundle.manifest.intended_use
        assert answer["overlay"] is None
    for path in paths:
        printed = printed.replace(str(path), "")
    assert not RULING_OUT.search(printed)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_bad_image_does_not_stop_the_others(
    options: Sequence[str], draw_film: Draw, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone.png"
    first, last = draw_film("first.png", brightness=0.85), draw_film("last.png", brightness=0.85)
    assert screen(bundle.path, first, gone, last, *options) == 1
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"osteo-edge: {gone}: cannot be read (No such file or directory); check the name and the disk"
    ]
    assert printed.out.count(HEADLINES["refer"]) == 2
    if options:
        assert [set(answer) == {"image", "error"} for answer in read_lines(printed.out)] == [False, True, False]


def test_a_name_of_a_film_cannot_write_to_the_terminal(
    draw_film: Draw, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    film = draw_film("study/a\x07\n\u202e.png", brightness=0.85)
    assert screen(bundle.path, film, tmp_path / "gone\r.png", "--overlay", tmp_path / "pictures") == 1
    assert screen(bundle.path, "--study", film.parent) == 0
    printed = capsys.readouterr()
    assert not [letter for letter in (printed.out + printed.err).replace("\n", "") if not letter.isprintable()]
    assert f"{film.parent}/a\\x07\\n\\u202e.png: {HEADLINES['refer']}" in printed.out
    assert "a\\x07\\n\\u202e.png: score" in printed.out
    assert f"{tmp_path}/gone\\r.png: cannot be read" in printed.err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "the file is empty"),
        (b"hello, I am a knee", "not a PNG, JPEG, BMP, TIFF or DICOM file, whatever its name"),
        (ONE_PIXEL, "1 x 1 pixels is too small for a radiograph"),
        (NOISE[:9000], "damaged or incomplete"),
    ],
    ids=["missing", "empty", "text", "one pixel", "cut"],
)
def test_an_image_that_cannot_be_read_is_one_line(
    content: bytes | None, problem: str, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "knee.png"
    if content is not None:
        path.write_bytes(content)
    assert screen(bundle.path, path) == 1
    line = problem_of(capsys)
    assert line.startswith(f"{path}: ")
    assert problem in line


def test_a_folder_of_images_is_one_line(tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(bundle.path, tmp_path) == 1
    assert problem_of(capsys) == f"{tmp_path}: is a folder; name an image file"


def test_an_altered_bundle_screens_nothing(film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(bundle.model_path.read_bytes())
    data[1000] ^= 1
    bundle.model_path.write_bytes(data)
    assert screen(bundle.path, film) == 1
    assert problem_of(capsys).startswith(f"{bundle.model_path}: altered since the bundle was written")


def test_a_keras_bundle_is_refused_with_the_command_that_converts_it(
    film: Path, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    model = replace(bundle.manifest.model, format="keras")
    keras = tmp_path / "keras"
    write_bundle(keras, replace(bundle.manifest, model=model), {"model.tflite": bundle.model_path.read_bytes()})
    assert screen(keras, film) == 1
    assert problem_of(capsys) == (
        f"{keras}: a keras bundle; convert it first: osteo-edge convert {keras} --precision int8 --out {keras}-int8"
    )


def test_a_model_that_failed_its_check_screens_nothing(
    film: Path, failed_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(failed_bundle.path, film) == 1
    assert capsys.readouterr().out == ""
    assert screen(failed_bundle.path, film, "--json") == 1
    assert problem_of(capsys) == (
        f"{failed_bundle.path}: {FAILED_CHECK} In detail: decisions agree on 80.0% of 40 images, 98.0% are asked for. "
        "Take another bundle, or add --force to try this one out"
    )


def test_every_answer_of_a_model_that_is_forced_carries_the_warning(
    draw_film: Draw, failed_bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = draw_film("a.png", brightness=0.85), draw_film("b.png", height=64)
    assert screen(failed_bundle.path, *paths, "--force") == 0
    answered = capsys.readouterr().out
    assert [HEADLINES[outcome] in answered for outcome in ("refer", "rejected")] == [True, True]
    assert answered.count(f"\n  {FAILED_CHECK}\n") == 2
    assert screen(failed_bundle.path, *paths, "--force", "--json") == 0
    assert [answer["warnings"] for answer in read_lines(capsys.readouterr().out)] == [[FAILED_CHECK]] * 2


def test_force_changes_nothing_for_a_model_that_passed(
    film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(bundle.path, film, "--force", "--json") == 0
    assert read_lines(capsys.readouterr().out)[0]["warnings"] == []


def test_bundle_and_image_in_the_wrong_order_is_one_line(
    film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(film, bundle.path) == 1
    assert "a file, not a bundle folder" in problem_of(capsys)


def test_overlays_are_written_and_named(
    film: Path, tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "new" / "pictures"
    assert screen(bundle.path, film, "--overlay", pictures, "--json") == 0
    (answer,) = read_lines(capsys.readouterr().out)
    (written,) = pictures.iterdir()
    assert answer["overlay"] == str(written)
    assert cv2.imread(str(written)) is not None
    assert screen(bundle.path, film, "--overlay", pictures) == 0
    assert f"overlay: {written}" in capsys.readouterr().out


def test_two_images_of_the_same_name_keep_their_own_overlays(draw_film: Draw, tmp_path: Path, bundle: Bundle) -> None:
    paths = [draw_film(f"{folder}/knee.png", brightness=number / 10) for number, folder in enumerate("abc", 2)]
    assert screen(bundle.path, *paths, "--overlay", tmp_path / "pictures") == 0
    assert len(list((tmp_path / "pictures").iterdir())) == 3


def test_an_overlay_that_cannot_be_written_is_one_line(
    film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screen(bundle.path, film, "--overlay", film) == 2
    assert "is a file; name a folder" in capsys.readouterr().err


def test_overlays_do_not_go_into_a_bundle(film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(bundle.path, film, "--overlay", bundle.path / "pictures") == 1
    assert "it lies in the bundle" in problem_of(capsys)


def test_an_overlay_that_the_disk_refuses_holds_no_answer_back(
    draw_film: Draw, tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [draw_film(f"{name}.png", brightness=brightness) for name, brightness in BRIGHTNESS.items()]

    def refuse(path: Path, *rest: object) -> Path:
        raise OsteoEdgeError(f"{path}: the overlay cannot be written (No space left on device); choose another place")

    monkeypatch.setattr("osteo_edge.overlay.write_overlay", refuse)
    assert screen(bundle.path, *paths, "--overlay", tmp_path / "pictures", "--json") == 1
    told = capsys.readouterr()
    assert [json.loads(line)["image"] for line in told.out.splitlines()] == [str(path) for path in paths]
    assert told.err.count("No space left on device") == len(paths)


def test_threads_are_those_asked_for(film: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(bundle.path, film, "--threads", 1) == 0
    assert ", 1 thread)" in capsys.readouterr().out
    assert screen(bundle.path, film, "--threads", 0) == 2


def test_a_second_look_adds_a_line_and_changes_no_answer(
    draw_film: Draw, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [draw_film(f"{name}.png", brightness=brightness) for name, brightness in BRIGHTNESS.items()]
    paths.append(draw_film("small.png", height=64))
    assert screen(bundle.path, *paths, "--json") == 0
    plain = read_lines(capsys.readouterr().out)
    assert screen(bundle.path, *paths, "--json", "--second-look") == 0
    again = read_lines(capsys.readouterr().out)
    looks = [answer.pop("second_look") for answer in again]
    for answer in (*plain, *again):
        del answer["stage_ms"], answer["taken_at"]
    assert again == plain
    assert [look is None for look in looks] == [False, False, False, True]
    for look, path in zip(looks, paths, strict=False):
        if isinstance(look, dict):
            assert {version["outcome"] for version in look["versions"]} == {path.stem} or not look["agrees"]
            assert len(look["versions"]) == 5
    assert screen(bundle.path, *paths, "--second-look") == 0
    printed = capsys.readouterr().out
    assert printed.count("\n  second look: ") == 3
    assert printed.count("second look ") == 3, "and what it took, among the times"


def test_a_film_that_is_answered_otherwise_when_moved_says_so(
    draw_film: Draw, bundle: Bundle, golden_bundle: Callable[..., Bundle], capsys: pytest.CaptureFixture[str]
) -> None:
    """The film gets brighter to the right, and its score lies at the threshold: moved to the right, it is darker."""
    path = draw_film("slope.png", brightness=0.5)
    film = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert film is not None
    grain = np.random.default_rng(0).normal(0, 4, film.shape)
    slope = (60 + 0.5 * film + np.linspace(-40, 40, film.shape[1]) + grain).astype(np.uint8)
    path.write_bytes(cv2.imencode(".png", slope)[1].tobytes())
    assert screen(bundle.path, path, "--json") == 0
    (answer,) = read_lines(capsys.readouterr().out)
    score = answer["score"]
    assert isinstance(score, float), answer["reasons"]
    at_score = replace(bundle.manifest.decision, threshold=score, abstain_low=score, abstain_high=score)
    strict = golden_bundle("strict", decision=at_score)
    assert screen(strict.path, path, "--second-look") == 0
    printed = capsys.readouterr().out
    assert f"{path}: {HEADLINES['refer']}" in printed
    assert "second look: disagrees; " in printed
    assert "shifted right: no finding (score " in printed
    assert "shifted left: " not in printed


def test_a_second_look_is_for_images_alone(tmp_path: Path, bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert screen(bundle.path, "--study", tmp_path, "--second-look") == 2
    assert "--second-look is for images, not for --study" in capsys.readouterr().err
