"""Everything that a build for Android is pinned to, in one place; the sets that go together were looked up once.

buildozer and python-for-android are what a developer installs (setup.cfg names them too); the rest is what they fetch.
"""

from typing import Final

BUILDOZER: Final = "1.6.0"
PYTHON_FOR_ANDROID: Final = "2026.5.9"
P4A_COMMIT: Final = "v2026.05.09"
"""The tag of that release in its repository: what buildozer checks out."""

PYTHON: Final = "3.14.2"
KIVY: Final = "2.3.1"
NUMPY: Final = "2.3.0"
PILLOW: Final = "11.3.0"
"""Those four come from python-for-android's own recipes, of that release."""

PYDICOM: Final = "3.0.2"
FPDF2: Final = "2.8.9"
FONTTOOLS: Final = "4.68.0"
DEFUSEDXML: Final = "0.7.1"
FILETYPE: Final = "1.2.0"
SIX: Final = "1.17.0"
"""Those six are pure Python, from the package index. Each must be named: where one of them cannot be resolved,
python-for-android installs only what is named, and goes on. Kivy wants filetype, and pyjnius six."""

NDK: Final = "28c"
"""From r28 on, 64-bit libraries are aligned to pages of 16 KB by default."""
API: Final = 35
MIN_API: Final = 24
"""The oldest that numpy's recipe builds for: Android 7."""
JDK: Final = 17

LITERT: Final = "1.4.1"
"""Not newer: the class `org.tensorflow.lite.Interpreter` is missing from 2.0.3 (LiteRT#4775), and 2.1.0 wants Android
12. From 1.4.0 on its libraries are aligned to 16 KB."""
ANDROIDX_CORE: Final = "1.8.0"
"""For FileProvider; from 1.9.0 on it brings a permission of its own with it."""

PACKAGE_ID: Final = "org.osteoedge.app"
ARCHS: Final = ("arm64-v8a", "armeabi-v7a", "x86_64")
DEFAULT_ARCHS: Final = ("arm64-v8a", "armeabi-v7a")
"""What phones have; x86_64 is for emulators."""


def pins() -> dict[str, str]:
    """Every pin by its name, as text."""
    return {name: str(value) for name, value in globals().items() if name.isupper() and isinstance(value, str | int)}
