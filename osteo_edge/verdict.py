"""The verdict on a converted model in words: what it reached, and what it failed to."""

from osteo_edge.manifest import Parity
from osteo_edge.wording import FAILED_CHECK


def measured(parity: Parity) -> str:
    """How far the converted model answers as the other, in one clause."""
    return (
        f"decisions agree on {parity.decision_agreement:.1%}, probabilities differ by {parity.mean_difference:.4f} on "
        f"average, {parity.largest_difference:.4f} at most"
    )


def asked_for(parity: Parity) -> str:
    """What the model was asked to reach, and whether it did, in one sentence."""
    verdict = parity.verdict
    if verdict is None:
        return "Not judged: no bound is recorded."
    outcome = "Passed" if verdict.passed else "FAILED"
    return (
        f"{outcome}: asked for are decisions that agree on {verdict.min_agreement:.1%}, as far as {parity.n} images "
        f"can tell, and a mean difference of {verdict.max_mean_difference:g} at most."
    )


def warning(parity: Parity | None) -> str | None:
    """What whoever uses a model that failed its check must read; None where it passed or was not judged."""
    failure = shortfall(parity)
    return None if failure is None else f"{FAILED_CHECK} In detail: {failure}."


def shortfall(parity: Parity | None) -> str | None:
    """In what the model failed its check, in one clause; None where it passed or was not judged.

    >>> parity = Parity("a" * 64, "validation images", 34, 0.4, 0.07, 31 / 34)
    >>> shortfall(parity.judged(0.98, 0.1))
    'decisions agree on 91.2% of 34 images, 98.0% are asked for'
    """
    if parity is None or parity.verdict is None or parity.verdict.passed:
        return None
    asked, failures = parity.verdict, []
    if not parity.agrees(asked.min_agreement):
        share = f"{parity.decision_agreement:.1%} of {parity.n} images"
        failures.append(f"decisions agree on {share}, {asked.min_agreement:.1%} are asked for")
    if parity.mean_difference > asked.max_mean_difference:
        average = f"{parity.mean_difference:.4f} on average"
        failures.append(f"probabilities differ by {average}, {asked.max_mean_difference:g} at most is asked for")
    return "; ".join(failures)
