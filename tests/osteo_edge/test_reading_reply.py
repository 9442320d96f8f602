"""Answers about a file, and what is no answer."""

import json
import mmap
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if sys.platform != "linux":
    pytest.skip("memory is shared so on Linux alone", allow_module_level=True)

from osteo_edge.errors import MissingExtraError, RadiographError
from osteo_edge.radiograph import Radiograph, Source
from osteo_edge.reading_reply import LENGTH, PIXELS_AT, BadReplyError, memory_for_reply, read_reply, write_reply

PATH = Path("knee.png")
PIXELS = np.random.default_rng(0).random((40, 50), np.float32)
SOURCE = Source(PATH, "dicom", 40, 50, 12, 0.25, "DX", "KNEE", "AP")
ABOUT = {name: value for name, value in vars(SOURCE).items() if name != "path"}


@pytest.fixture
def memory() -> Iterator[int]:
    descriptor = memory_for_reply()
    yield descriptor
    os.close(descriptor)


def raising(error: Exception) -> Any:
    def decode() -> Radiograph:
        raise error

    return decode


def put(memory: int, document: bytes, length: int | None = None, pixels: bytes = b"") -> None:
    with mmap.mmap(memory, PIXELS_AT + len(pixels)) as answer:
        whole = LENGTH.pack(len(document) if length is None else length) + document
        answer[: len(whole)] = whole
        answer[PIXELS_AT:] = pixels


def test_a_radiograph_comes_as_it_was(memory: int) -> None:
    write_reply(lambda: Radiograph(PIXELS, "there", SOURCE), memory)
    found = read_reply(memory, PATH, "here")
    assert (found.source, found.sha256) == (SOURCE, "here")
    np.testing.assert_array_equal(found.pixels, PIXELS)


@pytest.mark.parametrize("kind", ["all 256", "turned", "one off by a bit", "minus zero", "no number"])
def test_pixels_that_are_bytes_take_a_quarter_of_the_memory_and_all_come_to_the_bit(kind: str, memory: int) -> None:
    pixels = np.divide(np.arange(600 * 500) % 256, np.float32(255), dtype=np.float32).reshape(600, 500)
    if kind == "turned":
        pixels = pixels.T
    elif kind != "all 256":
        less = np.nextafter(pixels[-1, -1], np.float32(0))
        pixels[-1, -1] = {"one off by a bit": less, "minus zero": -0.0, "no number": np.nan}[kind]
    source = replace(SOURCE, height=pixels.shape[0], width=pixels.shape[1])
    write_reply(lambda: Radiograph(pixels, "", source), memory)
    taken = 512 * os.fstat(memory).st_blocks - PIXELS_AT
    assert (taken < pixels.nbytes / 2) == (kind in ("all 256", "turned"))
    if kind == "no number":
        with pytest.raises(BadReplyError):
            read_reply(memory, PATH, "")
    else:
        found = read_reply(memory, PATH, "")
        assert (found.source, found.pixels.tobytes()) == (source, pixels.tobytes())


@pytest.mark.parametrize("error", [RadiographError("knee.png: bad"), MissingExtraError("DICOM", "p", "dicom")])
def test_an_error_comes_with_its_kind_and_text(error: Exception, memory: int) -> None:
    write_reply(raising(error), memory)
    with pytest.raises(type(error)) as caught:
        read_reply(memory, PATH, "")
    assert str(caught.value) == str(error)


def test_too_little_memory_comes_as_that(memory: int) -> None:
    write_reply(raising(MemoryError()), memory)
    with pytest.raises(MemoryError):
        read_reply(memory, PATH, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "exe"},
        {"height": -40},
        {"height": 10**9},
        {"height": True},
        {"height": 40.0},
        {"width": None},
        {"bits": "12"},
        {"chroma": float("nan")},
        {"chroma": -0.5},
        {"modality": 3},
        {"in_bytes": 1},
        {"more": 1},
        {"format": ["png"]},
    ],
    ids=str,
)
def test_a_field_that_no_radiograph_has_is_no_answer(changes: dict[str, Any], memory: int) -> None:
    put(memory, json.dumps({"decoded": ABOUT | changes}).encode(), pixels=PIXELS.tobytes())
    with pytest.raises(BadReplyError):
        read_reply(memory, PATH, "")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5, -0.1])
def test_a_pixel_out_of_range_is_no_answer(value: float, memory: int) -> None:
    pixels = PIXELS.copy()
    pixels[20, 20] = value
    put(memory, json.dumps({"decoded": ABOUT}).encode(), pixels=pixels.tobytes())
    with pytest.raises(BadReplyError):
        read_reply(memory, PATH, "")


@pytest.mark.parametrize(
    ("document", "length"),
    [
        (b"", 0),
        (b"null", 4),
        (b"{}", 2),
        (b"[" * 60_000, 60_000),
        (b"\xff", 1),
        (b"{}", 2**32 - 1),
        (b'{"refused": {"problem": "file", "text": "other.png: bad"}}', None),
        (b'{"refused": {"problem": "virus", "text": "knee.png: bad"}}', None),
        (b'{"refused": {"problem": "file", "text": 3}}', None),
    ],
)
def test_what_is_no_document_is_no_answer(document: bytes, length: int | None, memory: int) -> None:
    put(memory, document, length)
    with pytest.raises(BadReplyError):
        read_reply(memory, PATH, "")


def test_nobody_can_resize_the_memory(memory: int) -> None:
    for size in (0, os.fstat(memory).st_size + 1):
        with pytest.raises(PermissionError):
            os.ftruncate(memory, size)
