"""Large pictures are worked on a few rows at a time, so that a phone never holds a second copy of a film."""

from collections.abc import Iterator

SAMPLES = 2**18
"""Of one band; its intermediate results stay in a processor's cache."""


def bands(height: int, samples_per_row: int) -> Iterator[slice]:
    """Slices of rows, from the top down, that are the whole together.

    >>> list(bands(5, SAMPLES // 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    rows = max(1, SAMPLES // max(1, samples_per_row))
    yield from (slice(top, min(top + rows, height)) for top in range(0, height, rows))
