from pathlib import Path

import pytest

from osteo_edge.edge_app.android.services.errors import DeviceError
from osteo_edge.edge_app.android.services.sending import lay_out, media_type


def test_it_is_laid_out_under_the_same_name_and_nowhere_else(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"new")
    laid = lay_out(report, tmp_path / "sending")
    assert laid == tmp_path / "sending" / "report.pdf"
    assert laid.read_bytes() == b"new"
    assert not report.exists()


def test_what_another_app_is_still_reading_stays_whole(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"old")
    with lay_out(report, tmp_path / "sending").open("rb") as file:
        report.write_bytes(b"quite new")
        lay_out(report, tmp_path / "sending")
        assert file.read() == b"old"


def test_what_cannot_be_moved_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"^gone\.csv: cannot be sent \(No such file or directory\); free some space"):
        lay_out(tmp_path / "gone.csv", tmp_path / "sending")
    assert list((tmp_path / "sending").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("report.pdf", "application/pdf"),
        ("films.csv", "text/csv"),
        ("site.zip", "application/zip"),
        ("film.png", "image/png"),
        ("film.dcm", "application/dicom"),
        ("what", "application/octet-stream"),
    ],
)
def test_a_file_is_offered_as_what_its_name_says(name: str, kind: str) -> None:
    assert media_type(Path(name)) == kind
