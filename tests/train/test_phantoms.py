import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.errors import DatasetError
from osteo_edge.train.phantoms import LABELS, T_SCORES, Phantom, draw_phantom, label_of, write_phantoms

Values = npt.NDArray[np.float64]


def auroc(positive: Values, negative: Values) -> float:
    """Return the share of (positive, negative) pairs that the score puts in order; a tie counts half."""
    above = positive[:, None] > negative[None, :]
    return float(np.mean(above + 0.5 * (positive[:, None] == negative[None, :])))


def texture(phantom: Phantom) -> float:
    """Return the fine detail within the middle of the tibia's head, relative to how bright that region is."""
    height, width = phantom.pixels.shape
    region = phantom.pixels[int(0.58 * height) : int(0.68 * height), int(0.42 * width) : int(0.58 * width)]
    values = region.astype(np.float32)
    return float(np.std(values - cv2.blur(values, (9, 9))) / np.mean(values))


def marrow_width(phantom: Phantom) -> float:
    """Return the pixels between the two brightest lines of the femoral shaft, which lie where cortex meets marrow."""
    height, width = phantom.pixels.shape
    rows = cv2.blur(phantom.pixels, (3, 3))[int(0.12 * height) : int(0.2 * height), int(0.25 * width) :]
    middle = int(0.25 * width)
    left, right = rows[:, :middle].argmax(axis=1), rows[:, middle : 2 * middle].argmax(axis=1) + middle
    return float(np.median(right - left))


@pytest.fixture(scope="module")
def films() -> list[Phantom]:
    rng = np.random.default_rng(7)
    scores = [(label, float(rng.uniform(*T_SCORES[label]))) for _ in range(100) for label in LABELS]
    views = ("frontal", "lateral")
    return [draw_phantom(t, size=128, seed=n, view=views[n // 3 % 2]) for n, (_, t) in enumerate(scores)]


def read(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("t_score", "label"),
    [
        (1.5, "normal"),
        (-0.99, "normal"),
        (-1.0, "osteopenia"),
        (-2.49, "osteopenia"),
        (-2.5, "osteoporosis"),
        (-4, "osteoporosis"),
    ],
)
def test_labels_follow_the_who_limits(t_score: float, label: str) -> None:
    assert label_of(t_score) == label
    assert draw_phantom(t_score, size=64, seed=1).label == label


def test_a_t_score_that_is_not_a_number_has_no_label() -> None:
    with pytest.raises(ValueError, match="not a number"):
        label_of(float("nan"))


@pytest.mark.parametrize("view", ["frontal", "lateral"])
def test_the_same_seed_draws_the_same_film_and_another_seed_another(view: str) -> None:
    first, again, other = (draw_phantom(-2, size=96, seed=seed, view=view) for seed in (3, 3, 4))
    assert np.array_equal(first.pixels, again.pixels)
    assert (first.age, first.sex, first.weight_kg, first.side) == (again.age, again.sex, again.weight_kg, again.side)
    assert not np.array_equal(first.pixels[:, :70], other.pixels[:, :70])
    assert first.patient != other.patient


def test_two_views_of_a_seed_are_one_patient() -> None:
    frontal, lateral = (draw_phantom(-3, size=96, seed=11, view=view) for view in ("frontal", "lateral"))
    assert (frontal.patient, frontal.side, frontal.age) == (lateral.patient, lateral.side, lateral.age)
    assert frontal.view != lateral.view
    assert not np.array_equal(frontal.pixels[:, :70], lateral.pixels[:, :70])


@pytest.mark.parametrize("size", [64, 101, 512])
def test_a_film_has_the_height_asked_for_and_about_that_width(size: int) -> None:
    pixels = draw_phantom(-1.5, size=size, seed=5).pixels
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] == size
    assert 0.8 * size <= pixels.shape[1] <= size


def test_a_film_uses_the_grey_scale() -> None:
    pixels = draw_phantom(0, size=256, seed=2).pixels
    assert pixels.min() < 20
    assert pixels.max() > 235


@pytest.mark.parametrize(("size", "view"), [(63, "frontal"), (2049, "frontal"), (128, "oblique")])
def test_a_size_or_view_that_there_is_none_of_is_an_error(size: int, view: str) -> None:
    with pytest.raises(ValueError, match="no phantom"):
        draw_phantom(0, size=size, seed=0, view=view)


def test_denser_bone_shows_more_trabecular_texture_and_thicker_cortices() -> None:
    pairs = [(draw_phantom(1, size=512, seed=seed), draw_phantom(-4, size=512, seed=seed)) for seed in range(10)]
    assert sum(texture(dense) > texture(porous) for dense, porous in pairs) >= 9
    assert sum(marrow_width(dense) < marrow_width(porous) for dense, porous in pairs) >= 8


@pytest.mark.parametrize("positive", [("osteopenia", "osteoporosis"), ("osteoporosis",)])
def test_neither_brightness_nor_shape_tells_the_class(films: list[Phantom], positive: tuple[str, ...]) -> None:
    ill = np.array([film.label in positive for film in films])
    for measure in (
        [float(film.pixels.mean()) for film in films],
        [float(film.pixels.shape[1]) for film in films],
        [float(film.side == "left") for film in films],
    ):
        values = np.array(measure)
        assert 0.35 < auroc(values[ill], values[~ill]) < 0.65


def test_age_tells_the_class_a_little(films: list[Phantom]) -> None:
    age = np.array([float(film.age) for film in films])
    low = np.array([film.label != "normal" for film in films])
    assert 0.6 < auroc(age[low], age[~low]) < 0.8


def test_the_table_and_the_folders_agree(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "phantoms"
    table = write_phantoms(out, per_class=6, size=64, seed=3, on_progress=lambda done, of: seen.append((done, of)))
    assert table == out / "phantoms.csv"
    rows = read(table)
    assert list(rows[0]) == ["path", "label", "patient", "age", "sex", "weight", "t_score", "view", "label_source"]
    assert sorted(row["path"] for row in rows) == sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png"))
    for row in rows:
        assert Path(row["path"]).parts[0] == row["label"] == label_of(float(row["t_score"]))
    assert [sum(row["label"] == label for row in rows) for label in LABELS] == [6, 6, 6]
    assert seen == [(done, 18) for done in range(1, 19)]
    assert [path.name for path in tmp_path.iterdir()] == ["phantoms"]


def test_a_file_on_disk_is_the_film_that_its_row_describes(tmp_path: Path) -> None:
    row = read(write_phantoms(tmp_path / "out", per_class=1, size=64, seed=9))[2]
    pixels = cv2.imread(str(tmp_path / "out" / row["path"]), cv2.IMREAD_UNCHANGED)
    drawn = draw_phantom(float(row["t_score"]), size=64, seed=int(row["patient"][1:]), view=row["view"])
    assert pixels is not None
    assert np.array_equal(pixels, drawn.pixels)


def test_a_patient_keeps_one_label_and_two_seeds_share_no_patient(tmp_path: Path) -> None:
    first, second = (read(write_phantoms(tmp_path / str(seed), per_class=20, size=64, seed=seed)) for seed in (0, 1))
    labels = {(row["patient"], row["label"], row["age"]) for row in first}
    patients = {row["patient"] for row in first}
    assert len(labels) == len(patients) < len(first)
    assert not patients & {row["patient"] for row in second}


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert len(read(write_phantoms(tmp_path, per_class=1, size=64))) == 3


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    with pytest.raises(DatasetError, match=r"exists and is not an empty folder; choose") as refusal:
        write_phantoms(tmp_path, per_class=1, size=64)
    assert str(tmp_path) in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DatasetError, match="not an empty folder"):
        write_phantoms(tmp_path / "out", per_class=1, size=64)


@pytest.mark.parametrize(
    ("per_class", "size", "seed", "says"),
    [(0, 64, 0, "1 to 333333"), (1, 63, 0, "64 to 2048"), (1, 64, -1, "0 or more")],
)
def test_an_argument_out_of_range_is_refused(tmp_path: Path, per_class: int, size: int, seed: int, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        write_phantoms(tmp_path / "out", per_class=per_class, size=size, seed=seed)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("already_there", [False, True])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, already_there: bool
) -> None:
    write_bytes = Path.write_bytes
    left = iter(range(4))

    def fill_up(self: Path, data: bytes) -> int:
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        return write_bytes(self, data)

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    out = tmp_path / "out"
    if already_there:
        out.mkdir()
    with pytest.raises(DatasetError, match="No space left on device") as failure:
        write_phantoms(out, per_class=3, size=64)
    assert isinstance(failure.value.__cause__, OSError)
    assert list(tmp_path.rglob("*")) == ([out] if already_there else [])


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path / "out", per_class=1, size=64, on_progress=interrupt)
    assert not list(tmp_path.iterdir())
