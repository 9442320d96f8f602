"""The model card of the model in use, as its makers wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kivy.clock import Clock
from kivy.properties import StringProperty

from osteo_edge.edge_app.ui.kit import Words
from osteo_edge.edge_app.ui.screen import Screen, load_kv
from osteo_edge.edge_app.ui.texts import Heading, Headline, Remark
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.card_text import Block, Kind

SLOT: Final = "model card"
BLOCKS_A_FRAME: Final = 3
"""So many are laid out at once; the window must not stand still for a long card."""
WIDGETS: Final[dict[str, type[Words]]] = {"title": Headline, "heading": Heading, "text": Words, "row": Remark}


class ModelCardScreen(Screen):
    """The card of the bundle in `folder`, whose name is `title`."""

    title = StringProperty()

    def __init__(self, *, folder: Path, title: str, **kwargs: Any) -> None:
        self._folder = folder
        self._blocks: Iterator[Block] = iter(())
        self._laying: Any = None
        super().__init__(**kwargs)
        self.title = title

    def shown(self) -> None:
        from osteo_edge.edge_app.card_text import read_card

        if self._laying is None:
            self.jobs.start(SLOT, lambda task: read_card(self._folder), self._show, self.shell.complain)

    def left(self) -> None:
        self.jobs.cancel(SLOT)
        if self._laying is not None:
            self._laying.cancel()

    def _show(self, blocks: tuple[Block, ...]) -> None:
        self._blocks = iter(blocks)
        if not blocks:
            self.ids.page.add_widget(Words(text=say("This model has no card.")))
        self._laying = Clock.schedule_interval(self._lay, 0)

    def _lay(self, _: float) -> bool:
        for count, block in enumerate(self._blocks, 1):
            self.ids.page.add_widget(_words(block.kind, block.text))
            if count == BLOCKS_A_FRAME:
                return True
        return False


def _words(kind: Kind, text: str) -> Words:
    if kind == "item":
        return Words(text=f"\u2022 {text}")
    return WIDGETS[kind](text=text)


load_kv(__file__)
