"""`python -m tests.faults`: interrupt everything that is written, at every call that changes the disk."""

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tests.faults import shim

if TYPE_CHECKING:
    from tests.faults.actions import Action
    from tests.faults.campaign import Result

MOST_SHOWN: Final = 40
TOLD_EVERY: Final = 20


@click.command()
@click.option("--only", default="", metavar="WORDS", help="Only the actions whose names hold these words.")
@click.option("--sample", type=click.IntRange(1), help="At most so many faults of each action, drawn by chance.")
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True, help="Chances of a power cut, per call.")
@click.option("--json", "as_json", is_flag=True, help="The results as one JSON object.")
@click.option("--list", "only_list", is_flag=True, help="Name the actions, and how many calls each makes.")
def main(only: str, sample: int | None, seeds: int, as_json: bool, only_list: bool) -> None:
    """Interrupt everything that osteo-edge writes, and see whether anything is lost.

    Each action (a screening saved, a backup restored, …) is done once to count the calls by which it changes the disk,
    SQLite's among them. Then it is done again for each of these calls and each kind of fault: the disk is full or
    fails, once or for good; half a write; kill -9 before, within and after the call; a power cut, which also forgets
    all or part of what was not synced; the clock set back by years. After each fault the program is started as usual,
    and all that was acknowledged must be there, the rest whole or not at all, and no temporary file left.

    \b
    Examples:
      python -m tests.faults                        all of it: 30,000 faults and more, for many minutes
      python -m tests.faults --sample 20            a quick look at each action
      python -m tests.faults --only "backup"        what is done with backups
    """
    chosen = [action for action in _actions() if only in action.name]
    if not chosen:
        raise click.BadParameter(f"no action's name holds {only!r}; see --list", param_hint="'--only'")
    library = shim.Shim()
    if only_list:
        for action in chosen:
            click.echo(_counted(action, library, seeds))
        return
    results = [_tried_out(action, library, sample, seeds) for action in chosen]
    broken = [violation for result in results for violation in result.violations]
    if as_json:
        click.echo(json.dumps({"results": [_plain(result) for result in results], "broken": [vars(v) for v in broken]}))
    else:
        _show(results)
        for one in broken[:MOST_SHOWN]:
            click.echo(f"\n{one.verdict}: {one.action}: {one.fault}\n  {one.what}")
    sys.exit(1 if broken else 0)


def _actions() -> "tuple[Action, ...]":
    from tests.faults.actions import clinic_actions
    from tests.faults.elsewhere import other_actions, pi_actions

    return (*clinic_actions(), *other_actions(), *pi_actions())


def _counted(action: "Action", library: shim.Shim, seeds: int) -> str:
    from tests.faults.campaign import Campaign

    with Campaign(action, library) as campaign:
        return f"{action.name}: {len(campaign.trace)} calls, {len(list(campaign.faults(seeds)))} faults"


def _tried_out(action: "Action", library: shim.Shim, sample: int | None, seeds: int) -> "Result":
    """Try the faults of an action, all or a sample of them; the progress goes to stderr."""
    from tests.faults.campaign import Campaign, Result

    start = time.monotonic()
    with Campaign(action, library) as campaign:
        result = Result(action.name, len(campaign.trace))
        faults = list(campaign.faults(seeds))
        if sample is not None and sample < len(faults):
            faults = random.Random(action.name).sample(faults, sample)
        for number, fault in enumerate(faults, 1):
            campaign.try_out(fault, result)
            if number % TOLD_EVERY == 0 and sys.stderr.isatty():
                click.echo(f"\r{action.name}: {number} of {len(faults)} ", nl=False, err=True)
    click.echo(f"\r{action.name}: {result.faults} faults in {time.monotonic() - start:.0f} s", err=True)
    return result


def _plain(result: "Result") -> dict[str, object]:
    from tests.faults.campaign import VERDICTS

    counted = {verdict: result.count(verdict) for verdict in VERDICTS}
    return vars(result) | {"violations": len(result.violations)} | counted


def _show(results: "list[Result]") -> None:
    """A table for people, which can be pasted into a page."""
    from tests.faults.campaign import VERDICTS

    columns = ("action", "calls", "faults", "acknowledged", "refused", *VERDICTS)
    click.echo(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    rows = [
        (one.action, (one.calls, one.faults, one.acknowledged, one.refused, *map(one.count, VERDICTS)))
        for one in results
    ]
    total = ("all", tuple(map(sum, zip(*(counts for _, counts in rows), strict=True))))
    for name, counts in (*rows, total):
        click.echo(f"| {name} | {' | '.join(map(str, counts))} |")


def start() -> None:
    """Start the command with the library that makes calls fail, which is built first."""
    if shim.is_loaded():
        shim.forget_library()
        main()
        return
    try:
        library = shim.build(Path(tempfile.mkdtemp(prefix=shim.BUILT)))
    except RuntimeError as error:
        sys.exit(f"tests.faults: {error}")
    shim.start_again_with(library, "tests.faults")


if __name__ == "__main__":
    start()
