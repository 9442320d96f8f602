"""Figures that are too good to be true, and where to look for what made them so."""

from collections.abc import Mapping

from osteo_edge.intervals import Estimate

IMPLAUSIBLE_AUROC = 0.97
"""Above this a model tells apart more than its finding can be seen on an X-ray; public sets hold copies."""
TELLING_BASELINE = 0.65
"""An AUROC that no model needs a knee for; the same bound as the audit's."""
PHANTOM = "phantom"
"""The label source of drawn films, on which any AUROC is plausible."""


def find_alarms(
    estimates: Mapping[str, Estimate], label_source: str, baselines: Mapping[str, Estimate] | None = None
) -> tuple[str, ...]:
    """One sentence for each reason not to believe the figures; none for none.

    `estimates` are the model's, by name; `baselines` the AUROC by what was used in its place: size, file format, ...
    """
    areas = {name: found.value for name, found in estimates.items() if name.startswith("AUROC")}
    high = {name: value for name, value in areas.items() if value > IMPLAUSIBLE_AUROC}
    alarms = [_copies(high)] if high and label_source != PHANTOM else []
    telling = {name: found.value for name, found in (baselines or {}).items() if found.value > TELLING_BASELINE}
    return (*alarms, *(_shortcut(name, value) for name, value in telling.items()))


def _copies(areas: Mapping[str, float]) -> str:
    listed = ", ".join(f"{name} {value:.3f}" for name, value in areas.items())
    return (
        f"{listed}: implausibly high for public X-rays (above {IMPLAUSIBLE_AUROC}); look for copies of one film "
        "across parts (osteo-edge data audit), a split that is not the one it was trained with, and labels that the "
        "file itself gives away."
    )


def _shortcut(name: str, area: float) -> str:
    return (
        f"{name} alone reaches an AUROC of {area:.3f} (above {TELLING_BASELINE}): the label can be told without "
        "looking at the bone, and a model may have learned that; see osteo-edge data audit, and compare within films "
        "of like size and format."
    )
