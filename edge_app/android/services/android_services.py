"""`DeviceServices` on Android: what the app asks of the system goes out, and what the system tells is brought home.

A thread of its own waits for what the system tells and posts it to the window's thread, where all of this object's
state lives; contents are copied on threads of their own, for another app, or its cloud, may take long.
"""

import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Final

from osteo_edge.edge_app.android.services.copying import UNFINISHED, copy
from osteo_edge.edge_app.android.services.errors import (
    FIRST_OF_SEVERAL,
    NO_CAMERA,
    NO_CHOOSER,
    NO_FILE,
    NO_PHOTO,
    NO_TAKER,
    DeviceError,
)
from osteo_edge.edge_app.android.services.java_side import JavaSide, Told, leave_thread
from osteo_edge.edge_app.android.services.photos import Photos
from osteo_edge.edge_app.android.services.sending import lay_out, media_type
from osteo_edge.edge_app.device_services import Insets, OnError, OnFile
from osteo_edge.edge_app.folders import remove_old
from osteo_edge.edge_app.jobs import UNEXPECTED, Call, Post
from osteo_edge.errors import OsteoEdgeError
from osteo_edge.radiograph import MAX_FILE_BYTES

PICTURE: Final = 7001
DOCUMENT: Final = 7002
PHOTO: Final = 7003
SENDING: Final = 7004
"""Numbers of what is asked for: a new process knows by them what an answer is about that it has not asked for."""
NOT_FOUND: Final = {PICTURE: NO_CHOOSER, DOCUMENT: NO_CHOOSER, PHOTO: NO_CAMERA, SENDING: NO_TAKER}
TWICE_S: Final = 1.0
"""A second touch within this time, before the system's window has come up, means no second window."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Taker:
    """Who takes a file or hears why there is none."""

    on_file: OnFile
    on_error: OnError
    on_photo: OnFile | None = None
    most_bytes: int = MAX_FILE_BYTES
    since: float = 0


class AndroidServices:
    """The services of one activity; to be made on the main thread, and used on the window's, where `post` calls."""

    def __init__(self, post: Post) -> None:
        self._post_call = post
        self._java = JavaSide()
        cache = self._java.folder
        self._incoming, self._outgoing = cache / "incoming", cache / "sending"
        self._photos = Photos(cache / "photos", self._incoming)
        self._asked: dict[int, _Taker] = {}
        self._shared: _Taker | None = None
        self._early: list[Callable[[_Taker], None]] = []
        self._changed: list[Call] = []
        self._tidy()
        Thread(target=self._listen, name="device", daemon=True).start()

    def choose_picture(self, on_file: OnFile, on_error: OnError) -> None:
        self._ask(PICTURE, on_file, on_error, self._java.ask_for_picture)

    def choose_document(self, on_file: OnFile, on_error: OnError, *, most_bytes: int | None = None) -> None:
        most_bytes = MAX_FILE_BYTES if most_bytes is None else most_bytes
        self._ask(DOCUMENT, on_file, on_error, self._java.ask_for_document, most_bytes)

    def take_photo(self, on_file: OnFile, on_error: OnError) -> None:
        self._ask(PHOTO, on_file, on_error, lambda request: self._java.ask_for_photo(request, self._photos.ask()))

    def send(self, path: Path, on_error: OnError) -> None:
        self._asked[SENDING] = _Taker(lambda _: None, on_error)
        self._beside(partial(self._send, path), lambda _: None, on_error)

    def on_shared(self, on_file: OnFile, on_error: OnError, on_photo: OnFile) -> None:
        self._shared = _Taker(on_file, on_error, on_photo)
        early, self._early = self._early, []
        for deliver in early:
            deliver(self._shared)

    def keep_secret(self, secret: bool) -> None:
        self._java.keep_secret(secret)

    def announce(self, text: str) -> None:
        self._java.announce(text)

    def insets(self) -> Insets:
        return Insets(*self._java.covered())

    def is_dark(self) -> bool:
        return self._java.is_dark()

    def on_change(self, changed: Callable[[], None]) -> None:
        self._changed.append(changed)

    def _ask(
        self,
        request: int,
        on_file: OnFile,
        on_error: OnError,
        start: Callable[[int], None],
        most_bytes: int = MAX_FILE_BYTES,
    ) -> None:
        before, now = self._asked.get(request), time.monotonic()
        if before is not None and now - before.since < TWICE_S:
            self._asked[request] = _Taker(on_file, on_error, None, most_bytes, before.since)
            return
        self._asked[request] = _Taker(on_file, on_error, None, most_bytes, now)
        try:
            start(request)
        except DeviceError as error:
            del self._asked[request]
            self._post(partial(on_error, str(error)))

    def _listen(self) -> None:
        while True:
            told = self._java.take()
            self._post(partial(self._hear, told))

    def _hear(self, told: Told) -> None:
        """Do what follows from something told, on the window's thread."""
        if told.kind == "changed":
            for changed in tuple(self._changed):
                changed()
        elif told.kind == "shared":
            self._to_shared(partial(self._take_in, told.uris))
        elif told.kind == "failed":
            self._hear_failure(told)
        elif told.request == PHOTO:
            self._hear_photo(told)
        elif told.request in (PICTURE, DOCUMENT):
            self._hear_choice(told)

    def _hear_failure(self, told: Told) -> None:
        _log.warning("the device could not be asked: %s", told.problem)
        taker = self._asked.pop(told.request, None)
        if told.request == PHOTO:
            self._photos.forget()
        if taker is not None:
            taker.on_error(NOT_FOUND[told.request])

    def _hear_choice(self, told: Told) -> None:
        taker = self._asked.pop(told.request, None)
        if told.accepted:
            self._to(taker, partial(self._take_in, told.uris))
        elif taker is not None:
            taker.on_file(None)

    def _hear_photo(self, told: Told) -> None:
        taker, path = self._asked.pop(PHOTO, None), self._photos.asked_for()
        if path is not None:
            self._java.end_photo(path)
        if not told.accepted:
            self._photos.forget()
            if taker is not None:
                taker.on_file(None)
        else:
            self._to(taker, partial(self._take_photo, path))

    def _to(self, taker: _Taker | None, deliver: Callable[[_Taker], None]) -> None:
        """To whoever has asked; what this process has not asked for itself is taken as shared with it."""
        if taker is None:
            self._to_shared(deliver)
        else:
            deliver(taker)

    def _to_shared(self, deliver: Callable[[_Taker], None]) -> None:
        if self._shared is None:
            self._early.append(deliver)
        else:
            deliver(self._shared)

    def _take_in(self, uris: tuple[str, ...], taker: _Taker) -> None:
        if not uris:
            taker.on_error(NO_FILE)
            return
        if len(uris) > 1:
            taker.on_error(FIRST_OF_SEVERAL)
        self._beside(partial(self._copy, uris[0], taker.most_bytes), taker.on_file, taker.on_error)

    def _take_photo(self, path: Path | None, taker: _Taker) -> None:
        try:
            if path is None:
                raise DeviceError(NO_PHOTO)
            taken = self._photos.take(path)
        except DeviceError as error:
            taker.on_error(str(error))
        else:
            (taker.on_photo or taker.on_file)(taken)

    def _copy(self, uri: str, most_bytes: int) -> Path:
        content = self._java.open(uri)
        try:
            return copy(content, self._incoming, most_bytes)
        finally:
            content.close()

    def _send(self, path: Path) -> None:
        laid = lay_out(path, self._outgoing)
        self._java.send(SENDING, laid, media_type(laid))

    def _beside(self, work: Callable[[], Path | None], on_file: OnFile, on_error: OnError) -> None:
        """Do what may take long on a thread of its own, and post what comes of it."""
        Thread(target=partial(leave_thread, partial(self._work, work, on_file, on_error)), daemon=True).start()

    def _work(self, work: Callable[[], Path | None], on_file: OnFile, on_error: OnError) -> None:
        try:
            call = partial(on_file, work())
        except OsteoEdgeError as error:
            call = partial(on_error, str(error))
        except Exception as error:
            _log.error("what another app gave could not be taken", exc_info=error)
            call = partial(on_error, UNEXPECTED)
        self._post(call)

    def _post(self, call: Call) -> None:
        try:
            self._post_call(call)
        except Exception as error:  # a window that is closing
            _log.error("what the system told could not be delivered", exc_info=error)

    def _tidy(self) -> None:
        """Remove what an earlier process has left: its own copies after a day, at once what it had not finished."""
        self._photos.tidy()
        for folder in (self._incoming, self._outgoing):
            remove_old(folder)
            for unfinished in folder.glob(f"*{UNFINISHED}"):
                with suppress(OSError):
                    unfinished.unlink()
            for unpacked in folder.glob("*/"):  # such as a model's ZIP file, in the middle of which the process ended
                shutil.rmtree(unpacked, ignore_errors=True)
