"""What python-for-android has no option for, done to its Android project while it builds.

It calls the two functions in the folder of that project: before it writes the manifest, and before Gradle starts. A
text that is not where it was expected ends the build: better none than one that is open, or cannot take a photo.
"""

from pathlib import Path

MANIFEST = Path("src/main/AndroidManifest.xml")
ACTIVITY = Path("src/main/java/org/kivy/android/PythonActivity.java")

LAUNCH = 'getIntent().getAction().equals("org.kivy.LAUNCH")'
"""Any app may send this intent: the activity then runs Python from a folder that the sender names, with our data."""
CLOSED = "false /* org.kivy.LAUNCH: closed by osteo-edge */"

THEME = 'android:theme="@style/KivySupportCutout"'
OUR_THEME = 'android:theme="@style/OsteoEdge"'

END = "</application>"
ELEMENTS = Path(__file__).with_name("manifest") / "application.xml"
"""What goes into the application's element: the provider of files."""


def before_apk_build(toolchain: object) -> None:
    """Let no other app choose what this one runs."""
    _replace(ACTIVITY, LAUNCH, CLOSED)


def before_apk_assemble(toolchain: object) -> None:
    """Give the manifest the provider of files, and the theme that follows the system's."""
    _replace(MANIFEST, THEME, OUR_THEME)
    _replace(MANIFEST, END, ELEMENTS.read_text("utf-8") + END)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    if new in text:
        return
    if text.count(old) != 1:
        found = f"{path.absolute()} has {old!r} {text.count(old)} times, not once"
        raise SystemExit(f"osteo-edge: {found}; is this another python-for-android than the pinned one?")
    path.write_text(text.replace(old, new), "utf-8")
