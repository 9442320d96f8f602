from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.manifest import Manifest, Router
from osteo_edge.routing import (
    Route,
    answered,
    bone_probabilities,
    decisions,
    disagreement,
    doubt,
    given_bone,
    head_places,
    named_head,
    route,
    route_words,
    routed,
    thresholds,
)
from tests.cascade import LABELS, MIN_CONFIDENCE, cascade_manifest

Probabilities = npt.NDArray[np.float64]
ELBOW, WRIST = np.array([0.6, 0.3, 0.1, 0.0]), np.array([0.05, 0.05, 0.2, 0.7])


@pytest.fixture
def limbs(manifest: Manifest) -> Manifest:
    return cascade_manifest(manifest)


@pytest.fixture
def router(limbs: Manifest) -> Router:
    assert limbs.router is not None
    return limbs.router


def random_films(n: int = 200) -> Probabilities:
    """Probabilities of n films, (n, labels)."""
    return np.random.default_rng(0).dirichlet(np.full(len(LABELS), 0.5), size=n)


def test_a_bone_is_as_probable_as_its_labels_together(limbs: Manifest) -> None:
    films = random_films()
    of_bones = bone_probabilities(films, limbs)
    np.testing.assert_allclose(of_bones, [[film[:2].sum(), film[2:].sum()] for film in films])
    np.testing.assert_allclose(of_bones.sum(axis=-1), 1)


def test_the_cross_entropy_is_that_of_the_router_and_of_the_head_of_the_true_bone(limbs: Manifest) -> None:
    for film in random_films():
        for place, bone in enumerate(("elbow", "elbow", "wrist", "wrist")):
            of_bone = bone_probabilities(film, limbs)[("elbow", "wrist").index(bone)]
            of_label = given_bone(film, route(film, limbs, bone), limbs)[place]
            assert -np.log(film[place]) == pytest.approx(-np.log(of_bone) - np.log(of_label))


def test_the_order_of_the_labels_does_not_matter(limbs: Manifest) -> None:
    order = [2, 1, 3, 0]
    mixed = replace(limbs, labels=tuple(LABELS[place] for place in order))
    for film in random_films():
        assert route(film[order], mixed) == route(film, limbs)
        assert doubt(film[order], mixed) == doubt(film, limbs)


@pytest.mark.parametrize(("film", "bone", "confidence"), [(ELBOW, "elbow", 0.9), (WRIST, "wrist", 0.9)])
def test_the_most_probable_bone_answers(film: Probabilities, bone: str, confidence: float, limbs: Manifest) -> None:
    found = route(film, limbs)
    assert found is not None
    assert (found.head.bone, found.found, found.given) == (bone, bone, None)
    assert found.confidence == pytest.approx(confidence)


def test_a_bone_that_the_user_names_is_believed_and_what_the_model_says_is_kept(limbs: Manifest) -> None:
    found = route(WRIST, limbs, "elbow")
    assert found is not None
    assert (found.head.bone, found.found, found.given) == ("elbow", "wrist", "elbow")
    assert found.confidence == pytest.approx(0.9)


def test_a_bone_that_the_model_does_not_know_is_one_line(limbs: Manifest, manifest: Manifest) -> None:
    for film in (ELBOW, np.full(4, np.nan)):
        with pytest.raises(OsteoEdgeError, match=r"^limbs does not know the bone 'knee'; it knows elbow, wrist$"):
            route(film, limbs, "knee")
    with pytest.raises(OsteoEdgeError, match=r"^golden does not tell bones apart; leave out --bone elbow$"):
        named_head("elbow", manifest)


def test_a_model_of_one_question_has_no_route_and_no_doubt(manifest: Manifest) -> None:
    film = np.array([0.3, 0.3, 0.4])
    assert route(film, manifest) is None
    assert doubt(film, manifest) is None
    assert disagreement(film[np.newaxis], manifest) is None
    np.testing.assert_array_equal(given_bone(film, None, manifest), film)
    assert thresholds(np.stack([film, film]), manifest).tolist() == [0.6, 0.6]


def test_no_numbers_lead_to_no_bone(limbs: Manifest) -> None:
    film = np.full(4, np.nan)
    assert route(film, limbs) is route(film, limbs, "elbow") is None
    assert doubt(film, limbs) is None
    assert disagreement(np.stack([film, ELBOW]), limbs) is None


def test_what_a_film_shows_if_its_bone_is_given_is_of_that_bone_alone(limbs: Manifest) -> None:
    for film in random_films():
        found = given_bone(film, route(film, limbs, "wrist"), limbs)
        assert found[:2].tolist() == [0, 0]
        assert found.sum() == pytest.approx(1)
        assert found[3] / found[2] == pytest.approx(film[3] / film[2])
        np.testing.assert_allclose(given_bone(film, route(film, limbs), limbs), answered(film, head_places(limbs)))
        assert answered(film, head_places(limbs)).sum() == pytest.approx(1)
        assert routed(film, head_places(limbs)) == (film[:2].sum() < film[2:].sum())


def test_of_a_bone_that_is_ruled_out_nothing_is_known(limbs: Manifest) -> None:
    film = np.array([0.5, 0.5, 0.0, 0.0])
    assert np.isnan(given_bone(film, route(film, limbs, "wrist"), limbs)[2:]).all()


def test_each_case_is_decided_by_the_head_that_answers(limbs: Manifest, router: Router) -> None:
    strict = replace(router.heads[1].decision, threshold=0.5, abstain_low=0.5)
    heads = (router.heads[0], replace(router.heads[1], decision=strict))
    limbs = replace(limbs, router=replace(router, heads=heads))
    films = np.stack([ELBOW, WRIST, ELBOW])
    assert decisions(films, limbs) == (heads[0].decision, strict, heads[0].decision)
    assert thresholds(films, limbs).tolist() == [0.6, 0.5, 0.6]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_doubt_begins_below_the_confidence_that_is_asked_for(share: float, limbs: Manifest) -> None:
    for confidence, unclear in ((MIN_CONFIDENCE, False), (MIN_CONFIDENCE - 1e-9, True)):
        other = 1 - confidence
        film = np.array([confidence, 0, other * share, other * (1 - share)])
        assert (doubt(film, limbs) is not None) == unclear


def test_a_doubt_names_the_two_most_probable_bones(limbs: Manifest) -> None:
    film = np.array([0.2, 0.21, 0.4, 0.19])
    assert doubt(film, limbs) == "it is not clear which bone this shows: wrist (0.59) or elbow (0.41)"


def test_a_doubt_shows_no_round_nought_or_one(limbs: Manifest, router: Router) -> None:
    never = replace(limbs, router=replace(router, min_confidence=1.0))
    words = doubt(np.array([0.999, 0, 0.001, 0]), never)
    assert words == "it is not clear which bone this shows: elbow (above 0.99) or wrist (below 0.01)"


def test_films_of_different_bones_disagree_in_any_order(limbs: Manifest) -> None:
    for films in ([ELBOW, WRIST], [WRIST, ELBOW, WRIST]):
        assert disagreement(np.stack(films), limbs) == "its films show different bones: elbow, wrist"


def test_films_that_are_in_doubt_do_not_disagree(limbs: Manifest) -> None:
    perhaps = np.array([0.0, 0.3, 0.3, 0.4])
    for films in ([ELBOW], [ELBOW, ELBOW], [ELBOW, perhaps], [perhaps, perhaps]):
        assert disagreement(np.stack(films), limbs) is None


def test_a_route_in_words(router: Router) -> None:
    elbow = router.heads[0]
    assert route_words(Route(elbow, "elbow", 0.97)) == "taken for: elbow (probability 0.97)"
    assert route_words(Route(elbow, "wrist", 0.93, "elbow")) == (
        "read as elbow, as you said; the model takes it for wrist (0.93)"
    )
    assert route_words(Route(elbow, "elbow", 1.0)) == "taken for: elbow (probability above 0.99)"
