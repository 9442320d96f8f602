import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.metrics import auroc, estimate
from osteo_edge.train.limb_findings import SITES, draw_injury
from osteo_edge.train.limb_phantoms import LimbFilm, draw_limb
from osteo_edge.train.limb_shape import ends
from osteo_edge.train.limb_views import VIEWS
from osteo_edge.train.mura_folder import BONES

Statistics = npt.NDArray[np.float64]


def _blurred(film: LimbFilm) -> Statistics:
    return np.asarray(cv2.blur(film.pixels.astype(np.float64), (3, 3)), np.float64)


def _trivial(film: LimbFilm) -> list[float]:
    """What is known of a film by hardly looking: height, width, mean, noise and the size of its file."""
    pixels = film.pixels.astype(np.float32)
    fine = np.abs(pixels - cv2.GaussianBlur(pixels, (0, 0), 1.5))
    size = len(cv2.imencode(".png", film.pixels)[1])
    return [*pixels.shape, float(pixels.mean()), float(np.median(fine)), size, size / pixels.size]


@pytest.fixture(scope="module")
def films() -> list[LimbFilm]:
    """44 films of every bone, half of them abnormal."""
    rng = np.random.default_rng(5)
    found = []
    for number, bone in enumerate(BONES * 44):
        finding = "none" if (number // len(BONES)) % 2 else str(rng.choice(["fracture", "hardware"]))
        found.append(draw_limb(bone, finding, view=str(rng.choice(VIEWS)), size=112, seed=number, patient=number))
    return found


@pytest.mark.parametrize("bone", BONES)
def test_the_same_seed_draws_the_same_film_and_another_seed_another(bone: str) -> None:
    first, again, other, take = (
        draw_limb(bone, "fracture", view="oblique", size=96, seed=seed, patient=seed, take=take)
        for seed, take in ((3, 0), (3, 0), (4, 0), (3, 1))
    )
    assert np.array_equal(first.pixels, again.pixels)
    for changed in (other, take):
        assert changed.pixels.shape != first.pixels.shape or not np.array_equal(changed.pixels, first.pixels)


def test_a_film_of_finding_none_is_normal_and_any_other_abnormal() -> None:
    labels = [draw_limb("hand", finding, size=64, seed=1).label for finding in ("none", "fracture", "hardware")]
    assert labels == ["normal", "abnormal", "abnormal"]


def test_all_films_of_a_patient_are_of_one_side() -> None:
    sides = {draw_limb("wrist", view=view, size=64, seed=seed, patient=8).side for view in VIEWS for seed in (1, 2)}
    assert len(sides) == 1


@pytest.mark.parametrize("size", [64, 101, 512])
@pytest.mark.parametrize("bone", ["humerus", "shoulder"])
def test_a_film_has_the_height_asked_for_and_uses_the_grey_scale(size: int, bone: str) -> None:
    pixels = draw_limb(bone, size=size, seed=5).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] == size
    assert 0.54 * size <= pixels.shape[1] <= size
    assert (pixels.min() < 20, pixels.max() > 235) == (True, True)


@pytest.mark.parametrize("change", [{"bone": "knee"}, {"finding": "tumour"}, {"view": "axial"}, {"size": 63}])
def test_what_cannot_be_drawn_is_our_own_mistake(change: dict[str, object]) -> None:
    asked = {"bone": "hand", "finding": "none", "view": "frontal", "size": 96, "seed": 0} | change
    with pytest.raises(ValueError, match="no drawn film of"):
        draw_limb(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("finding", ["fracture", "hardware"])
@pytest.mark.parametrize("bone", BONES)
def test_an_injury_is_to_be_seen_in_one_of_the_views_at_least(bone: str, finding: str) -> None:
    """Brighter or darker than the same film without it by 10 of 256 greys somewhere, averaged over 3 x 3 pixels."""
    for seed in range(2):
        differences = [
            np.abs(
                _blurred(draw_limb(bone, finding, view=view, size=160, seed=seed, patient=seed))
                - _blurred(draw_limb(bone, view=view, size=160, seed=seed, patient=seed))
            ).max()
            for view in VIEWS
        ]
        assert max(differences) > 10


def test_an_injury_leaves_the_rest_of_the_film_as_it_is() -> None:
    normal, broken = (_blurred(draw_limb("forearm", finding, size=256, seed=2)) for finding in ("none", "fracture"))
    assert normal.shape == broken.shape
    assert np.mean(np.abs(normal - broken) > 10) < 0.05


def test_a_break_lies_on_a_bone_of_its_region_and_metal_does_not_change_where() -> None:
    for bone in BONES:
        for seed in range(12):
            broken, mended = (
                draw_injury(finding, bone, "ring", np.random.default_rng(seed)) for finding in ("fracture", "hardware")
            )
            assert broken.fractures
            assert (broken.metal, bool(mended.metal)) == ((), True)
            for fracture in broken.fractures:
                low, high = ends(fracture.bone)
                assert low < fracture.level < high
                assert bone not in SITES or fracture.bone in {name for name, _, _ in SITES[bone]}
            if bone == "finger":
                assert all(fracture.bone.startswith("ring ") for fracture in broken.fractures)
            assert {piece.bone for piece in mended.metal} == {fracture.bone for fracture in broken.fractures}
    assert draw_injury("none", "hand", "ring", np.random.default_rng(0)).fractures == ()


def test_no_trivial_statistic_tells_the_label(films: list[LimbFilm]) -> None:
    abnormal = np.array([film.label == "abnormal" for film in films])
    statistics = np.array([_trivial(film) for film in films])
    for column in statistics[:, 1:].T:
        found = estimate(lambda i, own=column: auroc(abnormal[i], own[i]), abnormal.size, replicates=300)  # type: ignore[misc]
        assert found.low < 0.5 < found.high


def test_all_trivial_statistics_together_do_not_tell_the_label_either(films: list[LimbFilm]) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    selection = pytest.importorskip("sklearn.model_selection")
    abnormal = np.array([film.label == "abnormal" for film in films])
    bones = np.array([[film.bone == bone for bone in BONES] for film in films], float)
    statistics = np.array([_trivial(film) for film in films])
    known = np.hstack([bones, (statistics - statistics.mean(0)) / (statistics.std(0) + 1e-9)])
    model = linear_model.LogisticRegression(max_iter=500)
    score = selection.cross_val_predict(model, known, abnormal, cv=5, method="predict_proba")[:, 1]
    found = estimate(lambda i: auroc(abnormal[i], score[i]), abnormal.size, replicates=300)
    assert found.low < 0.5 < found.high or found.high < 0.5
    assert found.value < 0.55


def test_neither_white_nor_contrast_tells_metal(films: list[LimbFilm]) -> None:
    """Metal is white, and so is as much bone on the films without it."""
    known = [film for film in films if film.finding != "fracture"]
    metal = np.array([film.finding == "hardware" for film in known])
    for measure in (
        [float(np.mean(film.pixels > 250)) for film in known],
        [float(film.pixels.std()) for film in known],
    ):
        values = np.array(measure)
        assert 0.35 < auroc(metal, values) < 0.65
