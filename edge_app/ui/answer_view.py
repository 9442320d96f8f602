"""What a screening says, as widgets: the outcome, and its probability as a bar. Neither is told by colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kivy.graphics import Color, Line, Mesh, Rectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty, ObjectProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from osteo_edge.edge_app.long_texts import pieces
from osteo_edge.edge_app.ui.kit import Card, Words
from osteo_edge.edge_app.ui.look import look
from osteo_edge.edge_app.ui.screen import load_kv
from osteo_edge.edge_app.ui.words import say

if TYPE_CHECKING:
    from osteo_edge.edge_app.answer_words import AnswerWords
    from osteo_edge.edge_app.history.entry import Entry

HATCH_DP: Final = 5
POINTER_DP: Final = 7
OUTCOMES: Final = ("refer", "no_finding", "uncertain", "rejected")


class WarningWords(Words):
    """A text that must not be missed."""


class SmallWords(Words):
    """A text for whoever wants to know more."""


def add_long(place: Widget, kind: type[Words], text: str, **kwargs: Any) -> None:
    """Put a text below what is there, in as many pieces as it takes for each to be a picture that can be drawn."""
    for piece in pieces(text):
        place.add_widget(kind(text=piece, **kwargs))


class Verdict(Card):
    """The outcome with its symbol, what to do, the warnings apart and bold, and the reasons."""

    outcome = OptionProperty("refer", options=OUTCOMES)
    headline = StringProperty()

    def show(self, entry: Entry, words: AnswerWords) -> None:
        """Say what the entry says."""
        self.outcome, self.headline = entry.outcome, words.headline
        lines = self.ids.lines
        lines.clear_widgets()
        for warning in words.warnings:
            add_long(lines, WarningWords, warning)
        lines.add_widget(Words(text=words.advice))
        for reason in words.reasons:
            add_long(lines, SmallWords, reason)


class Mark(Widget):  # type: ignore[misc]
    """One of the marks of the bar, for its legend."""

    kind = OptionProperty("pointer", options=["pointer", "line", "hatch"])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("pos", self._draw)
        self.fbind("size", self._draw)
        look.bind(theme=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        with self.canvas:
            Color(*look.ink)
            if self.kind == "pointer":
                _pointer(self.center_x, self.center_y - dp(POINTER_DP) / 2)
            elif self.kind == "line":
                _upright(self.center_x, self.y, self.top)
            else:
                _hatch(self.x, self.right, self.y, self.top)


class MarkLine(BoxLayout):  # type: ignore[misc]
    """A mark of the bar and what it stands for."""

    kind = OptionProperty("pointer", options=["pointer", "line", "hatch"])
    text = StringProperty()


class ProbabilityBar(Widget):  # type: ignore[misc]
    """A probability from 0 to 1: the uncertain band hatched, the operating point a line across, the score a pointer."""

    score = NumericProperty(0.0)
    threshold = NumericProperty(0.5)
    band: tuple[float, float] | None = ObjectProperty(None, allownone=True)
    outcome = OptionProperty("refer", options=OUTCOMES)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size", "score", "threshold", "band", "outcome"):
            self.fbind(name, self._draw)
        look.bind(theme=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        room = dp(POINTER_DP)
        left, width = self.x + room, self.width - 2 * room
        low, high = self.y + dp(3), self.top - room

        def at(probability: float) -> float:
            return float(left + width * min(max(probability, 0.0), 1.0))

        self.canvas.clear()
        with self.canvas:
            Color(*look.quiet)
            Rectangle(pos=(left, low), size=(width, high - low))
            Color(*get_color_from_hex(look.accent(self.outcome)))
            Rectangle(pos=(left, low + (high - low) * 0.3), size=(at(self.score) - left, (high - low) * 0.4))
            Color(*look.ink)
            if self.band is not None:
                _hatch(at(self.band[0]), at(self.band[1]), low, high)
            _upright(at(self.threshold), self.y, high + dp(3))
            _pointer(at(self.score), high)


class Probability(Card):
    """The probability as a sentence, as a bar, and what the bar's marks stand for; or that there is none."""

    def show(self, entry: Entry, words: AnswerWords) -> None:
        """Show what the entry has."""
        from osteo_edge.edge_app.probability_words import band_of

        self.clear_widgets()
        told = words.probability
        if told is None or entry.score is None:
            self.add_widget(Words(text=words.no_probability))
            return
        self.add_widget(Words(text=told.sentence))
        self.add_widget(
            ProbabilityBar(score=entry.score, threshold=entry.threshold, band=band_of(entry), outcome=entry.outcome)
        )
        marks = {"pointer": told.image, "line": told.operating_point, "hatch": told.uncertain}
        for kind, text in marks.items():
            if text is not None:
                self.add_widget(MarkLine(kind=kind, text=text))


class Facts(Card):
    """Whose film it is, when it was screened, and what is known besides the model's answer."""

    def show(self, words: AnswerWords) -> None:
        """Show the facts."""
        self.clear_widgets()
        self.add_widget(Words(text=" \u00b7 ".join((*words.patient, words.taken))))
        for text in (words.bone, words.dxa, words.decision, words.note):
            add_long(self, Words, text, bold=True)
        if words.ost:
            self.add_widget(Words(text=words.ost))
        if words.about_ost:
            self.add_widget(SmallWords(text=words.about_ost))


class SmallPrint(Card):
    """The intended use, and what the answer was made from and by."""

    def show(self, words: AnswerWords) -> None:
        """Show where the answer comes from."""
        self.clear_widgets()
        self.add_widget(SmallWords(text=say("Intended use"), bold=True))
        for text in (words.intended_use, *words.origin):
            add_long(self, SmallWords, text)


def _pointer(x: float, tip: float) -> None:
    half = dp(POINTER_DP) * 0.7
    corners = [(x, tip), (x - half, tip + dp(POINTER_DP)), (x + half, tip + dp(POINTER_DP))]
    vertices = [number for corner in corners for number in (*corner, 0.0, 0.0)]
    Mesh(vertices=vertices, indices=[0, 1, 2], mode="triangle_fan")


def _upright(x: float, low: float, high: float) -> None:
    Rectangle(pos=(x - dp(1.5), low), size=(dp(3), high - low))


def _hatch(left: float, right: float, low: float, high: float) -> None:
    Line(rectangle=(left, low, max(1.0, right - left), high - low), width=1)
    x = left + dp(HATCH_DP)
    while x < right:
        Line(points=[x, low, x, high], width=1)
        x += dp(HATCH_DP)


load_kv(__file__)
