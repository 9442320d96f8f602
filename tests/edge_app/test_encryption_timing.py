import json

from click.testing import CliRunner

from osteo_edge.edge_app.encryption_timing import main


def test_each_action_is_measured_both_ways() -> None:
    found = CliRunner().invoke(main, ["--screenings", "10", "--runs", "3", "--json"])
    assert found.exit_code in (0, 1), found.output
    report = json.loads(found.stdout)
    assert [cost["action"].split()[0] for cost in report["costs"]] == ["history", "page", "screening", "saved"]
    for cost in report["costs"]:
        assert cost["plain_ms"] > 0
        assert cost["more"]["n"] == 3
        assert cost["holds"] == (cost["more"]["value"] <= 0.15)
    assert found.exit_code == (0 if all(cost["holds"] for cost in report["costs"]) else 1)
    assert report["seconds_a_try"] > 0
