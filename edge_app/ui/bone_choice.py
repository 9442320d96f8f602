"""The bone on the film, to be named where the model in use tells bones apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kivy.properties import ObjectProperty, StringProperty

from osteo_edge.edge_app.bone_words import bone_name, bones_of
from osteo_edge.edge_app.ui.kit import Sometimes
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.manifest import Manifest


class BoneChoice(Sometimes):
    """It takes no room until a model is there that tells bones apart; `bone` is as that calls it, or empty."""

    bone = StringProperty()
    options: Any = ObjectProperty(())

    def offer(self, manifest: Manifest) -> None:
        """Offer the bones that a model knows; another one that was named before is forgotten."""
        bones = bones_of(manifest)
        self.options = (("", say("Not given")), *((bone, bone_name(bone, say)) for bone in bones))
        self.is_on = bool(bones)
        self.choose(self.bone)

    def choose(self, bone: str) -> None:
        """Name a bone, or none; what the model does not know is none, once a model is there."""
        known = dict(self.options)
        self.bone = bone if not known or bone in known else ""


load_kv(__file__)
