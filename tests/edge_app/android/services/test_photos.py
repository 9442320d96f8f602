import os
import time
from pathlib import Path

import pytest

from osteo_edge.edge_app.android.services.errors import NO_PHOTO, DeviceError
from osteo_edge.edge_app.android.services.photos import REMEMBERED, Photos


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    return Photos(tmp_path / "photos", tmp_path / "incoming")


def test_a_photo_goes_out_of_the_camera_apps_reach(photos: Photos) -> None:
    path = photos.ask()
    path.write_bytes(b"photo")
    taken = photos.take(path)
    assert taken.parent == photos.incoming
    assert taken.read_bytes() == b"photo"
    assert list(photos.folder.iterdir()) == []


def test_another_process_knows_which_photo_was_asked_for(photos: Photos) -> None:
    path = photos.ask()
    assert Photos(photos.folder, photos.incoming).asked_for() == path


def test_only_one_photo_is_asked_for(photos: Photos) -> None:
    first, second = photos.ask(), photos.ask()
    assert first != second
    assert sorted(path.name for path in photos.folder.iterdir()) == [REMEMBERED, second.name]


def test_no_photo_is_one_line_and_leaves_nothing(photos: Photos) -> None:
    with pytest.raises(DeviceError) as caught:
        photos.take(photos.ask())
    assert str(caught.value) == NO_PHOTO
    with pytest.raises(DeviceError, match=NO_PHOTO):
        photos.take(photos.folder / "gone.jpg")
    assert list(photos.folder.iterdir()) == []


def test_what_is_remembered_names_only_photos_there(photos: Photos) -> None:
    photos.folder.mkdir()
    assert photos.asked_for() is None
    for remembered in ("../secret", "gone.jpg", "", "\x00"):
        (photos.folder.parent / "secret").touch()
        (photos.folder / REMEMBERED).write_text(remembered)
        assert photos.asked_for() is None
    (photos.folder / REMEMBERED).write_bytes(b"\xff")
    assert photos.asked_for() is None


def test_the_photo_in_the_making_outlives_a_new_start_and_no_other(photos: Photos) -> None:
    path = photos.ask()
    (photos.folder / "photo-other.jpg").touch()
    photos.tidy()
    assert photos.asked_for() == path
    assert sorted(path.name for path in photos.folder.iterdir()) == [REMEMBERED, path.name]


def test_a_photo_that_never_came_is_removed_after_a_day(photos: Photos) -> None:
    path, day_ago = photos.ask(), time.time() - 25 * 3600
    for file in (path, photos.folder / REMEMBERED):
        os.utime(file, (day_ago, day_ago))
    photos.tidy()
    assert list(photos.folder.iterdir()) == []


def test_no_room_for_a_photo_is_one_line(photos: Photos) -> None:
    photos.folder.touch()
    with pytest.raises(DeviceError, match=r"no photo can be taken \(.+\); free some space and try again"):
        photos.ask()
