"""Find images that look alike by their perceptual hashes, without comparing all with all."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]

BITS = 256
NEAR_DISTANCE = 20
"""Of 256 bits. On the shared knees no two different films come nearer than 44, or 54 mirrored or turned, while a
64-bit hash at distance 6 takes dozens of different patients for copies (data README)."""
BANDS = NEAR_DISTANCE + 1
"""Twenty differing bits cannot touch all of 21 bands, so two near hashes are equal in at least one of them."""
CHUNK = 1 << 18
"""Pairs compared at once: 8 MB of hashes."""
SET_BITS = np.array([value.bit_count() for value in range(256)], np.uint8)


class Near(NamedTuple):
    """Two hashes (first < second) at `distance` bits; `variant` is how one has to be turned to meet the other."""

    first: int
    second: int
    distance: int
    variant: int


def find_near(hashes: Sequence[tuple[bytes, ...]]) -> list[Near]:
    """Every pair of images within `NEAR_DISTANCE`, in any variant of either, sorted; each pair once.

    `hashes` holds the variants of each image, the image as it is first, as `perceptual_hashes` makes them. Of
    several variants the nearest counts, and of equally near ones the first. Time grows with the number of images
    plus the pairs that share a band (one in about 200 of all pairs where hashes are random), not with all pairs.
    """
    if len(hashes) < 2:
        return []
    codes = np.array([[list(code) for code in variants] for variants in hashes], np.uint8)
    found: dict[tuple[int, int], Near] = {}
    for variant in range(codes.shape[1]):
        for near in _pairs(codes[:, 0], codes[:, variant], variant):
            best = found.get(near[:2])
            if best is None or near.distance < best.distance:
                found[near[:2]] = near
    return sorted(found.values())


def hamming(first: Bytes, second: Bytes) -> Indices:
    """How many bits differ, over the last axis of packed hashes."""
    distances: Indices = SET_BITS[first ^ second].sum(axis=-1, dtype=np.int64)
    return distances


def _pairs(stored: Bytes, asked: Bytes, variant: int) -> Iterator[Near]:
    """Near pairs of a stored hash and an asked one of another image; a pair may come more than once."""
    for stored_keys, asked_keys in zip(_band_keys(stored), _band_keys(asked), strict=True):
        for first, second in _same_key(stored_keys, asked_keys):
            other = first < second if variant == 0 else first != second
            first, second = first[other], second[other]
            distances = hamming(stored[first], asked[second])
            for hit in np.flatnonzero(distances <= NEAR_DISTANCE):
                low, high = sorted((int(first[hit]), int(second[hit])))
                yield Near(low, high, int(distances[hit]), variant)


def _band_keys(codes: Bytes) -> Iterator[Indices]:
    """One integer a hash for each band; bits 0, 21, 42, ... make the first band, so that bands are alike in content."""
    bits = np.unpackbits(codes, axis=1)
    for band in range(BANDS):
        own = bits[:, band::BANDS].astype(np.int64)
        yield own @ (1 << np.arange(own.shape[1], dtype=np.int64))


def _same_key(stored: Indices, asked: Indices) -> Iterator[tuple[Indices, Indices]]:
    """The numbers of all (stored, asked) with equal keys, in chunks of about `CHUNK` pairs."""
    order = np.argsort(stored, kind="stable")
    start = np.searchsorted(stored[order], asked, "left")
    counts = np.searchsorted(stored[order], asked, "right") - start
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    for low in range(0, total, CHUNK):
        number = np.arange(low, min(low + CHUNK, total))
        second = np.searchsorted(ends, number, "right")
        yield order[start[second] + number - (ends[second] - counts[second])], second
