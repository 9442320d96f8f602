"""What a model is and what was done to it, as its manifest tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osteo_edge.manifest import Manifest

UNKNOWN = "unknown network"
TITLES = {"mobilenet_v2": "MobileNetV2", "efficientnet_b0": "EfficientNet-B0"}
WITH_ALPHA = ("mobilenet_v2",)
PRUNED = {
    "channel": "channels pruned {:.0%}",
    "magnitude": "magnitude-pruned {:.0%}",
    "2:4": "2:4 pruned",
    "cluster": "clustered",
}


@dataclass(frozen=True)
class Pruning:
    """How a network was pruned: the method, and the share that was to go."""

    method: str
    amount: float


@dataclass(frozen=True)
class Lineage:
    """The network that was trained in the beginning, its last pruning if any, and whether it was trained for int8.

    `backbone` is `UNKNOWN` for a model that was not trained as one network.
    """

    backbone: str
    alpha: float | None
    pruning: Pruning | None = None
    is_trained_for_int8: bool = False

    @property
    def network(self) -> str:
        """The network's name for people.

        >>> Lineage("mobilenet_v2", 1.0).network, Lineage("efficientnet_b0", 1.0).network
        ('MobileNetV2 1.0', 'EfficientNet-B0')
        """
        title = TITLES.get(self.backbone, self.backbone)
        return f"{title} {self.alpha}" if self.backbone in WITH_ALPHA else title

    @property
    def is_plain(self) -> bool:
        """Whether it was not trained further after its training."""
        return self.pruning is None and not self.is_trained_for_int8

    def __str__(self) -> str:
        pruned = "" if self.pruning is None else f", {PRUNED[self.pruning.method].format(self.pruning.amount)}"
        return f"{self.network}{pruned}{', trained for int8' if self.is_trained_for_int8 else ''}"


def read_lineage(manifest: Manifest) -> Lineage:
    """Read the recipes of the manifest, from the last step back to the training; a later pruning hides an earlier."""
    steps: dict[str, Mapping[str, Any]] = {}
    recipe: Any = manifest.parent.recipe
    while isinstance(recipe, Mapping):
        for name, step in recipe.items():
            if name != "parent" and isinstance(step, Mapping):
                steps.setdefault(name, step)
        recipe = recipe.get("parent")
    trained, pruned = steps.get("train", {}), steps.get("prune", {})
    pruning = Pruning(pruned["method"], pruned["amount"]) if pruned.get("method") in PRUNED else None
    return Lineage(trained.get("backbone", UNKNOWN), trained.get("alpha"), pruning, "qat" in steps)
