from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteo_edge.convert.layer_errors import LARGEST_SQNR_DB, layer_name, match, measure_layers
from osteo_edge.placement import load_graph, read_nodes
from osteo_edge.preprocessing import Tensor
from osteo_edge.runtime import dequantize, quantize

GOLDEN = Path(__file__).resolve().parent.parent / "data"
FLOAT, INT8 = GOLDEN / "golden-float32.tflite", GOLDEN / "golden-int8.tflite"
MAP_LAYER = 1


@pytest.fixture
def tensors() -> list[Tensor]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32) for _ in range(3)]


def with_weights(model: Path, layer: int, change: str, out: Path) -> Path:
    """The model with the kernel of one of its convolutions cleared, its bias too, or its last channel doubled."""
    interpreter, data = load_graph(model, keep_tensors=True), model.read_bytes()
    _, kernel, bias = (interpreter.get_tensor(place) for place in read_nodes(interpreter)[layer].reads)
    doubled = np.ones_like(kernel)
    doubled[-1] = 2
    changed = {"cleared": [(kernel, 0)], "silenced": [(kernel, 0), (bias, 0)], "doubled": [(kernel, doubled)]}
    for values, factor in changed[change]:
        assert data.count(values.tobytes()) == 1
        data = data.replace(values.tobytes(), (values * factor).astype(values.dtype).tobytes())
    out.write_bytes(data)
    return out


def test_a_model_beside_itself_has_no_error(tensors: list[Tensor]) -> None:
    found = measure_layers(FLOAT, FLOAT, tensors)
    assert [layer.position for layer in found.found] == [0, 1, 2]
    assert {layer.plain_sqnr_db for layer in found.found} == {LARGEST_SQNR_DB}
    assert [layer.cosine for layer in found.found] == pytest.approx([1, 1, 1])
    assert (found.layers, found.images) == (3, 3)


def test_int8_has_the_float_layers_though_keras_numbered_the_networks(tensors: list[Tensor]) -> None:
    found = measure_layers(FLOAT, INT8, tensors)
    assert [layer.name for layer in found.found] == ["patches", "output 0", "output 1"]
    assert all(30 < layer.plain_sqnr_db < 80 for layer in found.found)
    assert all(layer.plain_sqnr_db <= layer.sqnr_db + 1e-6 for layer in found.found)
    assert all(layer.cosine > 0.999 for layer in found.found)


def test_the_error_is_that_of_the_values_which_the_layer_wrote(tensors: list[Tensor]) -> None:
    written = []
    for path in (FLOAT, INT8):
        interpreter = load_graph(path, keep_tensors=True)
        given, (_, node, _) = interpreter.get_input_details()[0], read_nodes(interpreter)
        (detail,) = (each for each in interpreter.get_tensor_details() if each["index"] == node.tensor)
        values = []
        for tensor in tensors:
            interpreter.set_tensor(given["index"], quantize(tensor, given))
            interpreter.invoke()
            values.append(dequantize(interpreter.get_tensor(node.tensor), detail).astype(np.float64))
        written.append(np.stack(values))
    expected = 10 * np.log10(np.sum(written[0] ** 2) / np.sum((written[1] - written[0]) ** 2))
    assert measure_layers(FLOAT, INT8, tensors).found[MAP_LAYER].plain_sqnr_db == pytest.approx(expected)


def test_the_layer_that_breaks_is_the_one_that_loses_most(tensors: list[Tensor], tmp_path: Path) -> None:
    broken = with_weights(FLOAT, MAP_LAYER, "cleared", tmp_path / "broken.tflite")
    found = measure_layers(FLOAT, broken, tensors)
    first, broke, after = found.found
    assert first.sqnr_db == LARGEST_SQNR_DB
    assert broke.sqnr_db < 10
    assert broke.lost_db > 100
    assert abs(after.lost_db) < 20
    assert {layer.position for layer in found.worst(2)} == {1, 2}
    assert np.isnan(first.lost_db)


def test_a_channel_of_another_scale_is_no_error_of_rounding(tensors: list[Tensor], tmp_path: Path) -> None:
    """The last label's evidence is doubled, as equalization may do with a linear channel."""
    other = with_weights(FLOAT, MAP_LAYER, "doubled", tmp_path / "doubled.tflite")
    layer = measure_layers(FLOAT, other, tensors).found[MAP_LAYER]
    assert layer.plain_sqnr_db < 10
    assert layer.sqnr_db > 100


def test_names_that_a_graph_has_twice_and_other_shapes_do_not_match() -> None:
    nodes = read_nodes(load_graph(FLOAT))
    twice = (*nodes, replace(nodes[0], position=3))
    assert [node.position for node, _ in match(nodes, twice)] == [1, 2]
    wider = (replace(nodes[0], shape=(1, 16, 16, 2)), *nodes[1:])
    assert [node.position for node, _ in match(nodes, wider)] == [1, 2]


def test_an_error_where_the_float_layer_is_silent_is_the_worst_there_is(tensors: list[Tensor], tmp_path: Path) -> None:
    silent = with_weights(FLOAT, MAP_LAYER, "silenced", tmp_path / "silent.tflite")
    assert measure_layers(silent, silent, tensors).found[MAP_LAYER].sqnr_db == LARGEST_SQNR_DB
    found = measure_layers(silent, FLOAT, tensors)
    assert found.worst(1)[0].sqnr_db == -LARGEST_SQNR_DB
    assert np.isnan(found.worst(1)[0].cosine)


def test_progress_counts_images(tensors: list[Tensor]) -> None:
    seen: list[tuple[int, int]] = []
    measure_layers(FLOAT, INT8, tensors, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("tensor", "name"),
    [("model_1/net/block_1_add/add", "net/block_1_add"), ("model/head/Conv2D1;model/x", "head"), ("odd", "odd")],
)
def test_a_layer_is_called_as_in_keras(tensor: str, name: str) -> None:
    assert layer_name(tensor) == name
