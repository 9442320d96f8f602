import pickle
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from osteo_edge.archive.film import Options
from osteo_edge.archive.plan import Plan, Source
from osteo_edge.archive.planning import Wish, make_plan
from osteo_edge.archive.ray_engine import RayEngine, Stop, find_fault, screen_shard
from osteo_edge.bundle import Bundle
from osteo_edge.errors import MissingExtraError, OsteoEdgeError
from osteo_edge.preflight import open_checked
from osteo_edge.version import VERSION

pytest.importorskip("pyarrow")


@pytest.fixture
def plan(tmp_path: Path, film: Path, bundle: Bundle) -> Plan:
    """A plan of one film."""
    films = tmp_path / "films"
    films.mkdir()
    film.rename(films / film.name)
    out = tmp_path / "out"
    out.mkdir()
    runtime = open_checked(bundle, threads=1).name
    return make_plan(
        Wish(Source(str(films), "folder", str(films)), bundle, runtime, Options()), out, lambda found: None
    )


def test_a_node_that_sees_all_has_no_fault(plan: Plan) -> None:
    assert find_fault(pickle.loads(pickle.dumps(plan)), VERSION) is None


def test_a_node_with_another_version_is_told_which_to_install(plan: Plan) -> None:
    assert find_fault(plan, "9.9") == f"has osteo-edge {VERSION}, and 9.9 is asked for; install the same on every node"


def test_a_node_that_does_not_see_the_bundle_is_told_to_share_it(plan: Plan) -> None:
    plan.bundle.rename(plan.bundle.with_name("elsewhere"))
    fault = find_fault(plan, VERSION)
    assert fault is not None
    assert fault.startswith(f"{plan.bundle}: no such bundle")
    assert fault.endswith("storage that every node sees under the same path")


def test_a_node_whose_bundle_was_altered_says_so(plan: Plan, bundle: Bundle) -> None:
    bundle.model_path.write_bytes(b"other")
    assert "altered since the bundle was written" in str(find_fault(plan, VERSION))


def test_a_node_that_does_not_see_the_results_says_so(plan: Plan, tmp_path: Path) -> None:
    fault = find_fault(replace(plan, out=tmp_path / "local"), VERSION)
    assert str(fault).startswith(f"{tmp_path / 'local'}: does not hold this run's plan; put SOURCE")


def test_a_node_that_sees_another_plan_says_so(plan: Plan) -> None:
    other = replace(plan, record=replace(plan.record, planned_at="2026-01-31T09:30:00+00:00"))
    assert "does not hold this run's plan" in str(find_fault(other, VERSION))


def test_a_bundle_that_was_moved_since_is_no_other_plan(plan: Plan, tmp_path: Path) -> None:
    moved = plan.bundle.rename(tmp_path / "moved")
    assert find_fault(replace(plan, record=replace(plan.record, bundle=str(moved))), VERSION) is None


def test_a_node_that_does_not_see_the_films_says_so(plan: Plan) -> None:
    plan.root.rename(plan.root.with_name("elsewhere"))
    assert str(find_fault(plan, VERSION)).startswith(f"{plan.root}: is not there; put SOURCE")


def test_a_task_tells_what_must_end_the_run_in_words_that_any_process_understands(plan: Plan) -> None:
    (plan.bundle / "manifest.json").write_text("{}", "utf-8")
    found = pickle.loads(pickle.dumps(screen_shard(plan, 0, False)))
    assert isinstance(found, Stop)
    assert str(plan.bundle) in found.line


def test_without_ray_it_is_said_what_to_install(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"--engine ray needs ray: pip install 'osteo-edge\[cluster\]'"):
        run(RayEngine("127.0.0.1:1"), plan)


@pytest.mark.parametrize("address", ["head", "ray://head:10001", "head:", "head:door"])
def test_an_address_that_is_none_is_told_so(plan: Plan, address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(OsteoEdgeError, match=f"--address {address}: name the head node as HOST:PORT"):
        run(RayEngine(address), plan)


def test_an_address_at_which_nobody_answers_is_told_at_once(plan: Plan) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(OsteoEdgeError, match=rf"--address 127\.0\.0\.1:{port}: no Ray answers there .*refused"):
        run(RayEngine(f"127.0.0.1:{port}"), plan)


def test_a_port_out_of_range_is_told_so(plan: Plan) -> None:
    pytest.importorskip("ray")
    with pytest.raises(OsteoEdgeError, match=r"--address 127\.0\.0\.1:99999: no Ray answers there"):
        run(RayEngine("127.0.0.1:99999"), plan)


def test_a_machine_that_is_no_node_of_a_cluster_is_told_so_before_anything_is_planned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(OsteoEdgeError, match="--address auto: this machine is no node of a running Ray; start it with"):
        RayEngine("auto").require_ready()


def run(engine: RayEngine, plan: Plan) -> None:
    engine.run(plan, plan.missing(), workers=1, on_done=lambda summary: None)
