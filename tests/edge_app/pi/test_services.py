from pathlib import Path

import pytest

from osteo_edge.edge_app.pi.services import KIOSK, WANTED, WATCH, restart_services, services_in_use
from osteo_edge.edge_app.pi.versions import Places


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A version whose script notes what it is given."""
    script = tmp_path / "1.0.0" / "units" / "enable.sh"
    script.parent.mkdir(parents=True)
    script.write_text(f"echo $* > {tmp_path}/given\n", "utf-8")
    return script.parents[1]


def want(places: Places, *units: str) -> None:
    (places.root / WANTED).mkdir(parents=True)
    for unit in units:
        (places.root / WANTED / unit).symlink_to("/nowhere")


@pytest.mark.parametrize(
    ("units", "is_in_use", "given"),
    [
        ((), False, ""),
        ((WATCH,), True, ""),
        ((WATCH, KIOSK), True, "--kiosk"),
        ((KIOSK,), True, "--kiosk --no-watch"),
    ],
)
def test_what_is_in_use_is_started_again_and_nothing_else(
    units: tuple[str, ...], is_in_use: bool, given: str, places: Places, version: Path, tmp_path: Path
) -> None:
    want(places, *units)
    assert services_in_use(places) is is_in_use
    restart_services(places, version)
    assert (tmp_path / "given").read_text("utf-8").strip() == given


def test_the_watcher_can_be_asked_for_beside_the_kiosk(places: Places, version: Path, tmp_path: Path) -> None:
    want(places, KIOSK)
    restart_services(places, version, watch=True)
    assert (tmp_path / "given").read_text("utf-8").strip() == "--kiosk"
