"""Texts of the sizes that pages are made of."""

from osteo_edge.edge_app.ui.kit import Words
from osteo_edge.edge_app.ui.screen import load_kv


class Headline(Words):
    """What a page is about."""


class Heading(Words):
    """What a part of a page is about."""


class Remark(Words):
    """What is said beside the thing itself."""


class Alarm(Words):
    """What is wrong."""


load_kv(__file__)
