import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from osteo_edge.bundle import Bundle
from osteo_edge.convert.compare_command import compare
from osteo_edge.convert.drafts import find_outputs
from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.hashing import sha256_file
from osteo_edge.manifest import Outputs, Parent
from osteo_edge.split import Split, SplitRow, write_split

LABELS = ("normal", "osteopenia", "osteoporosis")


@pytest.fixture
def run(golden_bundle: Callable[..., Bundle], draw_film: Callable[..., Path], tmp_path: Path) -> Callable[..., Result]:
    """Compare bundles with the golden float32 one on six drawn films, the first of which cannot be read."""
    rows = []
    for number in range(6):
        name = f"{LABELS[number // 2]}/{number}.png"
        film = draw_film(f"knees/{name}", brightness=0.15 + 0.12 * number)
        rows.append(SplitRow(name, LABELS[number // 2], name, "test", sha256_file(film)))
    (tmp_path / "knees/normal/0.png").write_bytes(b"no image")
    write_split(Split(tuple(rows)), tmp_path / "split.csv")
    reference = golden_bundle("float32", precision="float32")

    def invoke(*arguments: object) -> Result:
        fixed = [reference.path, *arguments, film.parent.parent, "--split", tmp_path / "split.csv"]
        return CliRunner().invoke(compare, [str(argument) for argument in fixed], catch_exceptions=False)

    return invoke


def test_the_tables_name_models_measures_and_layers(run: Callable[..., Result], bundle: Bundle) -> None:
    result = run(bundle.path)
    assert result.exit_code == 0
    assert "On the test part: 1 normal, 2 osteopenia, 2 osteoporosis." in result.output
    for words in ("decisions agree", "AUROC osteoporosis, difference", "calibration error, compressed", "worst of 3"):
        assert words in result.output
    assert "0 of 3" in result.output
    assert "patches" in result.output
    assert "median 1.0000" in result.output
    assert "skipped" in result.stderr
    assert "0.png" in result.stderr
    assert "Warning: not the split file that the float bundle was trained with." in result.stderr


def test_an_image_that_has_changed_since_the_split_is_named(
    run: Callable[..., Result], bundle: Bundle, draw_film: Callable[..., Path]
) -> None:
    unchanged = run(bundle.path, "--json")
    assert json.loads(unchanged.stdout)["changed_since_the_split"] == []
    assert "since the split" not in unchanged.stderr
    draw_film("knees/osteopenia/3.png", brightness=0.9)
    for options in ((), ("--json",)):
        result = run(bundle.path, *options)
        assert "Warning: 1 of 5 films have changed since the split was made, the first of them osteop" in result.stderr
    assert json.loads(result.stdout)["changed_since_the_split"] == ["osteopenia/3.png"]


def test_json_has_every_layer_and_nothing_else_on_standard_output(run: Callable[..., Result], bundle: Bundle) -> None:
    found = json.loads(run(bundle.path, "--json").stdout)
    (compressed,) = found["compressed"]
    assert found["split_is_the_trained_one"] is False
    assert [layer["position"] for layer in compressed["layers"]["found"]] == [0, 1, 2]
    assert compressed["layers"]["found"][0]["lost_db"] is None
    assert set(compressed["agreement"]["aurocs"]) == {"osteopenia or osteoporosis", "osteoporosis"}
    assert compressed["model"]["placement"]["gzip_bytes"] > 0


def test_models_that_share_no_layer_say_so(
    run: Callable[..., Result], golden_bundle: Callable[..., Bundle], bundle: Bundle
) -> None:
    data = bundle.model_path.read_bytes()
    for name in (b"patches", b"StatefulPartitionedCall:"):
        data = data.replace(name, name[::-1])
    result = run(golden_bundle("renamed", model=data).path)
    assert "No layer of the float model has its like here" in result.output


def test_without_a_map_there_is_no_correlation(
    run: Callable[..., Result], golden_bundle: Callable[..., Bundle]
) -> None:
    logits = golden_bundle("golden").manifest.outputs.logits
    mapless = golden_bundle("mapless", outputs=Outputs(logits, None))
    assert "the models do not both have a map of one shape" in run(mapless.path).output


def test_bundles_of_another_training_say_so(run: Callable[..., Result], golden_bundle: Callable[..., Bundle]) -> None:
    tuned = golden_bundle("tuned", parent=Parent("d" * 64, {}))
    assert "Not converted from the same Keras model" in run(tuned.path).output


@pytest.mark.tf
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_operators_that_give_floats_back_are_named(
    run: Callable[..., Result], golden_bundle: Callable[..., Bundle]
) -> None:
    """An int8 network with float ends."""
    tensorflow, keras = load_tensorflow()
    image = keras.Input(batch_shape=(1, 32, 32, 3))
    maps = keras.layers.Conv2D(3, 4, strides=4)(image)
    model = keras.Model(image, [keras.layers.GlobalAveragePooling2D()(maps), maps])
    converter = tensorflow.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter([[tensorflow.zeros((1, 32, 32, 3)).numpy()]])
    data = converter.convert()
    mixed = golden_bundle("mixed", model=data, outputs=find_outputs(data, Outputs(0, 1)))
    found = json.loads(run(mixed.path, "--json").stdout)
    assert found["compressed"][0]["model"]["placement"]["in_float"] == {"DEQUANTIZE": 2}
