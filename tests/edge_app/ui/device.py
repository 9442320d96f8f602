"""A phone that does what a test tells it, and remembers what the app asked of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from osteo_edge.edge_app.device_services import Insets, OnError, OnFile


class RecordedDevice:
    """`chosen` is what the user picks next, None for nothing; `folder` is where the system lays its copies down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.chosen: Path | None = None
        self.problem: str | None = None
        self.asked: list[str] = []
        self.sent: list[tuple[str, bytes]] = []
        self.is_secret: bool | None = None
        self.said: list[str] = []
        self.covered, self.dark = Insets(), False
        self._changed: list[Callable[[], None]] = []
        self._shared: OnFile = lambda path: None
        self.waiting: list[Path] = []
        self.taken: Path | None = None
        """A photo that the user took while the app was ended."""
        self.late: list[Callable[[], None]] | None = None
        """Not None where what is chosen takes long to come: each is then called when it does."""

    def choose_picture(self, on_file: OnFile, on_error: OnError) -> None:
        self._choose("picture", on_file, on_error)

    def choose_document(self, on_file: OnFile, on_error: OnError, *, most_bytes: int | None = None) -> None:
        self._choose("document" if most_bytes is None else f"document of {most_bytes} bytes", on_file, on_error)

    def take_photo(self, on_file: OnFile, on_error: OnError) -> None:
        self._choose("photo", on_file, on_error)

    def send(self, path: Path, on_error: OnError) -> None:
        self.sent.append((path.name, path.read_bytes()))
        if self.problem is not None:
            on_error(self.problem)

    def on_shared(self, on_file: OnFile, on_error: OnError, on_photo: OnFile) -> None:
        self._shared = on_file
        if self.taken is not None:
            on_photo(self.copy(self.taken))
        for path in self.waiting:
            on_file(self.copy(path))

    def keep_secret(self, secret: bool) -> None:
        self.is_secret = secret

    def announce(self, text: str) -> None:
        assert text
        self.said.append(text)

    def insets(self) -> Insets:
        return self.covered

    def is_dark(self) -> bool:
        return self.dark

    def on_change(self, changed: Callable[[], None]) -> None:
        self._changed.append(changed)

    # What the world does to it

    def share(self, path: Path) -> None:
        """Another app shares a file."""
        self._shared(self.copy(path))

    def change(self, covered: Insets | None = None, *, dark: bool | None = None) -> None:
        """The device is turned, a keyboard comes, or the user wants other colours."""
        self.covered = self.covered if covered is None else covered
        self.dark = self.dark if dark is None else dark
        for changed in self._changed:
            changed()

    def copy(self, path: Path) -> Path:
        """The copy that the system makes for the app."""
        return Path(shutil.copyfile(path, self.folder / path.name))

    def _choose(self, what: str, on_file: OnFile, on_error: OnError) -> None:
        self.asked.append(what)
        if self.problem is not None:
            on_error(self.problem)
            return
        copy = None if self.chosen is None else self.copy(self.chosen)
        if self.late is None:
            on_file(copy)
        else:
            self.late.append(lambda: on_file(copy))
