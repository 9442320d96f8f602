"""A model that comes as a ZIP file, as a phone's file chooser hands it over."""

import io
import zipfile
from collections.abc import Iterator

from osteo_edge.edge_app.models.store import Installed, ModelStore
from osteo_edge.edge_app.models.zipped import bring_zipped
from tests.fuzz.golden import golden_bundle
from tests.fuzz.scratch import empty_folder


def read(data: bytes) -> Installed:
    place = empty_folder("models")
    (place / "chosen.zip").write_bytes(data)
    try:
        return bring_zipped(ModelStore(place / "store"), place / "chosen.zip")
    finally:
        assert {path.name for path in place.iterdir()} <= {"store"}, "something was left beside"


def seeds() -> Iterator[bytes]:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", compression) as archive:
            for path in sorted(golden_bundle().path.iterdir()):
                archive.writestr(zipfile.ZipInfo(f"knee/{path.name}"), path.read_bytes(), compression)
        yield file.getvalue()
