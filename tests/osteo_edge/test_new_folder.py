import shutil
from pathlib import Path

import pytest

from osteo_edge.errors import DatasetError, OsteoEdgeError
from osteo_edge.new_folder import new_folder, require_new


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "below" / "kit"
    with new_folder(target, "the kit") as folder:
        (folder / "file").write_bytes(b"in it")
        assert not target.exists()
    assert (target / "file").read_bytes() == b"in it"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_raised_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def half() -> None:
        with new_folder(tmp_path / "kit", "the kit") as folder:
            (folder / "file").write_bytes(b"half")
            raise error

    with pytest.raises(error):
        half()
    assert list(tmp_path.iterdir()) == []


def test_what_the_system_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OsteoEdgeError, match=r"kit cannot be written \(.+\); free some space or choose another place"),
        new_folder(tmp_path / "file" / "kit", "the kit"),
    ):
        pass


def test_a_tree_that_cannot_be_copied_is_one_line(tmp_path: Path) -> None:
    files = [("model", "copy", "[Errno 28] No space left on device"), ("other", "copy", "odd")]
    with pytest.raises(OsteoEdgeError) as caught, new_folder(tmp_path / "kit", "the kit"):
        raise shutil.Error(files)
    assert str(caught.value).startswith(f"{tmp_path / 'kit'}: the kit cannot be written (No space left on device); ")


def test_an_empty_folder_gives_way_and_a_full_one_stays(tmp_path: Path) -> None:
    target = tmp_path / "kit"
    target.mkdir()
    require_new(target)
    with new_folder(target, "the kit") as folder:
        (folder / "file").write_bytes(b"first")
    with pytest.raises(OsteoEdgeError, match="exists and is not an empty folder"):
        require_new(target)
    with (
        pytest.raises(DatasetError, match=r"cannot be written there \(exists by now\); choose another"),
        new_folder(target, "the kit", error=DatasetError) as folder,
    ):
        (folder / "file").write_bytes(b"second")
    assert (target / "file").read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [target]
