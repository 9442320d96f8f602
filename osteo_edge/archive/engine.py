"""What does the shards of a plan: the processes of one machine, or a cluster."""

from collections.abc import Callable, Sequence
from typing import Protocol

from osteo_edge.archive.plan import Plan
from osteo_edge.archive.shards import ShardSummary


class Engine(Protocol):
    """Does shards in any order; one that is ended by force leaves those that it has done whole, and no others."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in the record of runs."""

    def require_ready(self) -> None:
        """Raise OsteoEdgeError where a package is missing, or nobody answers: before films are looked for."""

    def run(self, plan: Plan, shards: Sequence[int], *, workers: int, on_done: Callable[[ShardSummary], None]) -> None:
        """Do the shards, with so many processes; `on_done` hears of each, in this thread.

        OsteoEdgeError for what is wrong with the machine, the bundle or the place of the results.
        """
