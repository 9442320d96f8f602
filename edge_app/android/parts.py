"""How large the APK will be, predicted from its parts: nothing here is the size of an APK that was built.

Of what others build, the same library was taken from wheels and from Debian 12 for x86-64, in November 2026: native
code was stripped, Python compiled without docstrings, and every file compressed by deflate at level 6, as it is in an
APK. Python for another processor, and of another version, differs by some per cent. Python's own files are in an APK
once for each processor.
"""

import io
import marshal
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from osteo_edge.edge_app.android.spec import Project

LEVEL: Final = 6


@dataclass(frozen=True)
class Part:
    """A part of the APK, compressed, for one processor; `source` says what was measured, or that it is a guess."""

    name: str
    megabytes: float
    source: str


PER_ARCH: Final = (
    Part("Python: interpreter", 2.60, "libpython3.11"),
    Part("Python: native modules", 2.03, "lib-dynload of Python 3.11"),
    Part("Python: standard library", 4.06, "Python 3.11 without tests, Tk and pip"),
    Part("OpenSSL", 2.17, "libcrypto and libssl 3, Debian 12"),
    Part("SQLite and libffi", 0.74, "Debian 12"),
    Part("C++ library", 0.75, "libstdc++ 6 in place of libc++_shared"),
    Part("SDL2 with image, mixer and text", 2.71, "wheel of Kivy 2.3.1"),
    Part("Kivy", 5.32, "wheel of 2.3.1"),
    Part("NumPy", 6.18, "wheel of 2.4 without BLAS, which is not built in, and without tests"),
    Part("Pillow with JPEG, PNG, FreeType and HarfBuzz", 2.47, "wheel of 13.0"),
    Part("pydicom", 2.97, "wheel of 3.0.2"),
    Part("fontTools", 2.13, "pure-Python wheel of 4.68"),
    Part("fpdf2, defusedxml and filetype", 0.63, "wheels"),
    Part("LiteRT", 3.18, "libLiteRt of the wheel 2.3.0, which has more in it"),
)
GPU: Final = Part("LiteRT's GPU delegate", 2.0, "a guess: no library to measure")
ONCE: Final = (Part("Java classes", 1.0, "a guess: SDL, python-for-android, LiteRT and androidx.core, compiled"),)


@dataclass(frozen=True)
class Prediction:
    """The predicted size of the APK in megabytes (10^6 bytes), and what it is put together from."""

    archs: int
    app_mb: float
    per_arch: tuple[Part, ...] = PER_ARCH

    @property
    def per_arch_mb(self) -> float:
        """What each processor adds."""
        return sum(part.megabytes for part in self.per_arch)

    @property
    def apk_mb(self) -> float:
        """The whole APK."""
        return self.archs * self.per_arch_mb + self.once_mb

    @property
    def download_mb(self) -> float:
        """What a phone gets from a store, which takes its own processor's part out of an AAB."""
        return self.per_arch_mb + self.once_mb

    @property
    def once_mb(self) -> float:
        """What is there once, for all processors."""
        return self.app_mb + sum(part.megabytes for part in ONCE)


def predict(staged: Path, project: Project) -> Prediction:
    """Predict the APK of a staged project: its own files are compiled and compressed as a build does it."""
    pictures = _files(staged / "res", staged / "icons")
    rest = sum(len(zlib.compress(path.read_bytes(), LEVEL)) for path in pictures)
    parts = (*PER_ARCH, GPU) if project.with_gpu else PER_ARCH
    return Prediction(len(project.archs), (compressed_bytes(staged / "app") + rest) / 1e6, parts)


def compressed_bytes(app: Path) -> int:
    """The size of a folder's files in one compressed archive, its modules compiled without docstrings."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=LEVEL, format=tarfile.USTAR_FORMAT) as packed:
        for path in _files(app):
            data = _compiled(path) if path.suffix == ".py" else path.read_bytes()
            member = tarfile.TarInfo(path.relative_to(app).as_posix())
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return len(archive.getvalue())


def _compiled(path: Path) -> bytes:
    code = compile(path.read_text("utf-8"), path.name, "exec", dont_inherit=True, optimize=2)
    return marshal.dumps(code)


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())
