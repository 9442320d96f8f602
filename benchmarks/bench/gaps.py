"""What could not be measured: noted with the reason, while the rest goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from osteo_edge.benchmarks.measuring.results import Missing
from osteo_edge.errors import OsteoEdgeError

T = TypeVar("T")


@dataclass
class Gaps:
    """What could not be measured, as it turns up."""

    found: list[Missing] = field(default_factory=list)

    def add(self, of: str, what: str, reason: str) -> None:
        self.found.append(Missing(of, what, reason))

    def attempt(self, of: str, what: str, work: Callable[[], T]) -> T | None:
        """What `work` gives, or None and a line about what it was stopped by."""
        try:
            return work()
        except OsteoEdgeError as error:
            self.add(of, what, str(error))
            return None
