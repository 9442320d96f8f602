"""Damage to files, the same in every run: what stands in for a fuzzer where none is installed."""

import random
from collections.abc import Iterator, Sequence

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Where sizes overflow."""
MAX_CHANGES = 4
MAX_PIECE_BYTES = 64


def mutations(corpus: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` damaged copies of the files in `corpus`, each with a few changes."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(corpus))
        for _ in range(chance.randint(1, MAX_CHANGES)):
            _change(data, corpus, chance)
        yield bytes(data)


def _change(data: bytearray, corpus: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    length = chance.randint(1, MAX_PIECE_BYTES)
    kind = chance.choice(("bit", "byte", "number", "number", "delete", "repeat", "foreign", "cut"))
    if kind == "bit" and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == "byte" and at < len(data):
        data[at] = chance.randrange(256)
    elif kind == "number":
        _put_number(data, at, chance)
    elif kind == "delete":
        del data[at : at + length]
    elif kind == "repeat":
        data[at:at] = data[at : at + length] * chance.choice((1, 1, 2, 50))
    elif kind == "foreign":
        other = chance.choice(corpus)
        start = chance.randrange(len(other) + 1)
        data[at : at + chance.choice((0, length))] = other[start : start + length]
    elif kind == "cut" and not chance.randrange(4):
        del data[at:]


def _put_number(data: bytearray, at: int, chance: random.Random) -> None:
    size = chance.choice((1, 2, 4))
    order = "little" if chance.random() < 0.5 else "big"
    number = (chance.choice(NUMBERS) + chance.choice((-1, 0, 1))) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, order)  # type: ignore[arg-type]
