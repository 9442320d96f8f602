import sys
import xml.etree.ElementTree as ElementTree

import pytest

from osteo_edge.errors import MissingExtraError
from osteo_edge.svg_figure import INK, svg_axes


def test_a_figure_is_an_element_of_a_page_in_its_own_ink() -> None:
    with svg_axes("time", "share", title="Knees") as (axes, svg):
        axes.plot([0, 1], [0, 1])
    picture = svg()
    assert ElementTree.fromstring(picture).tag == "svg"
    assert ">Knees<" in picture
    assert "currentColor" in picture
    assert INK not in picture
    assert "http" not in picture


@pytest.mark.parametrize("name", ["$x^{$", "a\\b", "<svg>", "骨"])
def test_a_name_is_drawn_as_text_whatever_it_holds(name: str) -> None:
    with svg_axes(name, "") as (_, svg):
        pass
    words = {element.text for element in ElementTree.fromstring(svg()).iter() if element.text}
    assert name in words


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with (
        pytest.raises(MissingExtraError, match=r"figures needs matplotlib: pip install 'osteo-edge\[report\]'"),
        svg_axes("", ""),
    ):
        pass
