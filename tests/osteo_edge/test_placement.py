from pathlib import Path
from typing import Any

import pytest

from osteo_edge.convert.keras import load_tensorflow
from osteo_edge.errors import BundleError
from osteo_edge.placement import has_delegate, load_graph, read_nodes, read_placement, undelegated_nodes

GOLDEN = Path(__file__).resolve().parent.parent / "data"
FLOAT, INT8 = GOLDEN / "golden-float32.tflite", GOLDEN / "golden-int8.tflite"


def test_nodes_come_in_the_order_of_execution_with_what_they_read_and_write() -> None:
    nodes = read_nodes(load_graph(FLOAT))
    assert [node.operator for node in nodes] == ["CONV_2D", "CONV_2D", "MEAN"]
    assert [node.position for node in nodes] == [0, 1, 2]
    assert [node.shape for node in nodes] == [(1, 8, 8, 2), (1, 8, 8, 3), (1, 3)]
    assert nodes[0].tensor in nodes[1].reads


def test_all_operators_of_a_float_model_are_in_float_and_none_of_an_int8_one() -> None:
    assert read_placement(FLOAT).in_float == {"CONV_2D": 2, "MEAN": 1}
    assert read_placement(INT8).in_float == {}
    assert read_placement(INT8).operators == 3


def test_the_sizes_are_those_of_the_file_and_of_its_gzip() -> None:
    found = read_placement(INT8)
    assert found.model_bytes == INT8.stat().st_size
    assert 0 < found.gzip_bytes < found.model_bytes
    assert found == read_placement(INT8)


def test_the_delegate_takes_all_nodes_of_a_convolutional_network_unless_it_is_left_out() -> None:
    with_delegate, without = load_graph(FLOAT), load_graph(FLOAT, delegate=False)
    assert (has_delegate(with_delegate), has_delegate(without)) == (True, False)
    assert undelegated_nodes(with_delegate) == ()
    assert undelegated_nodes(without) == read_nodes(without)


def test_a_file_that_is_no_model_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"model\.tflite: not a TFLite model that this runtime can load"):
        read_placement(tmp_path / "model.tflite")


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A float model with a cumulative sum between convolutions, which XNNPACK knows nothing of."""
    tensorflow, keras = load_tensorflow()
    image = keras.Input(batch_shape=(1, 16, 16, 3))
    first = keras.layers.Conv2D(4, 3, activation="relu")(image)
    summed: Any = keras.layers.Lambda(lambda values: tensorflow.cumsum(values, axis=1))(first)
    last = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Conv2D(4, 3, activation="relu")(summed))
    path = tmp_path_factory.mktemp("interrupted") / "model.tflite"
    path.write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(keras.Model(image, last)).convert())
    return path


@pytest.mark.tf
def test_what_the_delegate_does_not_take_is_named(interrupted: Path) -> None:
    assert read_placement(interrupted).undelegated == {"CUMSUM": 1}
    assert read_placement(interrupted).operators == 4


@pytest.mark.tf
def test_without_the_delegate_every_tensor_can_be_read(interrupted: Path) -> None:
    interpreter = load_graph(interrupted, keep_tensors=True)
    interpreter.invoke()
    assert [interpreter.get_tensor(node.tensor).shape for node in read_nodes(interpreter)] == [
        (1, 14, 14, 4),
        (1, 14, 14, 4),
        (1, 12, 12, 4),
        (1, 10, 10, 4),
    ]
