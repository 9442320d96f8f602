"""A bundle's folder whose manifest is the fuzzer's; its model and its card are sound."""

from collections.abc import Iterator

from osteo_edge.bundle import Bundle, read_bundle, read_model
from osteo_edge.manifest import FILE_NAME
from tests.fuzz.golden import golden_bundle
from tests.fuzz.targets import manifest


def read(data: bytes) -> Bundle:
    folder = golden_bundle("with-another-manifest").path
    (folder / FILE_NAME).write_bytes(data)
    bundle = read_bundle(folder)
    read_model(bundle)
    return bundle


def seeds() -> Iterator[bytes]:
    yield (golden_bundle("with-another-manifest").path / FILE_NAME).read_bytes()
    yield from manifest.seeds()
