import pytest

from osteo_edge.alarms import find_alarms
from osteo_edge.intervals import Estimate


def found(value: float) -> Estimate:
    return Estimate(value, value - 0.1, min(1.0, value + 0.1), 40)


def test_believable_figures_raise_no_alarm() -> None:
    estimates = {"AUROC osteoporosis": found(0.97), "sensitivity": found(1.0), "AUROC normal": found(float("nan"))}
    assert find_alarms(estimates, "DXA", {"image size": found(0.65)}) == ()


@pytest.mark.parametrize("name", ["AUROC osteoporosis", "AUROC abnormal", "AUROC any finding"])
def test_the_alarm_is_true_of_any_bone_and_finding(name: str) -> None:
    (alarm,) = find_alarms({name: found(0.985)}, "radiologists")
    assert alarm.startswith(f"{name} 0.985: implausibly high for public X-rays (above 0.97)")
    assert "knee" not in alarm


def test_an_auroc_too_good_to_be_true_names_itself_and_where_to_look() -> None:
    (alarm,) = find_alarms({"AUROC osteoporosis": found(0.985), "AUROC normal": found(0.8)}, "DXA")
    assert alarm.startswith("AUROC osteoporosis 0.985: implausibly high for public X-rays")
    assert "copies of one film across parts (osteo-edge data audit)" in alarm
    assert "normal" not in alarm


def test_drawn_films_may_be_told_apart() -> None:
    assert find_alarms({"AUROC osteoporosis": found(1.0)}, "phantom") == ()


@pytest.mark.parametrize("source", ["DXA", "phantom"])
def test_what_tells_the_label_without_the_bone_is_named(source: str) -> None:
    (alarm,) = find_alarms({}, source, {"image size": found(0.71), "brightness": found(0.5)})
    assert alarm.startswith("image size alone reaches an AUROC of 0.710")
