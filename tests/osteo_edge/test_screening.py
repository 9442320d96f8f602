import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.console import show_json
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.errors import BundleError, OsteoEdgeError, RadiographError
from osteo_edge.hashing import sha256_file
from osteo_edge.layout import lay_out_film
from osteo_edge.manifest import Calibration, Manifest
from osteo_edge.preprocessing import Pixels
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import Interpreter, Prediction, open_interpreter
from osteo_edge.screening import (
    Failure,
    Screening,
    calibrated,
    decide,
    evidence_of,
    score_of,
    screen,
    screen_all,
    severity_of,
)
from osteo_edge.train.knee_template import draw_knee
from osteo_edge.wording import COMPARISON_USE, FAILED_CHECK, advice, headline
from tests.cascade import UNCLEAR, cascade_manifest, draw_limb, write_cascade

Draw = Callable[..., Path]
Answering = Callable[..., Interpreter]
Grading = Callable[[list[float], list[float]], Interpreter]
CANVAS = (32, 32)
TEMPERATURE_1 = Calibration("temperature", 1.0, "validation")


@pytest.fixture
def grading(answering: Answering) -> Grading:
    """An interpreter that always answers the given logits and severity logits."""

    def make(logits: list[float], severity: list[float]) -> Interpreter:
        prediction = answering(logits).run(np.zeros((1, 32, 32, 3), np.float32))
        graded = replace(prediction, severity=np.array(severity, np.float32))

        class Graded:
            name = "graded"

            def run(self, tensor: Pixels) -> Prediction:
                return graded

        return Graded()

    return make


def map_with(row: int, column: int, *, label: int = 2, rows: int = 8) -> Pixels:
    """Evidence for one label in one cell."""
    activation_map = np.zeros((rows, rows, 3), np.float32)
    activation_map[row, column, label] = 5
    return activation_map


@pytest.mark.parametrize(("brightness", "outcome"), [(0.85, "refer"), (0.5, "uncertain"), (0.2, "no_finding")])
def test_the_golden_model_answers_as_its_score_says(
    brightness: float, outcome: str, draw_film: Draw, bundle: Bundle
) -> None:
    radiograph, screening = screen(draw_film(brightness=brightness), bundle, open_interpreter(bundle))
    assert screening.outcome == outcome
    assert screening.score == pytest.approx(sum(screening.probabilities.values()))
    assert radiograph.pixels.shape == (400, 300)


def test_a_screening_says_what_it_was_made_from(film: Path, bundle: Bundle) -> None:
    _, screening = screen(film, bundle, open_interpreter(bundle))
    assert screening.image == film
    assert screening.image_sha256 == sha256_file(film)
    assert screening.model_sha256 == sha256_file(bundle.model_path)
    assert screening.intended_use == bundle.manifest.intended_use
    assert screening.runtime.startswith("LiteRT")
    assert datetime.fromisoformat(screening.taken_at).tzinfo is not None
    assert list(screening.stage_ms) == ["read", "prepare", "infer", "map"]
    assert min(screening.stage_ms.values()) >= 0


def test_the_same_film_gives_the_same_answer(film: Path, bundle: Bundle) -> None:
    first, second = (screen(film, bundle, open_interpreter(bundle))[1] for _ in range(2))
    assert (first.score, first.probabilities, first.reasons) == (second.score, second.probabilities, second.reasons)
    assert first.evidence is not None
    assert second.evidence is not None
    np.testing.assert_array_equal(first.evidence, second.evidence)


def test_a_rejected_image_is_not_shown_to_the_model(draw_film: Draw, bundle: Bundle) -> None:
    class Forbidden:
        name = "forbidden"

        def run(self, tensor: object) -> Prediction:
            raise AssertionError("the model was asked")

    radiograph, screening = screen(draw_film(height=100, width=100), bundle, Forbidden())
    assert radiograph.pixels.shape == (100, 100)
    assert screening.outcome == "rejected"
    assert screening.reasons == ("too small: 100 x 100 pixels, at least 160 on each side are needed",)
    assert (screening.score, screening.probabilities, screening.evidence) == (None, {}, None)
    assert list(screening.stage_ms) == ["read"]


def test_a_film_without_a_knee_is_rejected_by_a_model_of_knees(
    film: Path, golden_bundle: Callable[..., Bundle], manifest: Manifest, answering: Answering
) -> None:
    knees = golden_bundle(input=replace(manifest.input, width=64, resize="knees"))
    ball = cv2.circle(np.full((300, 300), 60, np.uint8), (150, 150), 90, (200,), -1)
    cv2.imwrite(str(film), ball)
    _, screening = screen(film, knees, answering([3, 1, 2]))
    assert screening.outcome == "rejected"
    assert screening.reasons == (
        "no knee joint was found in this image: use a frontal film that shows the whole joint",
    )
    assert (screening.score, screening.probabilities, screening.evidence) == (None, {}, None)
    assert list(screening.stage_ms) == ["read", "prepare"]


def test_evidence_lies_on_the_knee_that_the_model_saw(
    film: Path, golden_bundle: Callable[..., Bundle], manifest: Manifest, answering: Answering
) -> None:
    knees = golden_bundle(input=replace(manifest.input, width=64, resize="knees"))
    drawn = draw_knee(1000)
    cv2.imwrite(str(film), np.rint(drawn.pixels * 255).astype(np.uint8))
    _, screening = screen(film, knees, answering([0, 1, 2], np.full((1, 2, 3), [0, 1, 5], np.float32)))
    assert screening.evidence is not None
    rows, columns = np.nonzero(screening.evidence)
    side = 1.5 * drawn.width_px
    assert np.ptp(rows) + 1 == pytest.approx(side, rel=0.1)
    assert (columns.mean(), rows.mean()) == pytest.approx((drawn.x_px, drawn.y_px), abs=0.1 * drawn.width_px)


def test_only_positive_labels_get_a_probability(film: Path, bundle: Bundle, answering: Answering) -> None:
    _, screening = screen(film, bundle, answering([3, 1, 2]))
    assert list(screening.probabilities) == ["osteopenia", "osteoporosis"]
    weights = np.exp([3, 1, 2])
    assert screening.score == pytest.approx(weights[1:].sum() / weights.sum())


@pytest.mark.parametrize("brightness", [0.85, 0.5, 0.2, 0.0])
def test_no_answer_can_be_read_as_a_rule_out(
    brightness: float, draw_film: Draw, bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    _, screening = screen(draw_film(brightness=brightness), bundle, open_interpreter(bundle))
    show_json(screening.to_dict())
    printed = capsys.readouterr().out
    assert not re.search("normal|healthy|clear", printed.replace(str(screening.image), ""), re.IGNORECASE)
    plain = json.loads(printed)
    assert plain["outcome"] == screening.outcome
    assert plain["headline"] == screening.headline
    assert "evidence" not in plain


@pytest.mark.parametrize(
    ("score", "outcome", "reason"),
    [
        (0.0, "no_finding", "score below 0.01 is below the threshold 0.60"),
        (0.3999, "no_finding", "score 0.3999 is below the threshold 0.6000"),
        (0.4, "uncertain", "score 0.40 lies between 0.40 and 0.60"),
        (0.5999, "uncertain", "score 0.5999 lies between 0.4000 and 0.6000"),
        (0.6, "refer", "score 0.60 is at or above the threshold 0.60"),
        (0.997, "refer", "score above 0.99 is at or above the threshold 0.60"),
        (1.0, "refer", "score above 0.99 is at or above the threshold 0.60"),
        (float("nan"), "uncertain", "the model gave no number for this image"),
    ],
)
def test_the_edges_belong_to_the_graver_side(score: float, outcome: str, reason: str, manifest: Manifest) -> None:
    assert decide(score, manifest.decision) == (outcome, reason)


def test_a_band_may_lie_above_the_threshold_or_be_empty(manifest: Manifest) -> None:
    above = replace(manifest.decision, threshold=0.4)
    assert [decide(score, above)[0] for score in (0.39, 0.4, 0.59, 0.6)] == [
        "no_finding",
        "uncertain",
        "uncertain",
        "refer",
    ]
    none = replace(manifest.decision, threshold=0.5, abstain_low=0.5, abstain_high=0.5)
    assert [decide(score, none)[0] for score in (0.49, 0.5)] == ["no_finding", "refer"]


@pytest.mark.parametrize("logits", [[np.nan, 0, 0], [np.inf, 0, 0], [-np.inf] * 3])
def test_a_model_that_gives_no_number_gives_no_answer(
    logits: list[float], film: Path, bundle: Bundle, answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    _, screening = screen(film, bundle, answering(logits, np.full((8, 8, 3), np.nan)))
    assert screening.outcome == "uncertain"
    assert screening.evidence is None
    show_json(screening.to_dict())
    assert json.loads(capsys.readouterr().out)["score"] is None


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_calibrated_probabilities_sum_to_one(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(scale=300, size=(50, 3)).astype(np.float32)
    found = calibrated(logits, replace(TEMPERATURE_1, temperature=temperature))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))


def test_a_temperature_of_one_is_softmax_and_a_high_one_flattens() -> None:
    logits = np.log([0.2, 0.3, 0.5])
    np.testing.assert_allclose(calibrated(logits, TEMPERATURE_1), [0.2, 0.3, 0.5])
    np.testing.assert_allclose(calibrated(logits, replace(TEMPERATURE_1, temperature=1e6)), [1 / 3] * 3, rtol=1e-5)


def test_the_score_is_summed_over_the_positive_labels_of_each_case(manifest: Manifest) -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [0.9, 0.1, 0.0]])
    np.testing.assert_allclose(score_of(probabilities, manifest), [0.8, 0.1])
    one = replace(manifest, decision=replace(manifest.decision, positive_labels=("osteoporosis",)))
    np.testing.assert_allclose(score_of(probabilities, one), [0.5, 0.0])


@pytest.mark.parametrize("shape", [(300, 300), (400, 300), (300, 400)])
@pytest.mark.parametrize(("y", "x"), [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_evidence_in_a_corner_of_the_film_is_shown_in_that_corner(
    shape: tuple[int, int], y: int, x: int, manifest: Manifest
) -> None:
    rows = [0, 7] if shape[0] >= shape[1] else [1, 6]  # the letterbox covers the middle three quarters
    columns = [0, 7] if shape[1] >= shape[0] else [1, 6]
    logits = np.zeros(3, np.float32)
    evidence = evidence_of(Prediction(logits, map_with(rows[y], columns[x])), manifest, lay_out_film(shape, CANVAS))
    assert evidence is not None
    assert evidence.shape == shape
    assert (evidence.min(), evidence.max()) == (0, 1)
    assert evidence[y, x] > 0.5
    assert evidence[-1 - y, -1 - x] == 0


def test_evidence_for_other_labels_counts_against(manifest: Manifest) -> None:
    logits = np.zeros(3, np.float32)
    against = map_with(2, 2, label=0)
    for activation_map in (against, against - 3, np.zeros((8, 8, 3), np.float32)):
        evidence = evidence_of(Prediction(logits, activation_map), manifest, lay_out_film((64, 64), CANVAS))
        assert evidence is not None
        assert not evidence.any()
    outweighed = evidence_of(
        Prediction(logits, np.add(against, [0, 1, 2], dtype=np.float32)), manifest, lay_out_film((64, 64), CANVAS)
    )
    assert outweighed is not None
    assert outweighed[20, 20] < 0.2
    assert outweighed[44, 44] == 1
    both = evidence_of(Prediction(logits, against + map_with(5, 5)), manifest, lay_out_film((64, 64), CANVAS))
    assert both is not None
    assert both.max() == both[44, 44] == 1


def test_evidence_needs_no_label_that_is_not_positive(manifest: Manifest) -> None:
    every = replace(manifest, decision=replace(manifest.decision, positive_labels=manifest.labels))
    evidence = evidence_of(Prediction(np.zeros(3, np.float32), map_with(0, 0)), every, lay_out_film((64, 64), CANVAS))
    assert evidence is not None
    assert evidence[0, 0] == 1


def test_evidence_lies_where_the_golden_model_saw_it(tmp_path: Path, bundle: Bundle) -> None:
    pixels = np.full((320, 320), 40, np.uint8)
    pixels[200:280, 40:120] = 255
    path = tmp_path / "spot.png"
    cv2.imwrite(str(path), pixels)
    _, screening = screen(path, bundle, open_interpreter(bundle))
    assert screening.evidence is not None
    y, x = np.argwhere(screening.evidence > 0.9).mean(axis=0)
    assert (y, x) == (pytest.approx(240, abs=20), pytest.approx(80, abs=20))


def test_only_a_referred_image_is_graded(film: Path, bundle: Bundle, grading: Grading) -> None:
    found = {
        outcome: screen(film, bundle, grading(logits, [0, 1, 5]))[1]
        for outcome, logits in (("refer", [0.0, 9, 9]), ("uncertain", [0.0, 0, -9]), ("no_finding", [9.0, 0, 0]))
    }
    assert {outcome: screening.outcome for outcome, screening in found.items()} == {name: name for name in found}
    assert {outcome: screening.severity for outcome, screening in found.items()} == {
        "refer": "high",
        "uncertain": None,
        "no_finding": None,
    }
    assert found["refer"].to_dict()["severity"] == "high"
    assert "not a clinical stage" in found["refer"].to_dict()["severity_words"]
    assert found["refer"].notes[-1] == found["refer"].to_dict()["severity_words"]
    assert found["no_finding"].to_dict()["severity_words"] is None
    assert len(found["no_finding"].notes) == 2


@pytest.mark.parametrize(("logits", "severity"), [([2, 1, 0], "low"), ([0, 3, 1], "medium"), ([-9, -8, -7], "high")])
def test_the_grade_is_that_of_the_largest_severity_logit(logits: list[float], severity: str) -> None:
    assert severity_of(Prediction(np.zeros(3, np.float32), None, np.array(logits, np.float32))) == severity


@pytest.mark.parametrize("logits", [None, np.array([np.nan, 0, 1], np.float32), np.array([np.inf, 0, 1], np.float32)])
def test_a_model_that_gives_no_severity_or_no_number_gives_no_grade(logits: Pixels | None) -> None:
    assert severity_of(Prediction(np.zeros(3, np.float32), None, logits)) is None


def test_a_model_without_a_map_gives_no_evidence(film: Path, bundle: Bundle, answering: Answering) -> None:
    assert screen(film, bundle, answering([0, 1, 2]))[1].evidence is None


def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    film: Path, tmp_path: Path, bundle: Bundle, answering: Answering
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    first, second, third = screen_all([film, bad, film], bundle, answering([0, 1, 2]))
    assert isinstance(second, Failure)
    assert second.image == bad
    assert second.error.startswith(f"{bad}: not a PNG")
    for answer in (first, third):
        assert isinstance(answer, tuple)
        assert isinstance(answer[1], Screening)


def test_one_file_that_cannot_be_read_is_an_error(tmp_path: Path, bundle: Bundle, answering: Answering) -> None:
    with pytest.raises(RadiographError, match=r"gone\.png: cannot be read"):
        screen(tmp_path / "gone.png", bundle, answering([0, 1, 2]))


def test_a_model_that_failed_its_check_answers_only_when_forced_and_warns(
    film: Path, failed_bundle: Bundle, answering: Answering
) -> None:
    interpreter = answering([0, 1, 2])
    with pytest.raises(BundleError, match="failed its check after conversion"):
        screen(film, failed_bundle, interpreter)
    with pytest.raises(BundleError, match="failed its check after conversion"):
        screen_all([], failed_bundle, interpreter)
    _, screening = screen(film, failed_bundle, interpreter, force=True)
    assert screening.outcome == "refer"
    assert screening.warnings == (FAILED_CHECK,)
    assert screening.notes[0] == FAILED_CHECK


@pytest.fixture
def limbs(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A bundle of the model of two bones."""
    return write_cascade(tmp_path / "limbs", manifest)


def logits_of(*probabilities: float) -> list[float]:
    return [float(value) for value in np.log(probabilities)]


@pytest.mark.parametrize("bone", ["elbow", "wrist"])
@pytest.mark.parametrize(("brightness", "outcome"), [(0.7, "refer"), (0.5, "uncertain"), (0.3, "no_finding")])
def test_the_head_of_the_bone_that_a_film_shows_answers(
    bone: str, brightness: float, outcome: str, tmp_path: Path, limbs: Bundle
) -> None:
    path = draw_limb(tmp_path / "film.png", bone, brightness)
    _, screening = screen(path, limbs, open_interpreter(limbs))
    assert (screening.outcome, screening.finding) == (outcome, "abnormality")
    assert (screening.bone, screening.bone_found, screening.bone_given) == (bone, bone, None)
    assert screening.bone_probability is not None
    assert screening.bone_probability > 0.99
    assert screening.reasons[0] == f"taken for: {bone} (probability above 0.99)"
    assert "score" in screening.reasons[1]
    assert list(screening.probabilities) == [f"{bone} abnormal"]
    assert screening.evidence is not None


def test_a_routed_score_is_of_the_head_that_answers_and_decided_by_it_alone(
    film: Path, tmp_path: Path, manifest: Manifest, answering: Answering
) -> None:
    router = cascade_manifest(manifest).router
    assert router is not None
    lenient = replace(router.heads[1].decision, threshold=0.25, abstain_low=0.25, abstain_high=0.25)
    heads = (router.heads[0], replace(router.heads[1], decision=lenient))
    limbs = write_cascade(tmp_path / "limbs", manifest, router=replace(router, heads=heads))
    for probabilities, bone, outcome in (
        ((0.6, 0.25, 0.05, 0.1), "elbow", "no_finding"),
        ((0.05, 0.1, 0.6, 0.25), "wrist", "refer"),
    ):
        _, screening = screen(film, limbs, answering(logits_of(*probabilities)))
        assert (screening.bone, screening.outcome) == (bone, outcome)
        assert screening.score == pytest.approx(0.25 / 0.85)
        assert screening.probabilities == {f"{bone} abnormal": pytest.approx(0.25 / 0.85)}
        _, said = screen(film, limbs, answering(logits_of(*probabilities)), bone)
        assert (said.outcome, said.score) == (outcome, screening.score), "whoever confirms the bone changes nothing"


def test_where_it_is_not_clear_which_bone_a_film_shows_no_head_answers(tmp_path: Path, limbs: Bundle) -> None:
    path = draw_limb(tmp_path / "film.png", "elbow", 0.9, contrast=UNCLEAR)
    _, screening = screen(path, limbs, open_interpreter(limbs))
    assert (screening.outcome, screening.score, screening.probabilities) == ("uncertain", None, {})
    assert screening.evidence is None
    assert (screening.bone, screening.bone_found) == (None, "elbow")
    assert screening.bone_probability == pytest.approx(0.75, abs=0.04)
    (reason,) = screening.reasons
    assert reason.startswith("it is not clear which bone this shows: elbow (0.7")


@pytest.mark.parametrize("contrast", [0.3, UNCLEAR])
def test_a_bone_that_the_user_names_overrides_router_and_doubt(contrast: float, tmp_path: Path, limbs: Bundle) -> None:
    path = draw_limb(tmp_path / "film.png", "elbow", 0.7, contrast=contrast)
    _, screening = screen(path, limbs, open_interpreter(limbs), "wrist")
    assert (screening.outcome, screening.bone) == ("refer", "wrist")
    assert (screening.bone_found, screening.bone_given) == ("elbow", "wrist")
    assert screening.reasons[0].startswith("read as wrist, as you said; the model takes it for elbow (")
    assert screening.probabilities == {"wrist abnormal": pytest.approx(screening.score)}
    assert screening.score == pytest.approx(1 / (1 + np.exp(-12 * 0.2)), abs=0.01)


def test_the_same_bone_as_the_router_says_is_conditioned_on_all_the_same(
    film: Path, limbs: Bundle, answering: Answering
) -> None:
    _, screening = screen(film, limbs, answering(logits_of(0.2, 0.6, 0.1, 0.1)), "elbow")
    assert screening.score == pytest.approx(0.75)
    assert screening.reasons[0] == "read as elbow, as you said; the model takes it for elbow (0.80)"


def test_of_a_bone_that_the_model_rules_out_there_is_no_answer(film: Path, limbs: Bundle, answering: Answering) -> None:
    _, screening = screen(film, limbs, answering([0, 0, -np.inf, -np.inf]), "wrist")
    assert screening.outcome == "uncertain"
    assert screening.reasons[-1] == "the model gave no number for this image"


@pytest.mark.parametrize(("bone", "problem"), [("knee", "it knows elbow, wrist"), ("", "it knows elbow, wrist")])
def test_an_unknown_bone_is_told_before_the_film_is_read(
    bone: str, problem: str, tmp_path: Path, limbs: Bundle, answering: Answering
) -> None:
    for ask in (screen, lambda path, *rest: screen_all([path], *rest)):
        with pytest.raises(OsteoEdgeError, match=problem):
            ask(tmp_path / "gone.png", limbs, answering([0, 0, 0, 0]), bone)


def test_a_bone_says_nothing_to_a_model_of_one_question(film: Path, bundle: Bundle, answering: Answering) -> None:
    with pytest.raises(OsteoEdgeError, match="golden does not tell bones apart; leave out --bone elbow"):
        screen(film, bundle, answering([0, 1, 2]), "elbow")
    _, screening = screen(film, bundle, answering([0, 1, 2]))
    found = screening.bone, screening.bone_found, screening.bone_probability, screening.bone_given
    assert found == (None, None, None, None)
    assert screening.finding == "density"


def test_a_model_of_bones_that_gives_no_number_gives_no_bone(film: Path, limbs: Bundle, answering: Answering) -> None:
    for bone in (None, "elbow"):
        _, screening = screen(film, limbs, answering([np.nan, 0, 0, 0], np.ones((8, 8, 4))), bone)
        assert (screening.outcome, screening.score, screening.probabilities) == ("uncertain", None, {})
        assert screening.reasons == ("the model gave no number for this image",)
        assert (screening.bone, screening.bone_found, screening.bone_given) == (None, None, bone)
        assert screening.evidence is None


def test_evidence_is_of_the_labels_of_the_head_that_answers(limbs: Bundle, film: Path, answering: Answering) -> None:
    activation_map = np.zeros((8, 8, 4), np.float32)
    activation_map[1, 3, 1] = 5  # for an abnormal elbow, in the upper half
    activation_map[6, 3, 3] = 9  # for an abnormal wrist, in the lower half
    activation_map[:, 3, 0] += 1  # against an abnormal elbow
    interpreter = answering(logits_of(0.4, 0.5, 0.05, 0.05), activation_map)
    for bone, brightest_half in ((None, 0), ("elbow", 0), ("wrist", 1)):
        _, screening = screen(film, limbs, interpreter, bone)
        assert screening.evidence is not None
        upper, lower = np.array_split(screening.evidence, 2)
        assert (upper.max(), lower.max())[brightest_half] == 1
        assert (lower.max(), upper.max())[brightest_half] == 0


@pytest.mark.parametrize("bone", [None, "elbow"])
def test_a_rejected_film_of_a_model_of_bones_shows_no_bone(
    bone: str | None, draw_film: Draw, limbs: Bundle, answering: Answering
) -> None:
    _, screening = screen(draw_film(height=100, width=100), limbs, answering([0, 0, 0, 0]), bone)
    assert (screening.outcome, screening.finding, screening.bone_given) == ("rejected", "abnormality", bone)
    assert (screening.bone, screening.bone_found, screening.bone_probability) == (None, None, None)
    assert screening.notes[-1] == advice("rejected", "abnormality")


def test_the_words_are_those_of_the_head_that_answers(
    film: Path, tmp_path: Path, manifest: Manifest, answering: Answering
) -> None:
    router = cascade_manifest(manifest).router
    assert router is not None
    knee = replace(router.heads[1], finding="density")
    limbs = write_cascade(
        tmp_path / "both", manifest, finding=None, router=replace(router, heads=(router.heads[0], knee))
    )
    for probabilities, finding in (((0.1, 0.8, 0.05, 0.05), "abnormality"), ((0.05, 0.05, 0.1, 0.8), "density")):
        _, screening = screen(film, limbs, answering(logits_of(*probabilities)))
        assert screening.finding == finding
        assert screening.headline == headline("refer", finding)
        assert screening.to_dict()["advice"] == screening.advice == advice("refer", finding)
    _, unclear = screen(film, limbs, answering([0, 0, 0, 0]))
    assert (unclear.outcome, unclear.finding) == ("uncertain", "abnormality")


def test_a_plain_model_of_abnormality_says_so(
    film: Path, golden_bundle: Callable[..., Bundle], answering: Answering
) -> None:
    _, screening = screen(film, golden_bundle(finding="abnormality"), answering([0, 1, 2]))
    assert screening.headline == "Possible abnormality: have this film read"
    assert screening.reasons == ("score 0.91 is at or above the threshold 0.60",)


def test_a_screening_tells_machines_of_the_bone(
    film: Path, limbs: Bundle, answering: Answering, capsys: pytest.CaptureFixture[str]
) -> None:
    show_json(screen(film, limbs, answering(logits_of(0.1, 0.8, 0.05, 0.05)), "wrist")[1].to_dict())
    plain = json.loads(capsys.readouterr().out)
    assert (plain["bone"], plain["bone_found"], plain["bone_given"]) == ("wrist", "elbow", "wrist")
    assert plain["bone_probability"] == pytest.approx(0.9)
    assert (plain["finding"], plain["headline"]) == ("abnormality", headline(plain["outcome"], "abnormality"))


def test_a_model_for_comparison_alone_screens_nothing(film: Path, tmp_path: Path, manifest: Manifest) -> None:
    only_routes = write_cascade(tmp_path / "router", manifest, intended_use=COMPARISON_USE)
    with pytest.raises(BundleError, match="only for comparison with other models; take another one"):
        screen(film, only_routes, open_interpreter(only_routes), force=True)


def test_a_film_with_glare_may_be_searched_for_metal_but_not_asked_about_bone_density(
    tmp_path: Path, manifest: Manifest, answering: Answering
) -> None:
    """One model with a head for elbows and one for knees: which check a film must pass follows from its bone."""
    knee = read_radiograph(DRAWN_FILM).pixels.copy()
    height, width = knee.shape
    cv2.circle(knee, (width // 2, height // 2), width // 6, 1.0, -1)
    path = tmp_path / "glare.png"
    path.write_bytes(cv2.imencode(".png", np.rint(knee * 255).astype(np.uint8))[1].tobytes())
    router = cascade_manifest(manifest).router
    assert router is not None
    heads = (router.heads[0], replace(router.heads[1], finding="density"))
    mixed = write_cascade(tmp_path / "mixed", manifest, router=replace(router, heads=heads), finding=None)
    _, elbow = screen(path, mixed, answering(logits_of(0.1, 0.85, 0.01, 0.04)))
    _, density = screen(path, mixed, answering(logits_of(0.01, 0.04, 0.1, 0.85)))
    _, named = screen(path, mixed, answering(logits_of(0.1, 0.85, 0.01, 0.04)), "wrist")
    assert (elbow.outcome, elbow.bone) == ("refer", "elbow")
    for rejected in (density, named):
        assert (rejected.outcome, rejected.score, rejected.evidence) == ("rejected", None, None)
        assert "glare" in rejected.reasons[0]
