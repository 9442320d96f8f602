from pathlib import Path

import numpy as np
from click.testing import CliRunner

from osteo_edge.knee_template import FILE, load_template
from osteo_edge.train.knee_template import draw_knee, main


def test_the_template_of_the_package_is_what_the_command_draws(tmp_path: Path) -> None:
    out = tmp_path / "drawn.npz"
    done = CliRunner().invoke(main, [str(out)])
    assert done.exit_code == 0, done.output
    with np.load(out) as drawn, np.load(FILE) as packed:
        assert sorted(drawn) == sorted(packed) == ["asymmetry", "coarse", "fine"]
        for name in drawn:  # other releases of OpenCV and numpy may draw a pixel otherwise
            np.testing.assert_allclose(drawn[name], packed[name], atol=0.05)


def test_the_template_is_small() -> None:
    assert FILE.stat().st_size < 40_000


def test_left_and_right_knees_match_alike_and_the_asymmetry_tells_them_apart() -> None:
    template = load_template()
    for patch in (template.coarse, template.fine):
        np.testing.assert_array_equal(patch, patch[:, ::-1])
    np.testing.assert_array_equal(template.asymmetry, -template.asymmetry[:, ::-1])
    assert np.abs(template.asymmetry).max() > 0.1
    assert not template.asymmetry[:32].any(), "there is no fibula above the joint line"


def test_the_same_number_is_the_same_knee_and_another_is_another() -> None:
    first, again, other = draw_knee(3), draw_knee(3), draw_knee(4)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert (first.x_px, first.y_px, first.width_px) == (again.x_px, again.y_px, again.width_px)
    assert first.pixels.shape != other.pixels.shape


def test_a_drawn_film_is_in_range_and_its_joint_is_dark_between_bright_bones() -> None:
    knee = draw_knee(5)
    assert knee.pixels.dtype == np.float32
    assert knee.pixels.shape[0] == 512
    assert 0 <= knee.pixels.min() < knee.pixels.max() <= 1
    column = knee.pixels[:, round(knee.x_px + 0.25 * knee.width_px)]
    joint, away = round(knee.y_px), round(0.2 * knee.width_px)
    gap = column[joint - away // 2 : joint + away // 2].min()
    assert gap < column[joint - away] - 0.05
    assert gap < column[joint + away] - 0.05
