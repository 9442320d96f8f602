"""How large a bundle's model is: its file, packed and not, and what its graph holds and computes."""

import gzip

from osteo_edge.benchmarks.facets.graph_work import GraphWork, count_work
from osteo_edge.benchmarks.measuring.results import Size
from osteo_edge.bundle import Bundle


def measure_size(bundle: Bundle, work: GraphWork | None = None) -> Size:
    """Measure the model of a TFLite bundle; `work` is `count_work` of it, where that is known already.

    `gzip_bytes` is of the model file alone at level 9, as a download would be. `BundleError` if the model cannot be
    loaded.
    """
    work = work or count_work(bundle.model_path)
    data = bundle.model_path.read_bytes()
    return Size(
        model_bytes=len(data),
        gzip_bytes=len(gzip.compress(data, compresslevel=9)),
        parameters=work.parameters,
        zero_parameters=work.zero_parameters,
        macs=work.total_macs,
    )
