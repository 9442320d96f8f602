import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.manifest import Manifest
from osteo_edge.preprocessing import Pixels, Tensor
from osteo_edge.runtime import Interpreter, Prediction, open_interpreter
from osteo_edge.screening import Answer, screen
from osteo_edge.second_look import SHIFT, VERSIONS, Look, SecondLook, compare_looks, look_again, mirrored, shifted
from tests.cascade import draw_limb, write_cascade


class LeftRight:
    """Refers where the left half of the film is the brighter one."""

    name = "left or right"

    def run(self, tensor: Tensor) -> Prediction:
        half = tensor.shape[2] // 2
        brighter = float(tensor[:, :, :half].mean() - tensor[:, :, half:].mean())
        return Prediction(np.array([0.0, -9.0, 20 * brighter], np.float32), None)


def answered(pixels: Pixels, manifest: Manifest, interpreter: Interpreter, answer: Answer) -> SecondLook:
    return compare_looks(answer, look_again(pixels, manifest, interpreter), manifest)


@pytest.fixture
def referred(film: Path, bundle: Bundle) -> Answer:
    """An answer that refers."""
    _, screening = screen(film, bundle, open_interpreter(bundle))
    assert screening.outcome == "refer"
    return screening


@pytest.fixture
def pixels() -> Pixels:
    """A film that is bright on the left."""
    film = np.full((100, 200), 0.2, np.float32)
    film[:, :100] = 0.8
    return film


def test_a_shift_repeats_the_edge_and_loses_what_leaves(pixels: Pixels) -> None:
    counted = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert shifted(counted, 1 / 3, 0).tolist() == [counted[0].tolist(), counted[0].tolist(), counted[1].tolist()]
    assert shifted(counted, 0, -0.25)[0].tolist() == [1, 2, 3, 3]
    assert mirrored(counted)[0].tolist() == [3, 2, 1, 0]
    for make in VERSIONS.values():
        assert make(pixels).shape == pixels.shape


def test_every_version_differs_from_the_film_and_from_the_others_and_leaves_the_film_as_it_is() -> None:
    film = np.random.default_rng(0).random((100, 90)).astype(np.float32)
    before = film.copy()
    versions = [film, *(make(film) for make in VERSIONS.values())]
    for number, version in enumerate(versions):
        assert version.dtype == np.float32
        assert all((version != other).any() for other in versions[:number])
    assert (film == before).all()
    assert (VERSIONS["shifted down"](film)[3:] == film[:-3]).all(), f"{SHIFT} of 100 rows are 3"
    assert (VERSIONS["shifted left"](film)[:, :-3] == film[:, 3:]).all()


def test_one_version_that_is_answered_otherwise_is_named(manifest: Manifest, pixels: Pixels, referred: Answer) -> None:
    found = answered(pixels, manifest, LeftRight(), referred)
    assert [(look.version, look.outcome) for look in found.otherwise] == [("mirrored", "no_finding")]
    assert not found.agrees
    assert str(found).startswith(
        "second look: disagrees; 1 of 5 versions of this film are answered otherwise, mirrored: no finding (score "
    )


def test_versions_that_are_answered_alike_agree(
    manifest: Manifest, pixels: Pixels, referred: Answer, answering: Callable[..., Interpreter]
) -> None:
    found = answered(pixels, manifest, answering([0.0, 1.0, 1.0]), referred)
    assert found.agrees
    assert str(found) == "second look: 5 versions, mirrored and shifted, are answered alike (scores 0.84)"
    plain = found.to_dict()
    json.dumps(plain)
    assert [look["version"] for look in plain["versions"]] == list(VERSIONS)
    assert plain["agrees"] is True


def test_a_version_without_a_number_is_uncertain_and_so_disagrees_with_a_referral(
    manifest: Manifest, pixels: Pixels, referred: Answer, answering: Callable[..., Interpreter]
) -> None:
    found = answered(pixels, manifest, answering([np.nan] * 3), referred)
    assert [str(look) for look in found.otherwise] == [f"{version}: uncertain" for version in VERSIONS]
    unsure = replace(referred, outcome="uncertain")
    assert str(answered(pixels, manifest, answering([np.nan] * 3), unsure)).endswith("are answered alike")


def test_the_head_of_another_bone_disagrees_unless_the_user_named_the_bone(tmp_path: Path, manifest: Manifest) -> None:
    limbs = write_cascade(tmp_path / "limbs", manifest)
    interpreter = open_interpreter(limbs)
    film = draw_limb(tmp_path / "elbow.png", "elbow", 0.7)
    for bone, alike in ((None, False), ("elbow", True)):
        radiograph, screening = screen(film, limbs, interpreter, bone)
        own = look_again(radiograph.pixels, limbs.manifest, interpreter)
        assert compare_looks(screening, own, limbs.manifest).agrees
        other = own[:, [2, 3, 0, 1]]
        found = compare_looks(screening, other, limbs.manifest)
        assert {look.bone for look in found.looks} == {bone or "wrist"}
        assert {look.outcome for look in found.looks} == {screening.outcome} or alike
        assert found.agrees is False or bone == "elbow"


def test_a_version_of_which_the_bone_is_not_clear_has_no_score(
    tmp_path: Path, manifest: Manifest, referred: Answer
) -> None:
    limbs = write_cascade(tmp_path / "limbs", manifest).manifest
    found = compare_looks(referred, np.full((len(VERSIONS), 4), 0.25), limbs)
    assert [str(look) for look in found.looks] == [f"{version}: uncertain" for version in VERSIONS]
    assert str(Look("mirrored", "refer", 0.9, "elbow")) == "mirrored: elbow, refer (score 0.90)"
