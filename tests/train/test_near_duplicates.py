import numpy as np
import numpy.typing as npt
import pytest

from osteo_edge.train import near_duplicates
from osteo_edge.train.audit import components
from osteo_edge.train.fingerprint import HASH_BYTES
from osteo_edge.train.near_duplicates import MOST_PAIRS, NEAR_DISTANCE, Near, find_near, hamming

Hashes = list[bytes]


def _random_hashes(rng: np.random.Generator, images: int, variants: int) -> Hashes:
    codes = rng.integers(0, 256, (images, variants, 32), dtype=np.uint8)
    return [image.tobytes() for image in codes]


def _flipped(code: bytes, flips: int, rng: np.random.Generator) -> bytes:
    bits = np.unpackbits(np.frombuffer(code, np.uint8))
    bits[rng.choice(256, flips, replace=False)] ^= 1
    return np.packbits(bits).tobytes()


def _copies(number: int, rng: np.random.Generator) -> Hashes:
    """Hashes that are all within `NEAR_DISTANCE` of each other."""
    (original,) = _random_hashes(rng, 1, 1)
    return [_flipped(original, NEAR_DISTANCE // 2, rng) for _ in range(number)]


def _codes(hashes: Hashes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1, HASH_BYTES)


def _brute_force(hashes: Hashes) -> list[Near]:
    """Every image with every other in every variant of either: what `find_near` must find without doing so."""
    codes = _codes(hashes)
    found = []
    for first in range(len(codes)):
        for second in range(first + 1, len(codes)):
            ways = [
                (min(hamming(codes[first, 0], codes[second, way]), hamming(codes[second, 0], codes[first, way])), way)
                for way in range(codes.shape[1])
            ]
            distance, variant = min(ways)
            if distance <= NEAR_DISTANCE:
                found.append(Near(first, second, int(distance), variant))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_bands_find_every_pair_that_comparing_all_with_all_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hashes = _random_hashes(rng, 40, 3)
    for flips in range(45):
        original, way = int(rng.integers(40)), int(rng.integers(3))
        own, other = (way, 0) if rng.random() < 0.5 else (0, way)
        copy = _codes(_random_hashes(rng, 1, 3))[0].copy()
        turned = _codes(hashes)[original, other].tobytes()
        copy[own] = np.frombuffer(_flipped(turned, flips, rng), np.uint8)
        hashes.append(copy.tobytes())
    found = find_near(hashes)
    assert found == _brute_force(hashes)
    assert len(found) > NEAR_DISTANCE


def test_twenty_bits_spread_as_unluckily_as_can_be_are_still_found() -> None:
    rng = np.random.default_rng(0)
    (original,) = _random_hashes(rng, 1, 1)
    bits = np.unpackbits(np.frombuffer(original, np.uint8))
    for spared in range(NEAR_DISTANCE + 1):
        changed = bits.copy()
        changed[[band for band in range(NEAR_DISTANCE + 1) if band != spared]] ^= 1
        assert find_near([original, np.packbits(changed).tobytes()]) == [Near(0, 1, 20, 0)]


def test_twenty_one_bits_are_too_many() -> None:
    rng = np.random.default_rng(0)
    (original,) = _random_hashes(rng, 1, 1)
    assert find_near([original, _flipped(original, NEAR_DISTANCE + 1, rng)]) == []


def test_an_image_that_is_its_own_mirror_image_is_no_pair() -> None:
    (hashes,) = _random_hashes(np.random.default_rng(0), 1, 1)
    assert find_near([hashes * 2]) == []


def test_all_pairs_of_a_few_copies_are_told() -> None:
    (hashes,) = _random_hashes(np.random.default_rng(0), 1, 2)
    assert len(find_near([hashes] * MOST_PAIRS)) == MOST_PAIRS * (MOST_PAIRS - 1) / 2


def test_all_copies_in_a_crowd_are_joined_by_no_more_pairs_than_grow_with_it() -> None:
    rng = np.random.default_rng(0)
    hashes = _copies(300, rng) + _random_hashes(rng, 700, 1)
    found = find_near(hashes)
    roots = components(map(str, range(1000)), [(str(near.first), str(near.second)) for near in found])
    assert len(set(list(roots.values())[:300])) == 1
    assert len(set(roots.values())) == 701
    assert len(found) <= 300 * (1 + MOST_PAIRS / 2)


@pytest.mark.parametrize("crowded", [0.0, 1e9], ids=["by matrix products", "by bands"])
def test_both_ways_of_comparing_find_the_same_pairs(crowded: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    hashes = [*_random_hashes(rng, 40, 1), *_copies(10, rng), *_copies(10, rng)]
    monkeypatch.setattr(near_duplicates, "CROWDED", crowded)
    monkeypatch.setattr(near_duplicates, "TILE", 16)
    assert find_near(hashes) == _brute_force(hashes)
    assert len(find_near(hashes)) == 2 * 10 * 9 / 2


def test_where_all_look_alike_no_pair_is_looked_at_once_for_each_band(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counting(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        nonlocal compared
        compared += len(first) if first.shape[-1] == HASH_BYTES else 0
        return hamming(first, second)

    monkeypatch.setattr(near_duplicates, "hamming", counting)
    find_near(_copies(200, np.random.default_rng(0)))
    assert compared == 200 * 199 / 2


@pytest.mark.parametrize("images", [0, 1])
def test_no_two_images_are_no_pair(images: int) -> None:
    assert find_near(_random_hashes(np.random.default_rng(0), images, 2)) == []


def test_of_three_thousand_random_images_none_look_alike() -> None:
    assert find_near(_random_hashes(np.random.default_rng(0), 3000, 8)) == []


def test_of_several_variants_the_nearest_counts_and_of_equals_the_first() -> None:
    rng = np.random.default_rng(0)
    (original, *others) = _random_hashes(rng, 3, 1)
    first = original + others[0] + others[1]
    nearer_mirrored = _flipped(original, 15, rng) + _flipped(original, 3, rng) + _flipped(original, 3, rng)
    assert find_near([first, nearer_mirrored]) == [Near(0, 1, 3, 1)]
