import json

import pytest
from click.testing import CliRunner

from osteo_edge.benchmarks.archive.projection import Cluster, archive_projection, project


def test_processors_give_the_pace_where_storage_is_fast() -> None:
    found = project(3_600_000, 25.0, 1.0, Cluster(nodes=2, cores=20, storage=10_000.0, price=0.5))
    assert (found.films_per_second, found.bottleneck) == (1000.0, "processors")
    assert (found.hours, found.node_hours, found.cost) == (1.0, 2.0, 1.0)


def test_storage_gives_the_pace_where_films_are_large() -> None:
    found = project(1_000, 25.0, 20.0, Cluster(nodes=2, cores=20, storage=1_000.0))
    assert (found.films_per_second, found.bottleneck, found.cost) == (50.0, "storage", None)


def test_more_nodes_cost_the_same_until_storage_is_full() -> None:
    clusters = [Cluster(nodes, 16, 1_000.0, 1.0) for nodes in (1, 2, 4, 8)]
    costs = [project(10**6, 25.0, 1.0, cluster).cost for cluster in clusters]
    assert costs[0] == pytest.approx(costs[1])
    assert costs[3] > costs[1]  # type: ignore[operator]


def test_the_command_says_it_in_a_line_and_as_json() -> None:
    arguments = ["--films", "1000000", "--rate", "25", "--nodes", "4", "--cores", "16", "--megabytes", "8"]
    shown = CliRunner().invoke(archive_projection, arguments)
    assert shown.stdout == (
        "1,000,000 films: 2.2 hours at 125 films a second, 8.9 hours of a node; the pace is that of the storage\n"
    )
    told = json.loads(CliRunner().invoke(archive_projection, [*arguments, "--price", "2", "--json"]).stdout)
    assert told["cost"] == pytest.approx(2 * told["node_hours"])
