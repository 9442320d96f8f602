"""What a search for a compressed model came to: the choice within the bounds, as a table, as JSON and as a picture."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from osteo_edge.compress_measuring import Images
from osteo_edge.compress_recipes import REFERENCE
from osteo_edge.compress_record import Candidate, Record
from osteo_edge.compress_search import Plan
from osteo_edge.console import show_table
from osteo_edge.pareto import Bounds, Nearest, Point, front_of, nearest_to, smallest_within
from osteo_edge.pareto_picture import Limits, Mark, Standing, draw_models

MB = 1_000_000
MUCH_SLOWER = 1.25
"""Times the time of float32: less may be chance."""


@dataclass(frozen=True)
class Choice:
    """What was found and asked for, with the Pareto front and the smallest model within the bounds, if there is one.

    `nearest` is only worth reading where there is none.
    """

    record: Record
    bounds: Bounds
    front: tuple[Point, ...]
    chosen: Point | None
    nearest: Nearest

    def standing(self, name: str) -> Standing:
        if self.record.candidates[name].shortfall is not None:
            return "failed"
        if self.chosen is not None and name == self.chosen.name:
            return "chosen"
        return "front" if any(name == point.name for point in self.front) else "behind"


def choose(record: Record, bounds: Bounds) -> Choice:
    """Choose among the models that passed their parity check and were timed."""
    points = [
        Point(name, found.size_bytes, found.latency.ratio.value, found.auroc_drop)
        for name, found in record.candidates.items()
        if found.shortfall is None and found.latency is not None
    ]
    return Choice(record, bounds, front_of(points), smallest_within(points, bounds), nearest_to(points, bounds))


def draw(choice: Choice, images: Images) -> str:
    """The models as an SVG picture."""
    record, bounds = choice.record, choice.bounds
    marks = [
        Mark(
            name,
            found.size_bytes,
            found.latency.ratio.value,
            {question: auroc.value.value for question, auroc in found.aurocs.items()},
            choice.standing(name),
        )
        for name, found in record.candidates.items()
        if found.latency is not None
    ]
    reference = record.candidates[REFERENCE].aurocs
    least = {question: auroc.value.value - bounds.auroc_drop for question, auroc in reference.items()}
    title = f"Compressed models on {_images(record, images)}"
    return draw_models(marks, Limits(bounds.size_bytes, least, bounds.auroc_drop), title)


def to_dict(choice: Choice, plan: Plan) -> dict[str, Any]:
    """The choice for machines, with all that was measured; a bundle lies in the folder of its name."""
    chosen = choice.chosen
    return {
        "out": str(plan.out),
        "bounds": asdict(choice.bounds),
        "chosen": None if chosen is None else chosen.name,
        "nearest": None if chosen else _names(choice.nearest),
        "front": [point.name for point in choice.front],
        **asdict(choice.record),
    }


def _names(nearest: Nearest) -> dict[str, str | None]:
    return {side: None if point is None else point.name for side, point in vars(nearest).items()}


def show_choice(choice: Choice, plan: Plan, images: Images) -> None:
    """Print the table, the choice, and what to do next."""
    record = choice.record
    questions = list(record.candidates[REFERENCE].aurocs)
    columns = ("Recipe", "MB", *(f"AUROC {name}, and less float32" for name in questions), "CPU ms", "of float32", "")
    rows = [_row(name, found, choice) for name, found in record.candidates.items()]
    show_table(f"On {_images(record, images)}, with 95 % intervals; CPU time on one thread", columns, rows)
    for name, found in record.candidates.items():
        if found.shortfall is not None:
            click.echo(f"{name} failed parity: {found.shortfall}.")
    for name, reason in record.failed.items():
        click.echo(f"{name} failed: {reason}")
    for name, reason in record.untried.items():
        click.echo(f"{name} not tried: {reason}.")
    if record.untried:
        click.echo("The same command with a larger --time-budget-min goes on.")
    click.echo(f"On the front of size, latency and AUROC: {', '.join(point.name for point in choice.front) or 'none'}.")
    for line in _verdict(choice, plan):
        click.echo(line)


def _verdict(choice: Choice, plan: Plan) -> Iterator[str]:
    bounds, chosen = choice.bounds, choice.chosen
    slow = "" if bounds.latency is None else f", {bounds.latency:g} times the time of float32"
    asked = f"{bounds.size_bytes / MB:g} MB{slow} and an AUROC drop of {bounds.auroc_drop:g}"
    if chosen is None:
        yield f"None is within {asked}."
        yield from _nearest_lines(choice)
        return
    path = plan.out / chosen.name
    yield f"The smallest within {asked}: {path}"
    yield f"  {_told(choice, chosen)}."
    yield from _doubts(choice, chosen)
    yield f"Chosen on the {choice.record.subject.part} part, its figures flatter it. Measure it once on test:"
    yield f"  osteo-edge {shlex.join(map(str, _measuring(chosen, plan)))}"


def _measuring(chosen: Point, plan: Plan) -> tuple[object, ...]:
    rest = (plan.out / chosen.name, plan.data, "--split", plan.split)
    return ("evaluate", *rest) if chosen.name == REFERENCE else ("compare", plan.out / REFERENCE, *rest)


def _nearest_lines(choice: Choice) -> Iterator[str]:
    nearest = choice.nearest
    sides = {
        "larger": nearest.if_larger,
        "less accurate": nearest.if_less_accurate,
        "slower": None if choice.bounds.latency is None else nearest.if_slower,
    }
    for side, point in sides.items():
        if point is not None:
            yield f"Nearest, if it may be {side}: {_told(choice, point)}."


def _told(choice: Choice, point: Point) -> str:
    found = choice.record.candidates[point.name]
    return (
        f"{point.name}: {point.size_bytes / MB:.2f} MB, {_times(found)} times the time of float32, "
        f"{_change(point.auroc_drop, found.worst)}"
    )


def _times(found: Candidate) -> str:
    """The ratio of the times with its interval; nothing where it was not timed."""
    if found.latency is None:
        return ""
    ratio = found.latency.ratio
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def _change(drop: float, worst: str) -> str:
    """What becomes of the AUROC of the question that loses most, in words.

    >>> _change(0.004, "osteoporosis"), _change(-0.004, "osteoporosis"), _change(-0.00001, "osteoporosis")
    ('loses 0.0040 of AUROC osteoporosis at worst', 'gains 0.0040 of AUROC osteoporosis at least', 'loses no AUROC')
    """
    if round(drop, 4) == 0:
        return "loses no AUROC"
    return f"loses {drop:.4f} of AUROC {worst} at worst" if drop > 0 else f"gains {-drop:.4f} of AUROC {worst} at least"


def _doubts(choice: Choice, point: Point) -> Iterator[str]:
    """What whoever takes this model should know first."""
    aurocs = choice.record.candidates[point.name].aurocs
    question = min(aurocs, key=lambda name: aurocs[name].difference.low)
    low = aurocs[question].difference.low
    if -low > choice.bounds.auroc_drop:
        yield (
            f"{aurocs[question].value.n} images cannot rule out that it loses more: the interval of AUROC {question} "
            f"reaches down to {low:.4f}."
        )
    if point.latency > MUCH_SLOWER and choice.bounds.latency is None:
        yield "It is slower than float32; --max-latency 1 leaves out such models."


def _row(name: str, found: Candidate, choice: Choice) -> tuple[str, ...]:
    aurocs = (
        f"{auroc.value.value:.3f}, {auroc.difference.value:+.4f} "
        f"[{auroc.difference.low:+.4f}, {auroc.difference.high:+.4f}]"
        for auroc in found.aurocs.values()
    )
    median = "" if found.latency is None else f"{found.latency.median_ms:.2f}"
    standing = choice.standing(name)
    words = {"failed": "FAILED parity", "behind": ""}.get(standing, standing)
    return name, f"{found.size_bytes / MB:.3f}", *aurocs, median, _times(found), words


def _images(record: Record, images: Images) -> str:
    n = record.candidates[REFERENCE].decisions.n
    skipped = len(images.cases) - n
    return f"{n} {record.subject.part} images" + (f" ({skipped} could not be read)" if skipped else "")
