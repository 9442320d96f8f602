"""A new screening: whom it is of, as far as the clinic wants to tell, and where the film comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.clock import Clock
from kivy.properties import BooleanProperty, StringProperty

from osteo_edge.edge_app.history.entry import new_id
from osteo_edge.edge_app.left_off import Left, LeftForm
from osteo_edge.edge_app.ost import ABOUT_OST
from osteo_edge.edge_app.own_copies import shown_name
from osteo_edge.edge_app.screening_form import FormFields, FormReading, fields_of, read_form
from osteo_edge.edge_app.ui import bone_choice, film_queue  # noqa: F401 (the widgets that the .kv file names)
from osteo_edge.edge_app.ui.kit import choices
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.findings import findings_of

if TYPE_CHECKING:
    from osteo_edge.edge_app.arriving import Waiting
    from osteo_edge.edge_app.clinic import LoadedModel
    from osteo_edge.edge_app.device_services import OnError, OnFile
    from osteo_edge.edge_app.history.drafts import Draft
    from osteo_edge.edge_app.light_box.hints import HintId

SETTLED_S: Final = 0.7
SEXES: Final[dict[str, str]] = {"": "Not given", "female": "Female", "male": "Male", "other": "Other"}
"""Messages to translate."""
NO_CODE: Final = "No patient code"


class NewScreeningScreen(Screen):
    """The form, which is kept as a draft while it is filled in, and the sources of a film.

    `fields` and `draft_id` are those of a form that goes on. `films` are the app's own copies of what other apps have
    shared: they wait until the user says what is to become of them.
    """

    ost_line = StringProperty()
    about_ost = StringProperty()
    has_text = BooleanProperty(False)
    offer = StringProperty()
    shared = StringProperty()
    is_phone = BooleanProperty(False)
    is_waiting = BooleanProperty(False)
    """For a film that the device has been asked for; it may come late, and is of the patient in the form now."""

    def __init__(
        self,
        *,
        fields: FormFields | None = None,
        draft_id: str | None = None,
        films: Sequence[Path] = (),
        **kwargs: Any,
    ) -> None:
        self._films = list(films)
        self._awaited: object = None
        self._draft_id = draft_id or new_id()
        self._kept = fields or FormFields()
        self._drafts: list[Draft] = []
        self._forget_undo: Callable[[], object] = lambda: None
        self._settle = Clock.create_trigger(lambda _: self._settled(), SETTLED_S)
        super().__init__(**kwargs)
        self.is_phone = self.shell.device is not None
        self.ids.sex.options = choices(SEXES)
        self._fill(self._kept)
        self.about_ost = say(ABOUT_OST)
        for name in ("code", "age", "weight"):
            self.ids[name].bind(text=lambda *_: self._changed())
        self.ids.sex.bind(value=lambda *_: self._changed())
        self.ids.bone.bind(bone=lambda *_: self._changed())
        self._show_ost(read_form(self._kept, say))
        self._show_shared()

    def kept(self) -> dict[str, Any]:
        return {"fields": self._fields(), "draft_id": self._draft_id, "films": tuple(self._films)}

    def lasting(self) -> Left:
        return LeftForm(asdict(self._fields()), self._draft_id, tuple(map(str, self._films)))

    def reopen(self, name: str, arguments: dict[str, Any]) -> Screen:
        return super().reopen(name, arguments | ({"on_taken": self._screen} if name == "camera" else {}))

    def paused(self) -> None:
        self._keep_now()

    def shown(self) -> None:
        forms = self.clinic.forms
        if forms.has_ended(self._draft_id):
            self._start_anew()
        if self.shell.model is not None:
            self.show_model(self.shell.model)
        if not self.has_text:
            self.jobs.start("form.drafts", lambda task: forms.unfinished(), self._offer, self.shell.complain)
        self.ids.queue.start()

    def show_model(self, model: LoadedModel) -> None:
        self.ids.bone.offer(model.manifest)
        self._show_ost(read_form(self._fields(), say))

    def hidden(self) -> None:
        self.ids.queue.stop()
        for slot in ("form.drafts", "form.take"):
            self.jobs.cancel(slot)
        self._keep_now()

    def _keep_now(self) -> None:
        """Keep what has been typed in the last moment."""
        if self._settle.is_triggered:
            self._settle.cancel()
            self._keep()

    def _fields(self) -> FormFields:
        texts = {name: self.ids[name].text.strip() for name in ("code", "age", "weight")}
        return FormFields(sex=self.ids.sex.value or "", bone=self.ids.bone.bone, **texts)

    def _fill(self, fields: FormFields) -> None:
        for name in ("code", "age", "weight"):
            self.ids[name].text = getattr(fields, name)
        self.ids.sex.value = fields.sex
        self.ids.bone.choose(fields.bone)
        self.has_text = self._fields() != FormFields()

    def _changed(self) -> None:
        fields = self._fields()
        self.has_text = fields != FormFields()
        if self.has_text:
            self.offer = ""
            self._forget_undo()
        self._show_ost(read_form(fields, say))
        self._settle.cancel()
        self._settle()

    def _settled(self) -> None:
        """Nothing has been typed for a moment: keep what there is, and say what is wrong with it."""
        self._show_lines(read_form(self._fields(), say))
        self._keep()

    def _show_lines(self, reading: FormReading) -> None:
        for name in ("code", "age", "weight"):
            self.ids[name].problem = reading.problems.get(name, "")
            self.ids[name].advice = reading.hints.get(name, "")

    def _show_ost(self, reading: FormReading) -> None:
        """Show the OST index, once it is known that the model in use tells of bone density."""
        model = self.shell.model
        ost = reading.ost if model is not None and "density" in findings_of(model.manifest) else None
        self.ost_line = "" if ost is None else say("OST index {index}: {group}.", index=ost.index, group=say(ost.words))

    def clear(self) -> None:
        """Empty the form, for another patient."""
        before, draft_id = self._fields(), self._draft_id
        self._start_anew()
        self._drop(draft_id)
        undo = partial(self._continue, draft_id, before)
        self._forget_undo = self.shell.offer_undo(say("The form is empty."), undo)

    def _start_anew(self) -> None:
        self._draft_id = new_id()
        self._fill(FormFields())
        self._settle.cancel()
        self._show_lines(read_form(FormFields(), say))
        self._kept = FormFields()

    def _keep(self) -> None:
        fields = self._fields()
        if fields == self._kept:
            return
        self._kept = fields
        if fields == FormFields():
            self._drop(self._draft_id)
            return
        self.jobs.save(partial(self.clinic.forms.keep, self._draft_id, fields), lambda _: None, self._not_kept)

    def _not_kept(self, line: str) -> None:
        self._kept = FormFields()
        self.shell.complain(line)

    def _drop(self, draft_id: str) -> None:
        self.jobs.save(partial(self.clinic.forms.drop, draft_id), lambda _: None, self.shell.complain)

    def _offer(self, drafts: tuple[Draft, ...]) -> None:
        self._drafts = [draft for draft in drafts if draft.id != self._draft_id]
        self._show_offer()

    def _show_offer(self) -> None:
        if not self._drafts or self.has_text:
            self.offer = ""
            return
        from osteo_edge.edge_app.answer_words import local_moment

        draft = self._drafts[0]
        code, moment = draft.fields.get("code") or say(NO_CODE), local_moment(draft.saved_at)
        self.offer = say("A form was not finished: {code}, {moment}.", code=code, moment=moment)

    def continue_draft(self) -> None:
        """Go on with the draft that is offered."""
        self._take(lambda draft: self._continue(draft.id, fields_of(draft.fields)))

    def _continue(self, draft_id: str, fields: FormFields) -> None:
        """Fill the form with another one; what stands there is kept, and so is the other one at once."""
        self._keep()
        self._draft_id, self._kept = draft_id, FormFields()
        self._fill(fields)
        self._changed()
        self._keep()

    def discard_draft(self) -> None:
        """Forget the draft that is offered; the next one is offered then."""
        self._take(self._discard)

    def _take(self, then: Callable[[Draft], None]) -> None:
        """Do it with the draft that is offered, unless another window has meanwhile taken it: then offer the next."""
        if self._drafts:
            work = partial(self.clinic.forms.take, self._drafts.pop(0).id)
            self.offer = ""
            self.jobs.start(
                "form.take",
                lambda task: work(),
                lambda draft: self._show_offer() if draft is None else then(draft),
                self.shell.complain,
            )

    def _discard(self, draft: Draft) -> None:
        self._drop(draft.id)
        self._show_offer()
        self.shell.offer_undo(say("The unfinished form was discarded."), lambda: self._bring_back(draft))

    def _bring_back(self, draft: Draft) -> None:
        self.jobs.save(partial(self.clinic.forms.bring_back, draft), lambda _: None, self.shell.complain)
        self._drafts.insert(0, draft)
        self._show_offer()

    def choose_file(self) -> None:
        """Choose a film among the files, on a phone by the system's own chooser."""
        device = self.shell.device
        if device is None:
            self._go_on(lambda: self.shell.go("files", kind="film", on_chosen=self._screen))
        else:
            self._go_on(lambda: self._ask(device.choose_document, self._screen))

    def choose_picture(self) -> None:
        """Choose a film among a phone's pictures."""
        device = self.shell.device
        if device is not None:
            self._go_on(lambda: self._ask(device.choose_picture, self._screen))

    def take_photo(self) -> None:
        """Take a photo of a film, on a phone with the system's camera."""
        device = self.shell.device
        if device is None:
            self._go_on(lambda: self.shell.go("camera", on_taken=self._screen))
        else:
            self._go_on(lambda: self._ask(device.take_photo, self.frame))

    def _ask(self, ask: Callable[[OnFile, OnError], None], then: Callable[[Path], None]) -> None:
        """Ask the device for a file; the form waits until it is there, there is none, or the user waits no longer."""
        awaited = self._awaited = object()
        self.is_waiting = True

        def failed(line: str) -> None:
            if self._awaited is awaited:
                self.stop_waiting()
                self.shell.complain(line)

        def taken(own: Path) -> None:
            if self._awaited is awaited:
                self.stop_waiting()
                then(own)
            else:
                self.remove(own)

        take = self.own_copy(taken, failed)

        def given(copy: Path | None) -> None:
            if copy is None and self._awaited is awaited:
                self.stop_waiting()
            take(copy)

        ask(given, failed)

    def stop_waiting(self) -> None:
        """What the device was asked for is not wanted any more, should it still come."""
        self._awaited, self.is_waiting = None, False

    def frame(self, photo: Path) -> None:
        """Have the corners of a film put right in a photo."""
        self.shell.go("camera", photo=photo, on_taken=self._screen)

    # What other apps have shared

    def offer_film(self, film: Path) -> None:
        """Offer a film that another app has shared, behind those that wait already."""
        self._films.append(film)
        self._show_shared()
        self.shell.announce(self.shared)

    def screen_shared(self) -> None:
        """Screen the film that is offered."""
        self._go_on(lambda: self._screen(self._next_shared()))

    def frame_shared(self) -> None:
        """What is offered is a photo of a film: have its corners put right."""
        self._go_on(lambda: self.frame(self._next_shared()))

    def drop_shared(self) -> None:
        """Leave out what is offered."""
        self.remove(self._next_shared())

    def _next_shared(self) -> Path:
        film = self._films.pop(0)
        self._show_shared()
        return film

    def _show_shared(self) -> None:
        name = shown_name(self._films[0]) if self._films else ""
        self.shared = say("From another app: {name}", name=name) if name else ""

    def screen_film(self, film: Waiting) -> None:
        """Screen a film of the watched folder, as it was listed."""
        self._go_on(lambda: self._screen(film.path, film_sha256=film.sha256))

    def _go_on(self, then: Callable[[], Any]) -> None:
        """Do it, unless a field keeps from it: that one is shown then."""
        reading = read_form(self._fields(), say)
        self._show_lines(reading)
        if reading.patient is None:
            Clock.schedule_once(lambda _: self._scroll_to_problem(), 0)
        else:
            then()

    def _scroll_to_problem(self) -> None:
        for name in ("code", "age", "weight"):
            if self.ids[name].problem:
                self.ids.page.scroll_to(self.ids[name], animate=False)
                return

    def _screen(
        self, film: Path, photo_hints: tuple[HintId, ...] | None = None, *, film_sha256: str | None = None
    ) -> None:
        fields = self._fields()
        reading = read_form(fields, say)
        self._keep()
        draft_id = None if fields == FormFields() else self._draft_id
        self.shell.go(
            "result",
            film=film,
            film_sha256=film_sha256,
            bone=fields.bone or None,
            patient=reading.patient,
            draft_id=draft_id,
            photo_hints=photo_hints,
        )


load_kv(__file__)
