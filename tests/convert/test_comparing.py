from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.bundle import Bundle
from osteo_edge.convert.comparing import Comparison, check_comparable, compare_bundles
from osteo_edge.convert.conversion import convert_bundle
from osteo_edge.convert.recipe import PLAIN, Recipe
from osteo_edge.dataset import Dataset, read_dataset
from osteo_edge.errors import BundleError, DatasetError
from osteo_edge.manifest import Manifest
from osteo_edge.split import Split, SplitRow, read_split

LABELS = ("normal", "osteopenia", "osteoporosis")
BRIGHTNESS = (0.15, 0.25, 0.35, 0.45, 0.6, 0.8)


@pytest.fixture
def knees(draw_film: Callable[..., Path]) -> Dataset:
    """Twelve drawn films, two of each brightness; the brighter two thirds are labelled as low bone density."""
    for number, brightness in enumerate(BRIGHTNESS):
        for part in ("validation", "test"):
            film = draw_film(f"knees/{LABELS[number // 2]}/{part}{number}.png", brightness=brightness)
    return read_dataset(film.parent.parent)


@pytest.fixture
def split(knees: Dataset) -> Split:
    """By the name of the file without its number."""
    return Split(
        tuple(SplitRow(case.name, case.label, case.name, case.path.stem[:-1], "a" * 64) for case in knees.cases)
    )


@pytest.fixture
def float32(golden_bundle: Callable[..., Bundle]) -> Bundle:
    return golden_bundle("float32", precision="float32")


def silent(done: int, total: int, note: str = "", stage: str | None = None) -> None:
    pass


def test_int8_stands_beside_float_in_every_respect(
    float32: Bundle, bundle: Bundle, knees: Dataset, split: Split
) -> None:
    found = compare_bundles(float32, [bundle], knees, split, "test", on_progress=silent)
    (compressed,) = found.compressed
    assert (found.part, found.counts) == ("test", dict.fromkeys(LABELS, 2))
    assert compressed.agreement.decisions.n == 6
    assert 0 < compressed.agreement.mean_difference <= compressed.agreement.largest_difference < 0.05
    assert [paired.before.value for paired in compressed.agreement.aurocs.values()] == [1, 1]
    assert compressed.maps is not None
    assert 0.99 < compressed.maps.worst <= compressed.maps.median < 1 - 1e-9
    assert len(compressed.layers.found) == compressed.layers.layers == 3
    assert compressed.layers.images == 6
    assert compressed.same_origin
    assert compressed.model.placement.in_float == {}
    assert found.reference.placement.in_float == {"CONV_2D": 2, "MEAN": 1}
    assert compressed.model.runtime == found.reference.runtime != ""


def test_each_bundle_decides_by_its_own_manifest_and_answers_for_itself(
    float32: Bundle,
    bundle: Bundle,
    golden_bundle: Callable[..., Bundle],
    knees: Dataset,
    split: Split,
    manifest: Manifest,
) -> None:
    never = replace(manifest.decision, threshold=1.0, abstain_high=1.0)
    data = bundle.model_path.read_bytes() + b"\0"
    stricter = golden_bundle("stricter", model=data, decision=never)
    found = compare_bundles(float32, [bundle, stricter], knees, split, "test", on_progress=silent)
    plain, strict = found.compressed
    assert (plain.model.bundle, strict.model.bundle) == (str(bundle.path), str(stricter.path))
    assert plain.agreement.decisions.value == 1
    assert strict.agreement.decisions.value < 1
    assert strict.agreement.mean_difference == plain.agreement.mean_difference


def test_an_image_that_cannot_be_read_is_listed_and_left_out(
    float32: Bundle, bundle: Bundle, knees: Dataset, split: Split
) -> None:
    knees.cases[0].path.write_bytes(b"no image")
    found = compare_bundles(float32, [bundle], knees, split, "test", on_progress=silent)
    assert found.compressed[0].agreement.decisions.n == 5
    assert found.compressed[0].layers.images == 5
    assert len(found.skipped) == 1
    assert knees.cases[0].name in found.skipped[0]


def test_no_readable_image_at_all_is_an_error(float32: Bundle, bundle: Bundle, knees: Dataset, split: Split) -> None:
    for case in knees.cases:
        case.path.write_bytes(b"no image")
    with pytest.raises(DatasetError, match="none of 6 images can be compared on"):
        compare_bundles(float32, [bundle], knees, split, "test", on_progress=silent)


@pytest.mark.parametrize(
    ("labels", "message"), [(("normal",), "test part holds only normal"), ((), "test part holds no image")]
)
def test_a_part_with_one_class_or_none_compares_nothing(
    labels: tuple[str, ...], message: str, float32: Bundle, bundle: Bundle, knees: Dataset, split: Split
) -> None:
    rows = [row if row.label in labels else replace(row, part="train") for row in split.rows]
    with pytest.raises(DatasetError, match=message):
        compare_bundles(float32, [bundle], knees, Split(tuple(rows)), "test", on_progress=silent)


def test_a_model_that_gives_no_number_is_named(
    float32: Bundle,
    bundle: Bundle,
    knees: Dataset,
    split: Split,
    answering: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = answering([float("nan"), 0, 0])
    monkeypatch.setattr("osteo_edge.convert.answering.open_interpreter", lambda bundle: lost)
    with pytest.raises(BundleError, match="float32: gives no number for some images; convert it again"):
        compare_bundles(float32, [bundle], knees, split, "test", on_progress=silent)


def test_progress_tells_images_and_then_layers(float32: Bundle, bundle: Bundle, knees: Dataset, split: Split) -> None:
    seen: list[tuple[str | None, int, int]] = []

    def advance(done: int, total: int, note: str = "", stage: str | None = None) -> None:
        seen.append((stage, done, total))

    compare_bundles(float32, [bundle], knees, split, "test", on_progress=advance)
    counts = range(1, 7)
    assert seen == [("answer", done, 6) for done in counts] + [("layers of golden", done, 6) for done in counts]


def test_only_bundles_of_one_model_are_compared(
    float32: Bundle, bundle: Bundle, golden_bundle: Callable[..., Bundle], manifest: Manifest
) -> None:
    check_comparable(float32, [bundle])
    renamed = golden_bundle("renamed", labels=("healthy", *LABELS[1:]))
    with pytest.raises(BundleError, match=r"renamed: its labels are not those of .*float32"):
        check_comparable(float32, [renamed])
    framed = golden_bundle("framed", input=replace(manifest.input, resize="knees"))
    with pytest.raises(BundleError, match=r"framed: prepares images otherwise than .*float32"):
        check_comparable(float32, [framed])


def test_the_same_model_twice_is_refused(float32: Bundle, bundle: Bundle, golden_bundle: Callable[..., Bundle]) -> None:
    with pytest.raises(BundleError, match="holds the same model as"):
        check_comparable(float32, [float32])
    with pytest.raises(BundleError, match=r"copy: holds the same model as .*golden; name each model once"):
        check_comparable(float32, [bundle, golden_bundle("copy")])


def test_the_first_bundle_must_be_float32_tflite(float32: Bundle, bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"golden: is int8; the first bundle must be the float32 one"):
        check_comparable(bundle, [float32])
    keras = replace(float32, manifest=replace(float32.manifest, model=replace(float32.manifest.model, format="keras")))
    with pytest.raises(BundleError, match=r"a keras bundle; convert it first: .* --precision float32"):
        check_comparable(keras, [bundle])


@pytest.fixture(scope="module")
def trained(keras_bundle: Bundle, plain_int8: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """A network that was trained and converted in both precisions, compared on the films it was not trained on."""
    out = tmp_path_factory.mktemp("compare") / "float32"
    float32 = convert_bundle(keras_bundle, Recipe("float32", **PLAIN), out, on_progress=silent)
    check_comparable(float32, [plain_int8])
    dataset, split = read_dataset(keras_bundle.path.parent / "stripes"), read_split(keras_bundle.path / "split.csv")
    return compare_bundles(float32, [plain_int8], dataset, split, "test", on_progress=silent)


@pytest.mark.tf
@pytest.mark.slow
def test_a_real_conversion_has_every_layer_in_both_graphs(trained: Comparison) -> None:
    (int8,) = trained.compressed
    assert len(int8.layers.found) == int8.layers.layers > 50
    assert int8.same_origin
    assert int8.agreement.decisions.value > 0.8
    assert int8.agreement.mean_difference < 0.1
    assert int8.model.placement.in_float == {}
    assert int8.model.placement.model_bytes < 0.45 * trained.reference.placement.model_bytes
    first, last = int8.layers.found[0], int8.layers.found[-1]
    assert last.sqnr_db < first.sqnr_db
    assert first.sqnr_db > 25
