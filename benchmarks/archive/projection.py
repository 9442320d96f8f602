"""How long an archive takes on a cluster, and at what price: on paper, from what one worker was measured to do.

python -m osteo_edge.benchmarks.archive.projection --films 1000000 --rate 25 --nodes 4 --cores 16 --megabytes 8
"""

from dataclasses import asdict, dataclass
from typing import Literal

import click

from osteo_edge.console import show_json
from osteo_edge.standalone import Standalone

HOUR_S = 3600


@dataclass(frozen=True)
class Cluster:
    """`cores` are those of one node; `storage` is what all nodes together read in a second, in megabytes."""

    nodes: int
    cores: int
    storage: float
    price: float | None = None
    """Of a node for an hour, in any currency."""


@dataclass(frozen=True)
class Projection:
    """How long it takes, what it costs where a price is given, and which of the two gives the pace."""

    films: int
    films_per_second: float
    hours: float
    node_hours: float
    cost: float | None
    bottleneck: Literal["processors", "storage"]


def project(films: int, rate: float, megabytes: float, cluster: Cluster) -> Projection:
    """The pace of so many films of so many megabytes, of which a core that never waits screens `rate` a second.

    >>> project(1_000_000, 25.0, 8.0, Cluster(nodes=4, cores=16, storage=1000.0)).bottleneck
    'storage'
    """
    computed = rate * cluster.cores * cluster.nodes
    read = cluster.storage / megabytes
    pace = min(computed, read)
    hours = films / pace / HOUR_S
    node_hours = hours * cluster.nodes
    return Projection(
        films=films,
        films_per_second=pace,
        hours=hours,
        node_hours=node_hours,
        cost=None if cluster.price is None else node_hours * cluster.price,
        bottleneck="processors" if computed <= read else "storage",
    )


@click.command(cls=Standalone, short_help="Time and price of an archive on a cluster, on paper.")
@click.option("--films", type=click.IntRange(1), required=True, help="How many there are.")
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), required=True, help="Films a second that one core does."
)
@click.option("--nodes", type=click.IntRange(1), required=True)
@click.option("--cores", type=click.IntRange(1), required=True, help="Of one node.")
@click.option("--megabytes", type=click.FloatRange(0, min_open=True), required=True, help="Of one film's file.")
@click.option(
    "--storage",
    type=click.FloatRange(0, min_open=True),
    default=1000.0,
    show_default=True,
    help="Megabytes a second that all nodes together read.",
)
@click.option("--price", type=click.FloatRange(0), help="Of a node for an hour, in any currency.")
@click.option("--json", "as_json", is_flag=True, help="The result for machines.")
def archive_projection(
    films: int,
    rate: float,
    nodes: int,
    cores: int,
    megabytes: float,
    storage: float,
    price: float | None,
    as_json: bool,
) -> None:
    """Tell how long a cluster takes for an archive, and whether its processors or its storage give the pace.

    Films a second are the lesser of --rate times all cores, and --storage over --megabytes. Take --rate from the
    summary of a run on such a machine, with as many workers as it has cores.

    \b
    Example:
      python -m osteo_edge.benchmarks.archive.projection --films 1000000 --rate 25 --nodes 4 --cores 16 --megabytes 8
    """
    found = project(films, rate, megabytes, Cluster(nodes, cores, storage, price))
    if as_json:
        show_json(asdict(found))
        return
    cost = "" if found.cost is None else f", price {found.cost:,.2f}"
    click.echo(
        f"{films:,} films: {found.hours:,.1f} hours at {found.films_per_second:,.0f} films a second, "
        f"{found.node_hours:,.1f} hours of a node{cost}; the pace is that of the {found.bottleneck}"
    )


if __name__ == "__main__":
    archive_projection(prog_name="python -m osteo_edge.benchmarks.archive.projection")
