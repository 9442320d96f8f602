import numpy as np
import pytest

from osteo_edge.train.near_duplicates import NEAR_DISTANCE, Near, find_near, hamming

Hashes = list[tuple[bytes, ...]]


def _random_hashes(rng: np.random.Generator, images: int, variants: int) -> Hashes:
    codes = rng.integers(0, 256, (images, variants, 32), dtype=np.uint8)
    return [tuple(code.tobytes() for code in image) for image in codes]


def _flipped(code: bytes, flips: int, rng: np.random.Generator) -> bytes:
    bits = np.unpackbits(np.frombuffer(code, np.uint8))
    bits[rng.choice(256, flips, replace=False)] ^= 1
    return np.packbits(bits).tobytes()


def _brute_force(hashes: Hashes) -> list[Near]:
    """Every image with every other in every variant of either: what `find_near` must find without doing so."""
    codes = np.array([[list(code) for code in image] for image in hashes], np.uint8)
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
        copy = list(_random_hashes(rng, 1, 3)[0])
        copy[own] = _flipped(hashes[original][other], flips, rng)
        hashes.append(tuple(copy))
    found = find_near(hashes)
    assert found == _brute_force(hashes)
    assert len(found) > NEAR_DISTANCE


def test_twenty_bits_spread_as_unluckily_as_can_be_are_still_found() -> None:
    rng = np.random.default_rng(0)
    (original,) = _random_hashes(rng, 1, 1)
    bits = np.unpackbits(np.frombuffer(original[0], np.uint8))
    for spared in range(NEAR_DISTANCE + 1):
        changed = bits.copy()
        changed[[band for band in range(NEAR_DISTANCE + 1) if band != spared]] ^= 1
        assert find_near([original, (np.packbits(changed).tobytes(),)]) == [Near(0, 1, 20, 0)]


def test_twenty_one_bits_are_too_many() -> None:
    rng = np.random.default_rng(0)
    (original,) = _random_hashes(rng, 1, 1)
    assert find_near([original, (_flipped(original[0], NEAR_DISTANCE + 1, rng),)]) == []


def test_an_image_that_is_its_own_mirror_image_is_no_pair() -> None:
    (hashes,) = _random_hashes(np.random.default_rng(0), 1, 1)
    assert find_near([hashes * 2]) == []


def test_many_copies_of_one_image_are_all_found() -> None:
    (hashes,) = _random_hashes(np.random.default_rng(0), 1, 2)
    assert len(find_near([hashes] * 30)) == 30 * 29 / 2


@pytest.mark.parametrize("images", [0, 1])
def test_no_two_images_are_no_pair(images: int) -> None:
    assert find_near(_random_hashes(np.random.default_rng(0), images, 2)) == []


def test_of_three_thousand_random_images_none_look_alike() -> None:
    assert find_near(_random_hashes(np.random.default_rng(0), 3000, 8)) == []
