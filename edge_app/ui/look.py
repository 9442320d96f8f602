"""How the window looks: colours of the theme and sizes of the text, which every widget follows."""

from typing import Final

from kivy.event import EventDispatcher
from kivy.metrics import dp
from kivy.properties import ColorProperty, NumericProperty, OptionProperty

from osteo_edge.wording import Outcome

THEMES: Final[dict[str, dict[str, str]]] = {
    "light": {
        "paper": "#f4f5f6",
        "card": "#ffffff",
        "ink": "#16191c",
        "faint": "#50585f",
        "line": "#8b949c",
        "button": "#0b5a86",
        "button_ink": "#ffffff",
        "quiet": "#dde5ea",
        "quiet_ink": "#10222d",
        "warning": "#8f1d14",
        "warning_ink": "#ffffff",
        "focus": "#b35900",
    },
    "dark": {
        "paper": "#14171a",
        "card": "#1f2428",
        "ink": "#f0f2f4",
        "faint": "#b3bcc4",
        "line": "#77828b",
        "button": "#8cc8ee",
        "button_ink": "#0b1a24",
        "quiet": "#333c43",
        "quiet_ink": "#f0f2f4",
        "warning": "#ffb4a8",
        "warning_ink": "#3a0a05",
        "focus": "#ffb35c",
    },
}
ACCENTS: Final[dict[str, dict[Outcome, str]]] = {  # after Okabe and Ito 2008: the colour-blind tell them apart
    "light": {"refer": "#a84300", "no_finding": "#4b5f78", "uncertain": "#8a5e00", "rejected": "#783c6e"},
    "dark": {"refer": "#ffa05a", "no_finding": "#b4c6de", "uncertain": "#f2c14e", "rejected": "#dda3d4"},
}


class Look(EventDispatcher):  # type: ignore[misc]
    """The colours of the theme, and sizes in pixels; `scale` is that of the text: of the settings, times the device's.

    `covered_across` and `covered_up` are what the device covers of the window, at the side where it is most.
    """

    theme = OptionProperty("light", options=list(THEMES))
    scale = NumericProperty(1.0)

    paper = ColorProperty()
    card = ColorProperty()
    ink = ColorProperty()
    faint = ColorProperty()
    line = ColorProperty()
    button = ColorProperty()
    button_ink = ColorProperty()
    quiet = ColorProperty()
    quiet_ink = ColorProperty()
    warning = ColorProperty()
    warning_ink = ColorProperty()
    focus = ColorProperty()

    small = NumericProperty()
    body = NumericProperty()
    large = NumericProperty()
    headline = NumericProperty()
    touch = NumericProperty()
    gap = NumericProperty()
    covered_across = NumericProperty(0)
    covered_up = NumericProperty(0)

    def __init__(self) -> None:
        super().__init__()
        self.bind(theme=lambda *_: self._paint(), scale=lambda *_: self._size())
        self._paint()
        self._size()

    def accent(self, outcome: Outcome, theme: str | None = None) -> str:
        """The colour of an outcome, which never stands alone: its symbol and its words are beside it.

        A rule in a .kv file names the theme, so that it follows it.
        """
        return ACCENTS[theme or self.theme][outcome]

    def _paint(self) -> None:
        for name, colour in THEMES[self.theme].items():
            setattr(self, name, colour)

    def _size(self) -> None:
        self.small, self.body = dp(14) * self.scale, dp(16) * self.scale
        self.large, self.headline = dp(19) * self.scale, dp(23) * self.scale
        self.touch, self.gap = dp(48), dp(8)


look: Final = Look()
