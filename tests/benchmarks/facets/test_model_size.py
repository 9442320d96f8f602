import gzip

from osteo_edge.benchmarks.facets.graph_work import GraphWork
from osteo_edge.benchmarks.facets.model_size import measure_size
from osteo_edge.benchmarks.measuring.results import Size
from osteo_edge.bundle import Bundle


def test_the_size_is_that_of_the_file_and_of_its_graph(bundle: Bundle) -> None:
    data = bundle.model_path.read_bytes()
    packed = len(gzip.compress(data, compresslevel=9))
    assert measure_size(bundle) == Size(len(data), packed, parameters=107, zero_parameters=6, macs=6528)


def test_work_that_is_known_is_not_counted_again(bundle: Bundle) -> None:
    assert measure_size(bundle, GraphWork({1: 5, 2: 6}, parameters=4, zero_parameters=3)).macs == 11
