import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

import pytest

from osteo_edge.pareto_picture import Limits, Mark, Standing, draw_models

SVG = "{http://www.w3.org/2000/svg}"
LIMITS = Limits(1_500_000, {"any": 0.90, "grave": 0.85}, 0.01)


def mark(name: str, size_bytes: int, *aurocs: float, latency: float = 1.0, standing: Standing = "front") -> Mark:
    return Mark(name, size_bytes, latency, dict(zip(LIMITS.least_aurocs, aurocs, strict=True)), standing)


FLOAT = mark("float32", 8_900_000, 0.91, 0.86)
INT8 = mark("int8", 700_000, 0.905, 0.856, latency=0.5, standing="chosen")
RUINED = mark("a<b", 400_000, 0.55, 0.50, standing="failed")


def read(marks: Sequence[Mark]) -> ElementTree.Element:
    return ElementTree.fromstring(draw_models(marks, LIMITS, "Models & more"))


def circles(root: ElementTree.Element) -> dict[str, dict[str, float]]:
    """The last circle of each model, that of the second question, by the start of its tooltip."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        circle, tip = group.find(f"{SVG}circle"), group.find(f"{SVG}title")
        if circle is not None and tip is not None and tip.text is not None:
            found[tip.text.partition(":")[0]] = {key: float(circle.attrib[key]) for key in ("cx", "cy", "r")}
    return found


def words(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_smaller_is_left_better_is_up_and_slower_is_larger() -> None:
    found = circles(read([FLOAT, INT8]))
    assert found["int8"]["cx"] < found["float32"]["cx"]
    assert found["int8"]["cy"] > found["float32"]["cy"]
    assert found["float32"]["r"] == pytest.approx(found["int8"]["r"] * 2**0.5, abs=0.1)


def test_each_question_has_its_panel_with_bounds_and_every_label() -> None:
    found = words(read([FLOAT, INT8]))
    for text in ("Models & more", "AUROC any", "AUROC grave", "chosen", "size of the model file, MB (log scale)"):
        assert found.count(text) == 1
    for text in ("float32, 1.0x", "int8, 0.5x", "float32 less 0.01", "1.5 MB"):
        assert found.count(text) == 2


def test_a_ruined_model_is_an_arrow_at_the_edge_with_its_auroc_and_does_not_squash_the_others() -> None:
    without, root = circles(read([FLOAT, INT8])), read([FLOAT, INT8, RUINED])
    found = circles(root)
    assert "a<b" not in found
    assert {"a<b, 1.0x, AUROC 0.55", "a<b, 1.0x, AUROC 0.50"} <= set(words(root))
    assert [found[name]["cy"] for name in without] == [without[name]["cy"] for name in without]


def test_no_axis_names_an_auroc_above_one() -> None:
    perfect = [mark("float32", 8_900_000, 1.0, 1.0), mark("int8", 700_000, 1.0, 1.0)]
    root = ElementTree.fromstring(draw_models(perfect, Limits(10**6, {"any": 0.99, "grave": 0.99}, 0.01), "t"))
    numbers = [float(text) for text in words(root) if text.startswith(("0.9", "1.0"))]
    assert numbers
    assert max(numbers) <= 1


def test_a_failed_model_is_on_no_line() -> None:
    def lines(marks: Sequence[Mark]) -> list[str]:
        return [line.attrib["points"] for line in read(marks).iter(f"{SVG}polyline")]

    assert lines([FLOAT, INT8]) != lines([FLOAT, mark("worse", 700_000, 0.905, 0.856, standing="failed")])
    assert all(
        len(points.split()) == 1 for points in lines([FLOAT, mark("worse", 700_000, 0.9, 0.8, standing="failed")])
    )


def test_one_model_alone_can_be_drawn() -> None:
    assert set(circles(read([FLOAT]))) == {"float32"}


@pytest.mark.parametrize("size_bytes", [1, 10**15])
def test_a_size_bound_far_off_is_at_the_edge_and_does_not_squash_the_models(size_bytes: int) -> None:
    limits = Limits(size_bytes, LIMITS.least_aurocs, LIMITS.drop)
    found = circles(ElementTree.fromstring(draw_models([FLOAT, INT8], limits, "t")))
    assert found["float32"]["cx"] - found["int8"]["cx"] > 300
