"""The page's own code takes films for bones as Python does, and says the same of each, whatever the network gives."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.familiarity import fit_statistics, too_far
from osteo_edge.manifest import Familiarity, Manifest, Outputs
from osteo_edge.radiograph import read_radiograph
from osteo_edge.raster import scaling
from osteo_edge.runtime import Interpreter
from osteo_edge.screening import Screening, screen
from tests.cascade import cascade_manifest, write_cascade
from tests.edge_app.web.parity import different_words
from tests.edge_app.web.parity_core import Core, CoreError, packed, text_of, unpacked

Answering = Callable[..., Interpreter]
Logits = npt.NDArray[np.float32]

BONES: Final = (None, "elbow", "wrist")
NOTHING, RULED_OUT = np.full(4, np.nan, np.float32), np.array([0, 0, -np.inf, -np.inf], np.float32)


@pytest.fixture
def limbs(tmp_path: Path, manifest: Manifest) -> Bundle:
    """A bundle with a head for abnormal elbows and one for the bone density of wrists."""
    return write_cascade(tmp_path / "limbs", manifest, **of_both(manifest))


def of_both(manifest: Manifest) -> dict[str, Any]:
    """What differs in such a manifest from that of the model of two bones, with its labels in another order."""
    plain = cascade_manifest(manifest)
    assert plain.router is not None
    elbow, wrist = plain.router.heads
    low = replace(wrist.decision, threshold=0.35, abstain_low=0.2, abstain_high=0.5)
    router = replace(plain.router, heads=(elbow, replace(wrist, finding="density", decision=low)))
    return {"router": router, "finding": None, "labels": tuple(plain.labels[place] for place in (0, 1, 3, 2))}


def logits_of(*probabilities: float) -> Logits:
    return np.asarray(np.log(probabilities), np.float32)


def both_ways(
    core: Core,
    answering: Answering,
    bundle: Bundle,
    film: Path,
    logits: Logits,
    bone: str | None,
    activation: Any = None,
) -> tuple[dict[str, Any], Screening]:
    """What the page's code and what Python says of a film, of which a network gives this."""
    _, expected = screen(film, bundle, answering(logits, activation), bone)
    given = None if activation is None else packed(activation)
    manifest = bundle.manifest.to_dict()
    return core.ask("screened", text_of(film.read_bytes()), manifest, packed(logits), given, bone), expected


def test_every_answer_about_every_bone_is_that_of_python(
    core: Core, answering: Answering, limbs: Bundle, film: Path
) -> None:
    drawn = np.random.default_rng(5).dirichlet(np.full(4, 0.4), size=9)
    cases = [*(logits_of(*one) for one in drawn), logits_of(0.25, 0.25, 0.25, 0.25), NOTHING, RULED_OUT]
    outcomes, starts = set(), set()
    for logits in cases:
        for bone in BONES:
            found, expected = both_ways(core, answering, limbs, film, logits, bone)
            assert list(different_words(found, expected)) == []
            assert [one["label"] for one in found["probabilities"]] == list(expected.probabilities)
            score = None if expected.score is None or np.isnan(expected.score) else pytest.approx(expected.score)
            assert found["score"] == score
            outcomes.add((expected.outcome, expected.bone))
            starts.add(expected.reasons[0].split(" ")[0])
    assert outcomes >= {(outcome, bone) for outcome in ("refer", "no_finding", "uncertain") for bone in BONES[1:]}
    assert ("uncertain", None) in outcomes
    assert starts == {"taken", "read", "it", "the"}


@pytest.mark.parametrize("bone", BONES)
def test_the_evidence_is_of_the_labels_of_the_head_that_answers(
    core: Core, answering: Answering, limbs: Bundle, film: Path, bone: str | None
) -> None:
    activation = np.random.default_rng(6).normal(size=(8, 8, 4)).astype(np.float32)
    found, expected = both_ways(core, answering, limbs, film, logits_of(0.5, 0.45, 0.03, 0.02), bone, activation)
    assert expected.evidence is not None
    np.testing.assert_allclose(unpacked(found["map"]), expected.evidence, atol=1e-5)
    found, expected = both_ways(core, answering, limbs, film, logits_of(0.3, 0.3, 0.2, 0.2), bone, activation)
    assert (found["map"] is None) == (expected.evidence is None) == (bone is None)


def test_metal_may_be_searched_for_but_not_asked_about_bone_density(
    core: Core, answering: Answering, limbs: Bundle, tmp_path: Path
) -> None:
    knee = scaling.shrink(read_radiograph(DRAWN_FILM).pixels, 512, 488)
    height, width = knee.shape
    cv2.circle(knee, (width // 2, height // 2), width // 6, 1.0, -1)
    path = tmp_path / "glare.png"
    path.write_bytes(cv2.imencode(".png", np.rint(knee * 255).astype(np.uint8))[1].tobytes())
    outcomes = []
    for logits in (logits_of(0.1, 0.85, 0.01, 0.04), logits_of(0.01, 0.04, 0.1, 0.85)):
        for bone in BONES:
            found, expected = both_ways(core, answering, limbs, path, logits, bone)
            assert list(different_words(found, expected)) == []
            outcomes.append(expected.outcome == "rejected")
    assert outcomes == [False, False, True, True, False, True]


@pytest.mark.parametrize("bone", BONES)
def test_a_rejected_film_has_the_words_of_the_bone_that_was_named(
    core: Core, answering: Answering, limbs: Bundle, draw_film: Callable[..., Path], bone: str | None
) -> None:
    film = draw_film(height=100, width=100)
    found, expected = both_ways(core, answering, limbs, film, logits_of(0.7, 0.1, 0.1, 0.1), bone)
    assert expected.outcome == "rejected"
    assert list(different_words(found, expected)) == []


def test_a_film_that_is_unlike_all_others_is_refused_with_the_bones_that_the_model_knows(
    core: Core, manifest: Manifest
) -> None:
    known = Familiarity("familiarity.npz", 0.1, "films", 24, "films", 10, 0.0)
    data = replace(manifest.data, label_source="radiologists")
    knowing = cascade_manifest(manifest, outputs=Outputs(0, 1, embedding=2), familiarity=known, data=data)
    statistics = fit_statistics(np.random.default_rng(7).random((30, 8))).pack()
    told = core.ask("stranger", text_of(statistics), packed(np.eye(1, 8)), knowing.to_dict())
    assert tuple(told) == too_far(1.0, knowing)
    assert told[0].endswith("(elbow, wrist)")


def test_a_bone_that_the_model_does_not_know_is_a_mistake_of_the_page(core: Core, limbs: Bundle, film: Path) -> None:
    asked = text_of(film.read_bytes()), limbs.manifest.to_dict(), packed(logits_of(0.7, 0.1, 0.1, 0.1)), None, "knee"
    with pytest.raises(CoreError, match="limbs does not know the bone knee") as raised:
        core.ask("screened", *asked)
    assert not raised.value.is_for_user
