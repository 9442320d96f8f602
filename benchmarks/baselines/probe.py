"""What a framework would compute on, asked in a process of its own.

python -m osteo_edge.benchmarks.baselines.probe < job.json
"""

from typing import Any

from osteo_edge import strict
from osteo_edge.benchmarks.baselines.frameworks import open_framework
from osteo_edge.benchmarks.measuring.isolated import serve


def probe(job: dict[str, Any]) -> Any:
    """The `Device` of `job["framework"]`, as JSON values."""
    return strict.to_dict(open_framework(job["framework"]).device())


if __name__ == "__main__":
    serve(probe)
