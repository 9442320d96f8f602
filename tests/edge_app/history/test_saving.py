"""A screening is kept as it was answered."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.history.entry import Patient
from osteo_edge.edge_app.history.errors import HistoryError
from osteo_edge.edge_app.history.images import Picture, picture_of
from osteo_edge.edge_app.history.saving import record_of
from osteo_edge.edge_app.history.store import History
from osteo_edge.radiograph import Radiograph
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, screen
from osteo_edge.wording import FAILED_CHECK, severity_words
from tests.routed import routed


@pytest.fixture
def screened(bundle: Bundle, film: Path, answering: Callable[..., Interpreter]) -> tuple[Radiograph, Screening]:
    return screen(film, bundle, answering([0.0] * (len(bundle.manifest.labels) - 1) + [4.0]))


def test_a_screening_is_found_again_as_it_was(
    history: History, bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    overlay, patient = Picture(b"drawn", ".png"), Patient("K-17", 63, "female", 58.5)
    made = record_of(
        screening, radiograph, bundle.manifest, picture_of(film), overlay=overlay, patient=patient, note="left"
    )
    history.add(made)
    found = history.entry(made.entry.id)
    assert (found.outcome, found.score, found.probabilities) == ("refer", screening.score, screening.probabilities)
    assert (found.patient, found.note, found.reasons) == (patient, "left", screening.reasons)
    assert (found.model_name, found.model_sha256) == (bundle.manifest.name, bundle.manifest.model.sha256)
    assert found.milliseconds == screening.stage_ms
    assert found.image_stats["mean"] == pytest.approx(float(radiograph.pixels.mean()), abs=1e-4)
    assert history.image(screening.image_sha256).data == film.read_bytes()


def test_a_rejected_film_is_kept_without_numbers(
    bundle: Bundle, draw_film: Callable[..., Path], answering: Callable[..., Interpreter]
) -> None:
    small = draw_film("small.png", height=40, width=40)
    radiograph, screening = screen(small, bundle, answering([0.0]))
    entry = record_of(screening, radiograph, bundle.manifest, picture_of(small)).entry
    assert (entry.outcome, entry.score, entry.probabilities) == ("rejected", None, {})
    assert entry.reasons == screening.reasons != ()


def test_a_number_that_the_model_did_not_give_is_left_out(
    bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    unknown = replace(
        screening, outcome="uncertain", score=math.nan, probabilities=dict.fromkeys(screening.probabilities, math.nan)
    )
    entry = record_of(unknown, radiograph, bundle.manifest, picture_of(film)).entry
    assert (entry.score, entry.probabilities) == (None, {})


def test_the_warning_of_a_model_is_kept(bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]) -> None:
    radiograph, screening = screened
    warned = replace(screening, warnings=(FAILED_CHECK,))
    entry = record_of(warned, radiograph, bundle.manifest, picture_of(film)).entry
    assert (entry.warnings, entry.reasons) == ((FAILED_CHECK,), screening.reasons)


def test_what_the_model_is_for_is_kept_and_the_mark_of_a_demonstration(
    bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening], history: History
) -> None:
    radiograph, screening = screened
    for label_source, is_demo in (("DXA", False), ("phantom", True)):
        data = replace(bundle.manifest.data, label_source=label_source)
        made = record_of(screening, radiograph, replace(bundle.manifest, data=data), picture_of(film))
        history.add(made)
        kept = history.entry(made.entry.id)
        assert (kept.intended_use, kept.is_demo) == (bundle.manifest.intended_use, is_demo)


def test_a_file_that_changed_since_is_not_kept_as_the_film(
    bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    with pytest.raises(HistoryError, match=r"knee\.png: changed since"):
        record_of(screening, radiograph, bundle.manifest, Picture(b"another film", ".png"))


def test_the_grade_of_a_referred_image_is_kept_with_the_reasons(
    bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    graded = replace(screening, severity="high")
    entry = record_of(graded, radiograph, bundle.manifest, picture_of(film)).entry
    assert entry.reasons == (*screening.reasons, severity_words("high"))


def test_what_the_answer_speaks_of_is_kept_with_its_bone_and_what_it_was_decided_by(
    history: History, bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    model = routed(bundle.manifest, elbow="abnormality", wrist="abnormality")
    made = record_of(replace(screening, finding="abnormality", bone="wrist"), radiograph, model, picture_of(film))
    history.add(made)
    found = history.entry(made.entry.id)
    assert (found.finding, found.bone) == ("abnormality", "wrist")
    assert (found.threshold, found.abstain_low, found.abstain_high) == pytest.approx((0.4, 0.35, 0.45))


def test_an_answer_of_no_bone_is_kept_without_one(
    bundle: Bundle, film: Path, screened: tuple[Radiograph, Screening]
) -> None:
    radiograph, screening = screened
    model = routed(bundle.manifest, elbow="abnormality", wrist="abnormality")
    unclear = replace(screening, outcome="uncertain", score=None, probabilities={}, finding="abnormality")
    entry = record_of(unclear, radiograph, model, picture_of(film)).entry
    assert (entry.bone, entry.score, entry.threshold) == (None, None, model.decision.threshold)
    plain = record_of(screening, radiograph, bundle.manifest, picture_of(film)).entry
    assert (plain.finding, plain.bone) == ("density", None)
