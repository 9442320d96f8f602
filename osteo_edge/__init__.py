"""Bone-screening models on small devices: the core that training, conversion, benchmarks and the app share."""

from osteo_edge.version import VERSION

__version__ = VERSION
__all__ = ["__version__"]
