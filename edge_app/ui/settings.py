"""What the clinic can set. Every choice is saved at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from kivy.properties import BooleanProperty, StringProperty

from osteo_edge.edge_app import settings_words
from osteo_edge.edge_app.browsing.names import shown
from osteo_edge.edge_app.history.encrypted import can_encrypt
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.settings import MAX_INSTITUTION
from osteo_edge.edge_app.ui import texts, web_address  # noqa: F401  (named in the .kv file)
from osteo_edge.edge_app.ui.kit import choices
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say

CHOICES: Final = (
    "language",
    "text_percent",
    "theme",
    "colour_map",
    "threads",
    "retention_days",
    "lock_after_minutes",
)
"""The settings that are chosen from a list; their widgets have the same names."""
WORN: Final = frozenset({"language", "text_percent", "theme"})
"""Those that change the whole window."""


class SettingsScreen(Screen):
    """All settings, one below the other. `scrolled` is how far the page was scrolled before it was made anew."""

    folder = StringProperty()
    has_pin = BooleanProperty(False)
    is_encrypted = BooleanProperty(False)
    can_encrypt = BooleanProperty(False)
    protection = StringProperty()
    consequence = StringProperty()
    can_watch = BooleanProperty(True)

    def __init__(self, *, scrolled: float = 1.0, **kwargs: Any) -> None:
        self._fills = True
        super().__init__(**kwargs)
        self.can_watch = self.shell.device is None
        for name, options in self._options().items():
            self.ids[name].options = options
        self.ids.page.scroll_y = scrolled
        for name in CHOICES:
            self.ids[name].bind(value=lambda choice, value, name=name: self._choose(name, value))
        self.ids.institution.ids.box.bind(focus=self._on_focus)
        self._fill()

    def shown(self) -> None:
        self._fill()
        if self.shell.device is None:
            self.ids.web_address.begin(self.clinic.folders.root)

    def hidden(self) -> None:
        self.ids.web_address.end()

    def kept(self) -> dict[str, Any]:
        return {"scrolled": self.ids.page.scroll_y}

    def paused(self) -> None:
        self._save_institution()

    def lasting(self) -> Left:
        return LeftPage()

    def choose_folder(self) -> None:
        """Choose the folder in which the X-ray machine lays its films down."""
        self.shell.go("files", kind="folder", on_chosen=self._watch)

    def forget_folder(self) -> None:
        """Watch no folder any more."""
        self._save(watched_folder=None)

    def _watch(self, folder: Path) -> None:
        self._save(watched_folder=str(folder.absolute()))

    def _options(self) -> dict[str, Any]:
        settings = self.clinic.settings
        counts = settings_words.thread_counts(settings_words.usable_cores(), settings.threads)
        return {
            "language": tuple(settings_words.LANGUAGES.items()),
            "text_percent": tuple(settings_words.TEXT_SIZES.items()),
            "theme": choices(settings_words.THEMES_OF_DEVICE if self.shell.device else settings_words.THEMES),
            "colour_map": tuple(settings_words.COLOUR_MAPS.items()),
            "threads": ((None, say(settings_words.AS_MANY_AS_FIT)), *((count, str(count)) for count in counts)),
            "retention_days": tuple(
                (days, say(words, days=number) if number is not None else say(words))
                for days, words, number in settings_words.retention_options(settings.retention_days)
            ),
            "lock_after_minutes": choices(settings_words.LOCK_AFTER),
        }

    def _fill(self) -> None:
        """Show the settings as they are saved."""
        settings = self.clinic.settings
        self._fills = True
        for name in CHOICES:
            self.ids[name].value = getattr(settings, name)
        if self.shell.device is None:
            self.ids.theme.value = look.theme
        if not self.ids.institution.ids.box.focus:
            self.ids.institution.text = settings.institution
        self._fills = False
        watched = settings.watched_folder
        self.folder = say("No folder is watched.") if watched is None else shown(watched)
        self.consequence = say(settings_words.retention_words(settings.retention_days))
        self._show_lock()

    def _show_lock(self) -> None:
        access, is_phone = self.clinic.access, self.shell.device is not None
        self.has_pin, self.is_encrypted = access.has_pin, access.is_encrypted
        has_library = can_encrypt()
        self.can_encrypt = has_library and not is_phone and not self.is_encrypted
        self.protection = say(
            settings_words.protection(is_encrypted=self.is_encrypted, has_library=has_library, is_phone=is_phone)
        )

    def _choose(self, name: str, value: Any) -> None:
        if not self._fills and value != getattr(self.clinic.settings, name):
            self._save(**{name: value})

    def _on_focus(self, _: object, focus: bool) -> None:
        if not focus:
            self._save_institution()

    def _save_institution(self) -> None:
        field = self.ids.institution
        text = field.text.strip()
        problem = settings_words.institution_problem(text)
        field.problem = "" if problem is None else say(problem, most=MAX_INSTITUTION)
        if problem is None and text != self.clinic.settings.institution:
            self._save(institution=text)

    def _save(self, **changes: Any) -> None:
        self.jobs.save(lambda: self.clinic.change(**changes), lambda _: self._saved(set(changes)), self._fail)

    def _saved(self, names: set[str]) -> None:
        if "threads" in names:
            self.shell.load_model()
        if names & WORN:
            self.shell.wear_settings()
        else:
            self._fill()

    def _fail(self, line: str) -> None:
        self.shell.complain(line)
        self._fill()


load_kv(__file__)
