import numpy as np
import pytest

from osteo_edge.train.limb_anatomy import BONES, FLESH, JOINTS, Solid
from osteo_edge.train.limb_projection import Film, Stance, absorb_bone, absorb_soft, place_frames, throw


def _film(size: int = 128, mm: float = 360.0) -> Film:
    """A film of `mm` squared with the elbow in its middle, without a turn."""
    scale = size / mm
    return Film(size, size, scale * np.eye(2), np.array([size / 2, size / 2 - 315 * scale]))


def test_every_part_hangs_in_a_frame_and_every_frame_below_its_parent() -> None:
    names = list(JOINTS)
    assert {part.frame for part in (*BONES.values(), *FLESH)} <= set(names)
    assert all(joint.parent is None or names.index(joint.parent) < names.index(name) for name, joint in JOINTS.items())


def test_levels_of_a_bone_rise_and_its_borders_do_not_cross() -> None:
    for part in (*BONES.values(), *FLESH):
        if isinstance(part, Solid):
            assert np.all(np.diff(part.rows[:, 0]) > 0), part.frame
            assert np.all(part.rows[:, 2] > part.rows[:, 1]), part.frame
            assert np.all(part.rows[:, 4] > part.rows[:, 3]), part.frame


def test_a_straight_arm_hangs_straight_down() -> None:
    places = place_frames(Stance(0))
    heights = [places[name].origin[1] for name in ("trunk", "arm", "forearm", "hand", "middle metacarpal")]
    assert heights == pytest.approx([0, 20, 315, 566, 600])


@pytest.mark.parametrize(("view", "across", "down"), [(90, 100, 0), (0, 0, 25)])
def test_a_bent_elbow_points_forwards_from_the_side_and_is_foreshortened_from_the_front(
    view: float, across: float, down: float
) -> None:
    """A right angle; from the front what points at the tube keeps a quarter of its length, not nothing."""
    place = place_frames(Stance(view, flexion_deg={"forearm": 90}))["forearm"]
    assert (place.seen([(0, 100, 0)])[0] - place.origin).tolist() == pytest.approx([across, down], abs=1e-6)


def test_spread_is_seen_from_the_front_only() -> None:
    for view, across in ((0, 50.0), (90, 0.0)):
        place = place_frames(Stance(view, spread_deg={"arm": 30}))["arm"]
        assert place.seen([(0, 100, 0)])[0][0] - place.origin[0] == pytest.approx(across, abs=1e-6)


def test_a_shadow_off_the_film_has_no_box() -> None:
    film, places = _film(mm=100), place_frames(Stance(0))
    rng = np.random.default_rng(0)
    assert throw(BONES["middle distal"], places["middle distal"], film, rng).box(film) is None
    assert throw(BONES["ulna"], places["forearm"], film, rng).box(film) is not None


def test_a_long_bone_is_bright_at_its_borders_and_hollow_in_its_middle() -> None:
    film, places = _film(512, 120), place_frames(Stance(0))
    rng = np.random.default_rng(0)
    shadow = throw(BONES["humerus"], places["arm"], film, rng)
    box = shadow.box(film)
    assert box is not None
    row = absorb_bone(shadow, film, box, 1.0, np.full((512, 512), 0.1, np.float32))[20]
    inside = np.flatnonzero(row > 0.5)
    middle = row[int(inside.mean())]
    assert row[inside[0] : inside[0] + 25].max() > 1.5 * middle
    assert row[inside[-1] - 25 : inside[-1]].max() > 1.5 * middle


def test_soft_tissue_is_as_deep_as_it_is_drawn() -> None:
    film, places = _film(256, 400), place_frames(Stance(0))
    (arm,) = (part for part in FLESH if part.frame == "arm")
    shadow = throw(arm, places["arm"], film, np.random.default_rng(0))
    box = shadow.box(film)
    assert box is not None
    depth = absorb_soft(shadow, film, box, 0.0)
    assert 70 < depth.max() < 95
    assert np.all(np.isfinite(depth))


def test_two_films_of_one_limb_do_not_share_an_outline() -> None:
    film, place, rng = _film(), place_frames(Stance(0))["arm"], np.random.default_rng(0)
    first, second = (throw(BONES["humerus"], place, film, rng).outline for _ in range(2))
    assert 0 < np.abs(first - second).max() < 2
