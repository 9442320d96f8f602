"""The first screen: what can be done here, and by which model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kivy.properties import StringProperty

from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.words import say
from osteo_edge.findings import findings_of
from osteo_edge.wording import FINDINGS, advice

if TYPE_CHECKING:
    from osteo_edge.edge_app.clinic import LoadedModel
    from osteo_edge.manifest import Manifest

CAUTION_OF_BOTH: Final = (
    "A referral aid, not a diagnosis. Only DXA measures bone density. Only a reader of the film and an examination of "
    "the patient can tell whether there is an abnormality."
)
"""A message."""


class HomeScreen(Screen):
    """New screening, history, follow-up, model, settings, help; the model's name and intended use.

    `caution` is what no answer of the model is.
    """

    caution = StringProperty()
    model_name = StringProperty()
    intended_use = StringProperty()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lock_tap = self.ids.lock.__self__
        self.caution = say(advice("refer"))
        self.model_name = say("The model is being loaded…")

    def shown(self) -> None:
        self._offer_lock(self.clinic.access.has_pin)
        if self.shell.model is not None:
            self.show_model(self.shell.model)

    def show_model(self, model: LoadedModel) -> None:
        """Name the model in use."""
        self.model_name = say("Model: {name} {version}", name=model.manifest.name, version=model.manifest.version)
        self.intended_use = say(model.manifest.intended_use)
        self.caution = say(_caution(model.manifest))

    def _offer_lock(self, is_pin_set: bool) -> None:
        if is_pin_set and self._lock_tap.parent is None:
            self.ids.ways.add_widget(self._lock_tap)
        elif not is_pin_set and self._lock_tap.parent is not None:
            self.ids.ways.remove_widget(self._lock_tap)

    def show_no_model(self) -> None:
        self.model_name, self.intended_use = say("No model can be used: install one."), ""


def _caution(manifest: Manifest) -> str:
    findings = findings_of(manifest)
    return CAUTION_OF_BOTH if findings == FINDINGS else advice("refer", findings[0])


load_kv(__file__)
