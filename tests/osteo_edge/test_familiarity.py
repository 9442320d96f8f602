import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.bundle import Bundle, write_bundle
from osteo_edge.cli import run
from osteo_edge.errors import BundleError
from osteo_edge.familiarity import (
    FILE,
    MIN_CHOSEN,
    MIN_FITTED,
    NOT_DRAWN,
    UNFAMILIAR,
    UNFAMILIAR_BONE,
    FilmStatistics,
    choose_threshold,
    distance_of,
    fit_familiarity,
    fit_statistics,
    read_statistics,
    tempered,
    tolerance_factor,
    too_far,
)
from osteo_edge.manifest import Manifest
from osteo_edge.runtime import Prediction, open_interpreter
from osteo_edge.screening import screen
from tests.cascade import cascade_manifest
from tests.odd_archive import damaged_lzma

Floats = npt.NDArray[np.float64]
Knowing = Callable[..., Bundle]
FEATURES = 200


def unfamiliar(embedding: Floats, bundle: Bundle) -> tuple[str, ...]:
    return too_far(distance_of(embedding, bundle), bundle.manifest)


def drawn(n: int, seed: int, *, features: int = FEATURES) -> Floats:
    """Embeddings of alike images: they differ in five directions, and a little in all."""
    rng, shape = np.random.default_rng(seed), np.random.default_rng(0)
    centre, directions = shape.random(features) + 1, shape.normal(size=(5, features))
    return np.asarray(centre + 0.2 * rng.normal(size=(n, 5)) @ directions + 0.02 * rng.normal(size=(n, features)))


@pytest.fixture(scope="module")
def statistics() -> FilmStatistics:
    return fit_statistics(drawn(120, 1))


@pytest.fixture
def knowing(tmp_path: Path, bundle: Bundle) -> Knowing:
    """A bundle that knows its films; with other statistics in its file, or labels from another `source`."""

    def make(content: bytes | None = None, source: str = "DXA") -> Bundle:
        known = fit_familiarity(drawn(120, 1), drawn(40, 2), fitted_on="train", chosen_on="validation")
        assert known is not None
        outputs = replace(bundle.manifest.outputs, embedding=0)
        data = replace(bundle.manifest.data, label_source=source)
        about: dict[str, object] = {"outputs": outputs, "familiarity": known.record, "data": data}
        files = {"model.tflite": bundle.model_path.read_bytes(), FILE: content or known.statistics.pack()}
        return write_bundle(tmp_path / "knowing", replace(bundle.manifest, **about), files)  # type: ignore[arg-type]

    return make


def test_a_film_that_was_fitted_on_lies_at_a_distance_of_about_one(statistics: FilmStatistics) -> None:
    squared = np.square(statistics.distances(drawn(120, 1)))
    assert squared.mean() == pytest.approx(1.0, abs=0.02)


def test_the_distance_is_mahalanobis_along_the_directions_and_relative_across_them() -> None:
    mean = np.array([1.0, 0.0, 0.0])
    known = FilmStatistics(mean, np.array([[0.0, 1.0, 0.0]]), np.array([0.04]), 0.01)
    turned = np.array([[np.sqrt(0.75), 0.5, 0.0]])
    across = (1 - np.sqrt(0.75)) ** 2
    assert known.distances(turned)[0] ** 2 == pytest.approx((0.25 / 0.04 + across / 0.01) / 2)


def test_what_differs_otherwise_than_the_films_lies_far_away(statistics: FilmStatistics) -> None:
    threshold = choose_threshold(statistics.distances(drawn(40, 2)))
    assert np.mean(statistics.distances(drawn(500, 3)) < threshold) > 0.98
    others = np.random.default_rng(4).random((50, FEATURES))
    assert statistics.distances(others).min() > threshold


def test_how_strong_the_features_are_counts_by_its_square_root() -> None:
    films = drawn(3, 5)
    np.testing.assert_allclose(tempered(films * 9), 3 * tempered(films))
    np.testing.assert_allclose(np.linalg.norm(tempered(films), axis=1) ** 2, np.linalg.norm(films, axis=1))


def test_features_far_stronger_than_the_films_are_unlike_them(statistics: FilmStatistics) -> None:
    films = drawn(10, 5)
    assert statistics.distances(films * 7).min() > 2 * statistics.distances(films).max()


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_an_embedding_without_numbers_is_near_nothing(value: float, statistics: FilmStatistics) -> None:
    with np.errstate(invalid="ignore"):
        distance = statistics.distances(np.full((1, FEATURES), value))[0]
    assert not distance <= choose_threshold(statistics.distances(drawn(40, 2)))


def test_packed_statistics_tell_the_same_distances(statistics: FilmStatistics, knowing: Knowing) -> None:
    read = read_statistics(knowing(statistics.pack()))
    assert read is not None
    films = drawn(30, 6)
    np.testing.assert_allclose(read.distances(films), statistics.distances(films), rtol=0.02)


def test_the_statistics_of_a_mobilenet_are_small() -> None:
    assert len(fit_statistics(drawn(120, 1, features=1280)).pack()) < 100_000


def test_alike_images_have_statistics_too() -> None:
    alike = fit_statistics(np.ones((40, FEATURES)))
    assert alike.distances(np.ones((1, FEATURES)))[0] < 1e-3
    assert alike.distances(drawn(1, 7))[0] > 100


@pytest.mark.parametrize(("n", "factor"), [(10, 3.53), (30, 2.73), (100, 2.41)])
def test_the_tolerance_factor_is_near_the_tables(n: int, factor: float) -> None:
    """One-sided factors for 98 % and 95 %, from the noncentral t distribution."""
    assert tolerance_factor(n) == pytest.approx(factor, rel=0.03)


def test_the_threshold_holds_for_nearly_all_films_to_come() -> None:
    """Log-normal distances, 34 to choose by: 98 % lie below in 95 of 100 goes, as the tolerance limit promises."""
    rng = np.random.default_rng(8)
    below = [np.mean(rng.lognormal(0, 0.2, 2000) <= choose_threshold(rng.lognormal(0, 0.2, 34))) for _ in range(400)]
    assert np.mean(np.array(below) >= 0.98) > 0.9


def test_the_threshold_refuses_two_in_a_hundred_of_those_it_was_chosen_by_at_most() -> None:
    distances = np.concatenate([np.ones(95), np.full(5, 50.0)])
    assert np.mean(distances > choose_threshold(distances)) <= 0.02


@pytest.mark.parametrize(("fitting", "choosing"), [(MIN_FITTED - 1, 40), (120, MIN_CHOSEN - 1)])
def test_too_few_images_say_nothing(fitting: int, choosing: int) -> None:
    assert fit_familiarity(drawn(fitting, 1), drawn(choosing, 2), fitted_on="", chosen_on="") is None


def test_embeddings_that_are_no_numbers_say_nothing() -> None:
    assert fit_familiarity(drawn(120, 1) * np.nan, drawn(40, 2), fitted_on="", chosen_on="") is None


def test_embeddings_that_are_all_the_same_say_nothing() -> None:
    assert fit_familiarity(np.ones((120, 9)), drawn(40, 2, features=9), fitted_on="", chosen_on="") is None


def test_the_record_says_what_was_fitted_on_what() -> None:
    known = fit_familiarity(drawn(120, 1), drawn(40, 2), fitted_on="train", chosen_on="validation")
    assert known is not None
    record = known.record
    assert (record.fitted_on, record.fitted_images, record.chosen_on, record.chosen_images) == (
        "train",
        120,
        "validation",
        40,
    )
    assert record.refused_share == 0.0


def test_a_bundle_without_statistics_refuses_nothing(bundle: Bundle) -> None:
    assert read_statistics(bundle) is None
    assert unfamiliar(drawn(1, 1)[0], bundle) == ()


def test_a_bundle_refuses_what_is_unlike_its_films(knowing: Knowing) -> None:
    bundle = knowing()
    assert unfamiliar(drawn(1, 9)[0], bundle) == ()
    assert unfamiliar(np.random.default_rng(0).random(FEATURES), bundle) == (UNFAMILIAR,)
    with np.errstate(invalid="ignore"):
        assert unfamiliar(np.full(FEATURES, np.nan), bundle) == (UNFAMILIAR,)


@pytest.mark.parametrize(("above", "reasons"), [(1.001, ()), (0.999, (UNFAMILIAR,))])
def test_the_threshold_is_where_refusing_begins(above: float, reasons: tuple[str, ...], knowing: Knowing) -> None:
    bundle, film = knowing(), drawn(1, 9)
    record, statistics = bundle.manifest.familiarity, read_statistics(bundle)
    assert record is not None
    assert statistics is not None
    moved = replace(record, threshold=above * float(statistics.distances(film)[0]))
    assert unfamiliar(film[0], replace(bundle, manifest=replace(bundle.manifest, familiarity=moved))) == reasons


def test_a_demonstration_says_that_it_knows_drawn_films_only(knowing: Knowing) -> None:
    bundle = knowing(source="phantom")
    assert unfamiliar(np.random.default_rng(0).random(FEATURES), bundle) == (NOT_DRAWN,)


def test_a_model_of_other_bones_names_the_films_that_it_knows(knowing: Knowing, manifest: Manifest) -> None:
    bundle, stranger = knowing(), np.random.default_rng(0).random(FEATURES)
    router = cascade_manifest(manifest).router
    assert router is not None
    labels = tuple(label for head in router.heads for label in head.labels)
    decision = replace(manifest.decision, positive_labels=labels[1::2])
    routed = replace(bundle.manifest, labels=labels, decision=decision, router=router)
    assert unfamiliar(stranger, replace(bundle, manifest=routed)) == (
        "this does not look like the films that the model learned from: "
        "use an X-ray of a bone that it knows (elbow, wrist)",
    )
    plain = replace(bundle.manifest, finding="abnormality")
    assert unfamiliar(stranger, replace(bundle, manifest=plain)) == (UNFAMILIAR_BONE,)


def test_an_unfamiliar_film_is_rejected_before_any_probability_is_shown(film: Path, knowing: Knowing) -> None:
    class Sees:
        name = "sees"

        def __init__(self, embedding: Floats) -> None:
            self._embedding = embedding.astype(np.float32)

        def run(self, tensor: object) -> Prediction:
            return Prediction(np.array([0, 0, 9], np.float32), np.ones((4, 4, 3), np.float32), None, self._embedding)

    bundle, stranger = knowing(), Sees(np.random.default_rng(0).random(FEATURES))
    _, refused = screen(film, bundle, stranger)
    assert (refused.outcome, refused.reasons) == ("rejected", (UNFAMILIAR,))
    assert (refused.score, refused.probabilities, refused.evidence) == (None, {}, None)
    assert list(refused.stage_ms) == ["read", "prepare", "infer"]
    _, answered = screen(film, bundle, Sees(drawn(1, 9)[0]))
    assert answered.outcome == "refer"
    _, tried = screen(film, bundle, stranger, any_film=True)
    assert (tried.outcome, tried.warnings) == ("refer", (UNFAMILIAR,))
    assert answered.warnings == ()


def test_a_film_that_is_unlike_is_answered_with_a_warning_where_that_is_asked_for(
    film: Path, knowing: Knowing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, stranger = knowing(), np.random.default_rng(0).random(FEATURES).astype(np.float32)
    opened = open_interpreter(replace_embedding(bundle))

    class Sees:
        name = "sees"

        def run(self, tensor: npt.NDArray[np.float32]) -> Prediction:
            return replace(opened.run(tensor), embedding=stranger)

    monkeypatch.setattr("osteo_edge.screen_command.open_checked", lambda *args, **kwargs: Sees())
    assert run(["screen", str(bundle.path), str(film), "--json"]) == 0
    refused = json.loads(capsys.readouterr().out)
    assert (refused["outcome"], refused["reasons"], refused["score"]) == ("rejected", [UNFAMILIAR], None)
    assert run(["screen", str(bundle.path), str(film), "--json", "--any-film"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert (answered["outcome"], answered["warnings"]) == ("refer", [UNFAMILIAR])


def replace_embedding(bundle: Bundle) -> Bundle:
    """The bundle without its embedding, which the golden model does not give."""
    outputs = replace(bundle.manifest.outputs, embedding=None)
    return Bundle(bundle.path, replace(bundle.manifest, outputs=outputs, familiarity=None))


def packed(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


SOUND = {"mean": np.zeros(4), "directions": np.eye(4)[:2], "variances": np.ones(2), "rest": np.float32(1)}


@pytest.mark.parametrize(
    "content",
    [
        b"no archive",
        packed(mean=np.zeros(4)),
        packed(**{**SOUND, "directions": np.eye(4)}),
        packed(**{**SOUND, "variances": np.zeros(2)}),
        packed(**{**SOUND, "rest": np.float32(-1)}),
        packed(**{**SOUND, "mean": np.full(4, np.nan)}),
        packed(**{**SOUND, "mean": np.array([object()])}),
        damaged_lzma("mean.npy"),
    ],
)
def test_statistics_that_are_not_as_they_should_be_are_refused(content: bytes, knowing: Knowing) -> None:
    with pytest.raises(BundleError, match=f"{FILE}: .*convert the bundle again"):
        read_statistics(knowing(content))


def test_statistics_of_another_network_are_refused(knowing: Knowing) -> None:
    with pytest.raises(BundleError, match="is of 4 features, the model gives 200"):
        unfamiliar(drawn(1, 1)[0], knowing(packed(**SOUND)))


def test_a_bundle_that_lacks_its_statistics_is_refused(knowing: Knowing) -> None:
    bundle = knowing()
    lacking = Bundle(bundle.path, replace(bundle.manifest, files={}))
    with pytest.raises(BundleError, match=f"holds no {FILE}"):
        read_statistics(lacking)


def test_statistics_that_were_altered_are_refused(knowing: Knowing) -> None:
    bundle = knowing()
    (bundle.path / FILE).write_bytes(packed(**SOUND))
    with pytest.raises(BundleError, match="altered"):
        read_statistics(bundle)
