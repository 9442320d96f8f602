"""How often it was decided otherwise than the model answered, by what somebody entered of it.

No measure of the model: who decides otherwise may be right or wrong, and decisions that nobody entered are not in it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from osteo_edge.edge_app.history.entry import TO_FOLLOW, Entry
from osteo_edge.edge_app.history.followup import one_per_patient
from osteo_edge.intervals import Estimate, wilson
from osteo_edge.wording import Outcome


@dataclass(frozen=True)
class Overrides:
    """Of the answers with a decision, one a patient, the share that was decided otherwise, by the answer.

    Wilson's intervals; NaN where there is no case.
    """

    shares: dict[Outcome, Estimate]

    @property
    def n(self) -> int:
        return sum(share.n for share in self.shares.values())


def count_overrides(entries: Iterable[Entry]) -> Overrides:
    """Count the decisions among the screenings of one model."""
    decided = one_per_patient(entry for entry in entries if entry.decided is not None)
    return Overrides({outcome: _share(decided, outcome) for outcome in TO_FOLLOW})


def _share(decided: Sequence[Entry], outcome: Outcome) -> Estimate:
    return wilson(np.array([entry.decided == "otherwise" for entry in decided if entry.outcome == outcome], bool))
