"""What the user is shown where the app cannot start, or could not save all before it ended."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from osteo_edge.edge_app.android.places import Places
from osteo_edge.edge_app.android.system_log import trace

MAX_LINES: Final = 5

Show = Callable[[str, str, str], object]
Translate = Callable[[str], str]


def show_failure(places: Places, error: BaseException, show: Show) -> None:
    """Write why the app cannot run into its log file, and show it until the user has closed it.

    What is in the way of that is left out: a full disk of the log, a damaged catalogue of the language, Java of the
    dialog.
    """
    with suppress(Exception):
        _log(places, error)
    translate = _language_of(places)
    unexpected = translate("Something unexpected happened. The log file says more.")
    told = translate(str(error)) if _is_told(error) else unexpected
    with suppress(Exception):  # there is nothing left to tell it by
        show(translate("The app cannot run"), f"{told}\n\n{trace(error)}", translate("Close"))


def show_unsaved(places: Places, lines: tuple[str, ...], show: Show) -> None:
    """Show lines about what could not be saved, until the user has closed them."""
    translate = _language_of(places)
    more = [] if len(lines) <= MAX_LINES else ["…"]
    text = "\n".join([*map(translate, lines[:MAX_LINES]), *more])
    with suppress(Exception):
        show(translate("Not everything could be saved"), text, translate("Close"))


def show_dialog(title: str, text: str, button: str) -> bool:
    """Show a message in a dialog of the system's own until the user has closed it; whether that could be.

    To be called on the thread that Java has started Python on.
    """
    from jnius import autoclass

    return bool(autoclass("org.osteoedge.app.FailureMessage").show(title, text, button))


def _log(places: Places, error: BaseException) -> None:
    from osteo_edge.edge_app.folders import Folders
    from osteo_edge.edge_app.log_file import log_to, stop_logging

    handler = log_to(Folders(places.data).log)
    try:
        logging.getLogger(__name__).error("the app cannot run", exc_info=error)
    finally:
        stop_logging(handler)


def _is_told(error: BaseException) -> bool:
    """Whether the error's words are for the user."""
    from osteo_edge.errors import OsteoEdgeError

    return isinstance(error, OsteoEdgeError)


def _language_of(places: Places) -> Translate:
    """Into the clinic's language; English where that cannot be found out."""
    with suppress(Exception):
        from osteo_edge.edge_app.folders import Folders
        from osteo_edge.edge_app.languages.catalogue import open_catalogue
        from osteo_edge.edge_app.settings import settings_now

        settings = settings_now(Folders(places.data).settings)
        if settings is not None:
            return open_catalogue(settings.language)
    return str
