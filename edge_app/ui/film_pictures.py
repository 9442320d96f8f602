"""Pictures of the films in sight: made beside the window, dropped when they are out of sight before their turn came."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from kivy.graphics.texture import Texture

from osteo_edge.edge_app.ui.small_picture import texture_of

if TYPE_CHECKING:
    from osteo_edge.edge_app.browsing.thumbnails import Grey
    from osteo_edge.edge_app.clinic import Clinic
    from osteo_edge.edge_app.jobs import Jobs

KEPT: Final = 128


class FilmPictures:
    """Small pictures of films of the history, by hash. `on_ready` is called when one more is there."""

    def __init__(self, clinic: Clinic, jobs: Jobs, on_ready: Callable[[], None]) -> None:
        self._clinic, self._jobs, self._on_ready = clinic, jobs, on_ready
        self._pictures: OrderedDict[str, Texture | None] = OrderedDict()
        self._asked = set[str]()

    def picture(self, sha256: str) -> Texture | None:
        """The picture, if it has been made."""
        return self._pictures.get(sha256)

    def want(self, films: Collection[str]) -> None:
        """Make the pictures of these films, and no others that were asked for and not begun."""
        for sha256 in self._asked - set(films):
            self._jobs.cancel(_slot(sha256))
            self._asked.discard(sha256)
        for sha256 in films:
            if sha256 in self._pictures:
                self._pictures.move_to_end(sha256)
            elif sha256 not in self._asked:
                self._ask(sha256)

    def _ask(self, sha256: str) -> None:
        self._asked.add(sha256)
        self._jobs.start(
            _slot(sha256),
            lambda task: self._make(sha256),
            lambda picture: self._keep(sha256, picture),
            lambda line: self._keep(sha256, None),  # a film that is missing is told of where it is opened
            background=True,
        )

    def _make(self, sha256: str) -> Grey | None:
        """On a thread of its own, on which only one is made at a time."""
        film = self._clinic.history().image(sha256)
        return self._clinic.thumbnails.of_picture(sha256, film.data, film.suffix).picture

    def _keep(self, sha256: str, picture: Grey | None) -> None:
        self._asked.discard(sha256)
        self._pictures[sha256] = None if picture is None else texture_of(picture)
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)
        self._on_ready()


def _slot(sha256: str) -> str:
    return f"film {sha256}"
