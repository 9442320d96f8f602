"""Find images that look alike by their perceptual hashes, without comparing all with all."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osteo_edge.train.fingerprint import HASH_BYTES

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Candidates = Iterator[tuple[Indices, Indices]]

BITS = 8 * HASH_BYTES
NEAR_DISTANCE = 20
"""Of 256 bits. On the shared knees no two different films come nearer than 44, or 54 mirrored or turned, while a
64-bit hash at distance 6 takes dozens of different patients for copies (data README)."""
BANDS = NEAR_DISTANCE + 1
"""Twenty differing bits cannot touch all of 21 bands, so two near hashes are equal in at least one of them."""
KEYS = 1 << -(-BITS // BANDS)
"""A band has 13 bits at most."""
MOST_PAIRS = 16
"""Of an image with more near copies than this, only the pairs that join images not joined yet are told besides."""
CROWDED = 0.25
"""Where the bands leave more than this share of all pairs, comparing all with all by matrix products is quicker."""
HEAD_BYTES = 8
"""Compared first: of hashes that are not near, hardly any differ in 20 of their first 64 bits or less."""
CHUNK = 1 << 16
"""Pairs compared at once: 2 MB of hashes."""
TILE = 1024
"""Side of the squares in which all are compared with all: 4 MB of products."""
SET_BITS = np.array([value.bit_count() for value in range(256)], np.uint8)


class Near(NamedTuple):
    """Two hashes (first < second) at `distance` bits; `variant` is how one has to be turned to meet the other."""

    first: int
    second: int
    distance: int
    variant: int


def find_near(hashes: Sequence[bytes]) -> list[Near]:
    """The pairs of images within `NEAR_DISTANCE`, in any variant of either, sorted; each pair once.

    `hashes` holds the variants of each image in turn, the image as it is first, as `perceptual_hashes` makes them. Of
    several variants the nearest counts, and of equally near ones the first. Every pair is found, and is told unless its
    images are joined through others already and one of them has `MOST_PAIRS`: so memory grows with the images only,
    even if all of them look alike. Time grows with the images plus the pairs that share a band (one in about 200 of
    all pairs where hashes are random, one in 70 of knees), and never much over that of all pairs by matrix products.
    """
    if len(hashes) < 2:
        return []
    codes = np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1, HASH_BYTES)
    heads = codes[..., :HEAD_BYTES].copy()
    found = _Found(len(codes))
    for variant in range(codes.shape[1]):
        for first, second in _candidates(codes[:, 0], codes[:, variant]):
            other = first < second if variant == 0 else first != second
            first, second = first[other], second[other]
            hopeful = hamming(heads[first, 0], heads[second, variant]) <= NEAR_DISTANCE
            first, second = first[hopeful], second[hopeful]
            distances = hamming(codes[first, 0], codes[second, variant])
            near = distances <= NEAR_DISTANCE
            found.add(first[near], second[near], distances[near], variant)
    return sorted(found.pairs.values())


def hamming(first: Bytes, second: Bytes) -> Indices:
    """How many bits differ, over the last axis of packed hashes."""
    distances: Indices = SET_BITS[first ^ second].sum(axis=-1, dtype=np.int64)
    return distances


class _Found:
    """The pairs to tell, by their images; knows which images are joined already, and how many pairs each has."""

    def __init__(self, images: int) -> None:
        self.pairs: dict[tuple[int, int], Near] = {}
        self._group = np.arange(images)
        self._told = np.zeros(images, np.int64)

    def add(self, first: Indices, second: Indices, distances: Indices, variant: int) -> None:
        """Take near pairs in; a pair may come more than once, in either order."""
        for start in range(0, first.size, TILE):
            part = slice(start, start + TILE)
            worth = part.start + np.flatnonzero(self._worth_telling(first[part], second[part]))
            for a, b, distance in zip(first[worth], second[worth], distances[worth], strict=True):
                self._put(Near(int(min(a, b)), int(max(a, b)), int(distance), variant))

    def _worth_telling(self, first: Indices | int, second: Indices | int) -> Any:
        apart = self._group[first] != self._group[second]
        return apart | ((self._told[first] < MOST_PAIRS) & (self._told[second] < MOST_PAIRS))

    def _put(self, near: Near) -> None:
        best = self.pairs.get(near[:2])
        if best is None and self._worth_telling(near.first, near.second):
            self._told[[near.first, near.second]] += 1
            self._group[self._group == self._group[near.second]] = self._group[near.first]
        elif best is None or best.distance <= near.distance:
            return
        self.pairs[near[:2]] = near


def _candidates(stored: Bytes, asked: Bytes) -> Candidates:
    """The numbers of (stored, asked) that may be near, all near ones among them; a pair may come more than once."""
    stored_keys, asked_keys = _band_keys(stored), _band_keys(asked)
    shared = sum(int(_matches(*keys)[1].sum()) for keys in zip(stored_keys, asked_keys, strict=True))
    if shared > CROWDED * len(stored) * len(asked):
        return _near_in_tiles(stored, asked)
    return (pair for keys in zip(stored_keys, asked_keys, strict=True) for pair in _same_key(*keys))


def _band_keys(codes: Bytes) -> list[npt.NDArray[np.int16]]:
    """One integer a hash for each band; bits 0, 21, 42, ... make the first band, so that bands are alike in content."""
    bits = np.unpackbits(codes, axis=1)
    return [
        (own @ (1 << np.arange(own.shape[1], dtype=np.int16))).astype(np.int16)
        for own in (bits[:, band::BANDS].astype(np.int16) for band in range(BANDS))
    ]


def _matches(stored: npt.NDArray[np.int16], asked: npt.NDArray[np.int16]) -> tuple[Indices, Indices]:
    """For each asked key where its equals start among the sorted stored ones, and how many there are."""
    counts = np.bincount(stored, minlength=KEYS)
    return (np.cumsum(counts) - counts)[asked], counts[asked]


def _same_key(stored: npt.NDArray[np.int16], asked: npt.NDArray[np.int16]) -> Candidates:
    """The numbers of all (stored, asked) with equal keys, in chunks of about `CHUNK` pairs."""
    order = np.argsort(stored, kind="stable")
    start, counts = _matches(stored, asked)
    ends = np.cumsum(counts)
    total = int(ends[-1])
    for low in range(0, total, CHUNK):
        number = np.arange(low, min(low + CHUNK, total))
        second = np.searchsorted(ends, number, "right")
        yield order[start[second] + number - (ends[second] - counts[second])], second


def _near_in_tiles(stored: Bytes, asked: Bytes) -> Candidates:
    """The numbers of (stored, asked) within `NEAR_DISTANCE`, all compared with all, square by square."""
    for row in range(0, len(stored), TILE):
        signs = _signs(stored[row : row + TILE])
        for column in range(0, len(asked), TILE):
            agreeing = signs @ _signs(asked[column : column + TILE]).T
            first, second = np.nonzero(agreeing >= BITS - 2 * NEAR_DISTANCE)
            yield first + row, second + column


def _signs(codes: Bytes) -> Floats:
    """Bits as -1 and 1: the product of two hashes is the bits that agree less those that differ."""
    return np.unpackbits(codes, axis=1).astype(np.float32) * 2 - 1
