from pathlib import Path

import pytest

from osteo_edge.edge_app.kept_settings import PIN_CHANGED, KeptSettings
from osteo_edge.edge_app.pin import PinHash, hash_pin
from osteo_edge.errors import OsteoEdgeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_a_pin_is_set_changed_and_taken_off_by_who_knows_it(path: Path) -> None:
    kept, first, second = KeptSettings(path), hash_pin("7193"), hash_pin("80246")
    kept.set_pin(first, in_place_of=None)
    kept.set_pin(second, in_place_of=first)
    assert KeptSettings(path).now.pin == second
    kept.set_pin(None, in_place_of=second)
    assert KeptSettings(path).now.pin is None


@pytest.mark.parametrize("known", [None, hash_pin("1379")], ids=["none", "another"])
@pytest.mark.parametrize("wanted", [None, hash_pin("80246")], ids=["remove", "set"])
def test_a_pin_of_another_window_that_was_not_known_of_stays(
    path: Path, known: PinHash | None, wanted: PinHash | None
) -> None:
    ours, theirs, pin = KeptSettings(path), KeptSettings(path), hash_pin("7193")
    ours.change(pin=known)
    theirs.set_pin(pin, in_place_of=known)
    with pytest.raises(OsteoEdgeError, match=PIN_CHANGED):
        ours.set_pin(wanted, in_place_of=known)
    assert ours.now.pin == theirs.now.pin == pin
