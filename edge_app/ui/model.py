"""The model in use and how it was found to do, how fast this device is, and the other models that are installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from osteo_edge.edge_app.demo_mark import MARK
from osteo_edge.edge_app.left_off import Left, LeftPage
from osteo_edge.edge_app.ui.kit import Busy, Card, QuietTap, Tap, Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.texts import Alarm, Remark
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.clinic import LoadedModel
    from osteo_edge.edge_app.jobs import Progress, Task
    from osteo_edge.edge_app.models.description import Model
    from osteo_edge.edge_app.models.details import Overview
    from osteo_edge.edge_app.models.store import Damaged, Installed
    from osteo_edge.edge_app.self_test import SelfTest

LOOK, TEST, INSTALL = "model overview", "model test", "model install"


class Fact(BoxLayout):  # type: ignore[misc]
    """A value under its title."""

    title = StringProperty()
    value = StringProperty()


class InstalledModel(Card):
    """One of the models that are installed, and what can be done with it."""

    title = StringProperty()
    marks = ListProperty()
    lines = ListProperty()
    taps = ListProperty()

    def on_kv_post(self, _: object) -> None:
        for mark in self.marks:
            self.ids.lines.add_widget(Words(text=mark, bold=True))
        for line in self.lines:
            self.ids.lines.add_widget(Remark(text=line))
        for tap in self.taps:
            self.ids.taps.add_widget(tap)


class ModelScreen(Screen):
    """What is known of the model, and how to have another one; one thing is done at a time."""

    title = StringProperty()
    intended_use = StringProperty()
    sha256 = StringProperty()
    is_whole_hash_shown = BooleanProperty(False)
    working = BooleanProperty(False)
    overview: Any = ObjectProperty(None, allownone=True)
    is_phone = BooleanProperty(False)

    def __init__(self, **kwargs: Any) -> None:
        self._busy: Busy | None = None
        self._has_left = False
        super().__init__(**kwargs)
        self.title = say("The model is being loaded…")
        self.is_phone = self.shell.device is not None

    def shown(self) -> None:
        self._look()

    def left(self) -> None:
        self._has_left = True
        for slot in (LOOK, TEST, INSTALL):
            self.jobs.cancel(slot)

    def lasting(self) -> Left:
        return LeftPage()

    def show_model(self, model: LoadedModel) -> None:
        self._look()

    def open_card(self) -> None:
        """Show the model card."""
        used = self.overview.used
        self.shell.go("model_card", folder=used.path, title=used.title)

    def _look(self) -> None:
        from osteo_edge.edge_app.models.details import overview

        if not self._has_left:
            self.jobs.start(LOOK, lambda task: overview(self.clinic), self._show, self._show_problem)

    def _show_problem(self, line: str) -> None:
        self.title = say("No model can be used")
        self._show_notes(False, line)

    def _show_notes(self, from_command: bool, problem: str | None) -> None:
        notes = [Words(text=say("It was named when the app was started, for this run."))] if from_command else []
        _fill(self.ids.notes, [*notes, *([Alarm(text=say(problem))] if problem is not None else [])])

    def _show(self, found: Overview) -> None:
        from osteo_edge.edge_app.models.details import facts, figure_lines

        self.overview = found
        self.title, self.intended_use = found.used.title, say(found.manifest.intended_use)
        self._show_notes(found.from_command, found.problem)
        _fill(self.ids.facts, [Fact(title=title, value=value) for title, value in facts(found, say)])
        *figures, remark = figure_lines(found, say)
        lines = [Words(text=line) for line in figures]
        _fill(self.ids.figures, [*lines, Remark(text=remark)])
        self._show_hash()
        self._show_installed(found)

    def turn_hash(self) -> None:
        """Show the hash in short, or all of it."""
        self.is_whole_hash_shown = not self.is_whole_hash_shown
        self._show_hash()

    def _show_hash(self) -> None:
        from osteo_edge.edge_app.models.details import full_hash, short_hash

        if self.overview is not None:
            words = full_hash if self.is_whole_hash_shown else short_hash
            self.sha256 = say("SHA-256: {hash}", hash=words(self.overview.manifest.model.sha256))

    # How fast this device is

    def measure(self) -> None:
        """Screen a drawn film for ten seconds."""
        _fill(self.ids.speed, [])
        self._start(TEST, self.ids.measuring, self._measure, self._show_speed)

    def _measure(self, task: Task) -> SelfTest:
        from osteo_edge.edge_app.models.details import bundle_in_use
        from osteo_edge.edge_app.self_test import MEASURING, run_self_test

        task.report(0.0, MEASURING)
        bundle = bundle_in_use(self.clinic)
        threads = self.clinic.settings.threads
        return run_self_test(bundle, threads=threads, on_progress=lambda share: task.report(share, MEASURING))

    def _show_speed(self, found: SelfTest) -> None:
        from osteo_edge.edge_app.self_test import STAGES, summarize

        lines = [Words(text=line) for line in summarize(found, say)]
        stages = [
            Remark(text=say("{step}: {median} ms", step=say(STAGES[stage]), median=f"{times.median_ms:.1f}"))
            for stage, times in found.stages.items()
        ]
        _fill(self.ids.speed, [*lines, *stages, Remark(text=say(found.runtime))])

    # Other models

    def choose(self) -> None:
        """Choose where a model is to be installed from."""
        device = self.shell.device
        if device is None:
            self.shell.go("files", kind="bundle", on_chosen=self.install)
        else:
            device.choose_document(self._install_copy, self.shell.complain)

    def _install_copy(self, copy: Path | None) -> None:
        """Install the model in a ZIP file that the system has copied for the app."""
        from osteo_edge.edge_app.models.zipped import bring_zipped

        if copy is not None and self._has_left:
            self.remove(copy)
        elif copy is not None:
            self._install(lambda task: bring_zipped(self.clinic.models, copy, task.report))

    def install(self, place: Path) -> None:
        """Install the model in a folder."""
        from osteo_edge.edge_app.models.bringing import bring

        self._install(lambda task: bring(self.clinic.models, place, task.report))

    def _install(self, work: Callable[[Task], Installed | tuple[Model, ...]]) -> None:

        _fill(self.ids.found, [])
        self._start(INSTALL, self.ids.installing, work, self._installed)

    def _installed(self, found: Installed | tuple[Model, ...]) -> None:
        if isinstance(found, tuple):
            self._offer(found)
            return
        title = found.model.title
        if found.was_there:
            line = say("{title} was installed already.", title=title)
        else:
            line = say("{title} is installed.", title=title)
        self.shell.tell(line)
        self._look()
        if self.clinic.bundle is None and (self.overview is None or found.model.id != self.overview.used.id):
            self.ask_to_use(found.model)

    def _offer(self, models: tuple[Model, ...]) -> None:
        """Have one chosen of several that lie in a folder."""
        taps = [QuietTap(text=say("Install {title} ({name})", title=one.title, name=one.path.name)) for one in models]
        for tap, model in zip(taps, models, strict=True):
            tap.bind(on_release=lambda _, path=model.path: self.install(path))
        _fill(self.ids.found, [Words(text=say("There are several models in this folder:")), *taps])

    def ask_to_use(self, model: Model) -> None:
        """Ask before another model is taken into use."""
        self.shell.ask(
            say("Use {title} from now on?", title=model.title),
            say(model.intended_use),
            say("Use it"),
            lambda: self._use(model),
            no=say("Not now"),
        )

    def _use(self, model: Model) -> None:
        def work() -> None:
            self.clinic.models.use(model.id)
            self.clinic.forget_model()

        def done(_: None) -> None:
            self.working = False
            self.shell.tell(say("{title} is in use now.", title=model.title))
            self.shell.load_model()

        self.working = True
        self.jobs.save(work, done, self._fail)

    def ask_to_remove(self, model_id: str, title: str) -> None:
        """Ask before a model is removed from the device."""
        self.shell.ask(
            say("Remove {title} from this device?", title=title),
            say("Screenings that it has answered stay as they are. To use it again, install it again."),
            say("Remove"),
            lambda: self._remove(model_id, title),
        )

    def _remove(self, model_id: str, title: str) -> None:
        def done(_: None) -> None:
            self.working = False
            self.shell.tell(say("{title} is removed.", title=title))
            self._look()

        self.working = True
        self.jobs.save(lambda: self.clinic.models.uninstall(model_id), done, self._fail)

    def _show_installed(self, found: Overview) -> None:
        from osteo_edge.edge_app.models.description import Model, titles

        called = titles(one for one in found.installed if isinstance(one, Model))
        rows = [
            self._row(one, called[one.id], found) if isinstance(one, Model) else self._damaged_row(one)
            for one in found.installed
        ]
        _fill(self.ids.installed, rows)

    def _row(self, model: Model, title: str, found: Overview) -> Widget:
        from osteo_edge.edge_app.models.details import DRAWN_FILMS, size_words
        from osteo_edge.edge_app.models.store import DEMO

        is_used = not found.from_command and model.id == found.used.id
        source = say(DRAWN_FILMS) if model.is_demo else model.label_source
        marks = [say("In use")] if is_used else []
        marks += [say(MARK)] if model.is_demo else []
        line = say("Learned from: {source}. {size}.", source=source, size=size_words(model.size_bytes))
        taps = list[Tap]()
        if not is_used and not found.from_command:
            taps.append(self._tap(QuietTap(text=say("Use")), lambda: self.ask_to_use(model)))
        if not is_used and model.id != DEMO:
            taps.append(self._tap(QuietTap(text=say("Remove")), lambda: self.ask_to_remove(model.id, title)))
        return InstalledModel(title=title, marks=marks, lines=[line], taps=taps)

    def _damaged_row(self, damaged: Damaged) -> Widget:
        remove = self._tap(QuietTap(text=say("Remove")), lambda: self.ask_to_remove(damaged.id, damaged.id))
        return InstalledModel(title=damaged.id, marks=[say("Damaged")], lines=[say(damaged.problem)], taps=[remove])

    def _tap(self, tap: Tap, act: Callable[[], None]) -> Tap:
        tap.disabled = self.working
        tap.bind(on_release=lambda _: act())
        self.bind(working=tap.setter("disabled"))
        return tap

    # One thing at a time

    def _start(self, slot: str, place: Widget, work: Callable[[Task], Any], on_result: Callable[[Any], None]) -> None:
        """Do something beside the window, with its progress in `place`."""
        busy = self._busy = Busy()
        busy.bind(on_cancel=lambda _: self._stop(slot))
        self.working = True
        _fill(place, [busy])

        def done(result: Any) -> None:
            self._end()
            on_result(result)

        self.jobs.start(slot, work, done, self._fail, self._show_progress)

    def _stop(self, slot: str) -> None:
        self.jobs.cancel(slot)
        self._end()

    def _end(self) -> None:
        self.working = False
        if self._busy is not None and self._busy.parent is not None:
            self._busy.parent.remove_widget(self._busy)
        self._busy = None

    def _show_progress(self, progress: Progress) -> None:
        if self._busy is not None:
            self._busy.message = say(progress.message)
            self._busy.share = -1 if progress.share is None else progress.share

    def _fail(self, line: str) -> None:
        self._end()
        self.shell.complain(line)
        self._look()


def _fill(place: Widget, widgets: list[Widget]) -> None:
    place.clear_widgets()
    for widget in widgets:
        place.add_widget(widget)


load_kv(__file__)
