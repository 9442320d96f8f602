import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest

from osteo_edge.curves import decision_curve, reliability
from osteo_edge.intervals import Estimate
from osteo_edge.svg_figure import INK
from osteo_edge.train import plots

GRID = np.linspace(0, 1, 11)
BAND = (GRID**0.5, GRID, GRID**0.25)
POSITIVE = np.array([True, False, True, False, True])
SCORE = np.array([0.9, 0.2, 0.6, 0.7, 0.8])

PLOTS: dict[str, tuple[Callable[[], str], list[str]]] = {
    "roc": (lambda: plots.plot_roc(GRID, {"ours": BAND, "theirs": BAND}), ["1 - specificity", "ours", "theirs"]),
    "precision-recall": (lambda: plots.plot_precision_recall(GRID, {"ours": BAND}, 0.3), ["recall", "ours"]),
    "reliability": (lambda: plots.plot_reliability({"ours": reliability(POSITIVE, SCORE)}), ["observed share", "ours"]),
    "decision": (lambda: plots.plot_decision({"ours": decision_curve(POSITIVE, SCORE)}), ["refer everybody", "ours"]),
    "confusion": (
        lambda: plots.plot_confusion(np.array([[12.0, 3.0], [4.0, 1234.0]]), ["a", "b"], "Matrix"),
        ["given", "answered", "1234", "Matrix"],
    ),
    "learning": (lambda: plots.plot_learning({"loss": [[1.0, 0.5, 0.4], [1.2, 0.6]]}), ["epoch", "loss"]),
    "forest": (
        lambda: plots.plot_forest([("age 70+", Estimate(0.7, 0.5, 0.9, 31))], label="AUROC", line=0.5),
        ["age 70+", "n = 31"],
    ),
    "scores": (lambda: plots.plot_scores({"osteopenia": SCORE}, 0.4), ["osteopenia", "n = 5"]),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_one_svg_element_that_names_what_it_shows(name: str) -> None:
    draw, words = PLOTS[name]
    picture = draw()
    assert ElementTree.fromstring(picture).tag == "svg"
    for word in words:
        assert word in picture


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_takes_its_ink_from_the_page_and_loads_nothing(name: str) -> None:
    picture = PLOTS[name][0]()
    assert "currentColor" in picture
    assert INK not in picture
    assert "http" not in picture
    assert "#1f77b4" not in picture  # matplotlib's own first colour


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_numbers_give_the_same_picture(name: str) -> None:
    assert PLOTS[name][0]() == PLOTS[name][0]()


def test_a_value_that_is_not_defined_is_left_out_without_a_word() -> None:
    nothing = np.full(GRID.shape, np.nan)
    assert "<svg" in plots.plot_roc(GRID, {"ours": (nothing, nothing, nothing)})
    assert "<svg" in plots.plot_forest([("few", Estimate(np.nan, np.nan, np.nan, 2))], label="AUROC", line=0.5)
