import re
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.demo_bundle import FOLDER, demo_bundle, is_demo
from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import screen
from osteo_edge.train.phantoms import draw_phantom
from osteo_edge.wording import PHANTOM_USE, intended_use

NO_PATIENT_OF_THE_DEMO = range(7_000_000, 7_000_006)


@pytest.fixture(scope="module")
def demo() -> Bundle:
    return demo_bundle()


@pytest.fixture(scope="module")
def interpreter(demo: Bundle) -> Interpreter:
    return open_interpreter(demo, threads=1)


def test_it_has_learned_from_drawn_films_only_and_from_no_other_weights(demo: Bundle) -> None:
    manifest = demo.manifest
    assert is_demo(manifest)
    assert manifest.data.label_source == "phantom"
    assert manifest.intended_use == PHANTOM_USE
    training = manifest.parent.recipe["parent"]["train"]
    assert training["weights"] == "none"
    assert manifest.model.precision == "int8"


def test_it_passed_its_check_and_says_failed_nowhere(demo: Bundle) -> None:
    assert demo.manifest.parity is not None
    assert demo.manifest.parity.passed
    for file in ("manifest.json", "MODEL_CARD.md"):
        assert "FAILED" not in (FOLDER / file).read_text("utf-8")


def test_it_is_small_and_names_no_place_of_the_machine_that_made_it() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1_000_000
    for file in FOLDER.iterdir():
        assert not re.search(rb"/(home|tmp|root|work|Users)/", file.read_bytes()), file.name


@pytest.mark.parametrize(("t_score", "outcomes"), [(-3.5, {"refer"}), (1.2, {"no_finding", "uncertain"})])
def test_it_tells_a_drawn_film_of_thin_bone_from_one_of_dense_bone(
    t_score: float, outcomes: set[str], demo: Bundle, interpreter: Interpreter, tmp_path: Path
) -> None:
    for seed in NO_PATIENT_OF_THE_DEMO:
        film = tmp_path / f"{seed}.png"
        film.write_bytes(cv2.imencode(".png", draw_phantom(t_score, size=384, seed=seed).pixels)[1].tobytes())
        _, screening = screen(film, demo, interpreter)
        assert screening.outcome in outcomes
        assert screening.intended_use == PHANTOM_USE
        assert screening.warnings == ()


def test_a_bundle_of_someone_else_s_is_a_demonstration_too_if_its_films_were_drawn(manifest: Manifest) -> None:
    patients = replace(manifest, data=replace(manifest.data, label_source="DXA"), intended_use=intended_use("DXA"))
    assert not is_demo(patients)
    assert is_demo(replace(patients, data=replace(manifest.data, label_source="Phantom ")))
    assert is_demo(replace(patients, intended_use=PHANTOM_USE))


def test_the_mark_is_short_and_says_what_must_not_be_done() -> None:
    assert "must not be used on patients" in MARK
    assert len(MARK) < 60
