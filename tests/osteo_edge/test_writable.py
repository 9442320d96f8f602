import os
from pathlib import Path

import pytest

from osteo_edge.errors import BundleError, OsteoEdgeError
from osteo_edge.writable import require_writable


def test_a_place_that_cannot_be_written_is_known_before_anything_is_made_for_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    require_writable(file, "the page")
    require_writable(tmp_path / "new" / "folder" / "page.html", "the page")
    with pytest.raises(OsteoEdgeError, match=rf"page\.html: the page cannot be written \({file} is not to be written"):
        require_writable(file / "new" / "page.html", "the page")
    with pytest.raises(BundleError, match=r"the page cannot be written \(this is a folder\); choose another place"):
        require_writable(tmp_path, "the page", error=BundleError)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_without_permission_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.F_OK)
    with pytest.raises(OsteoEdgeError, match="is not to be written to"):
        require_writable(tmp_path / "page.html", "the page")
