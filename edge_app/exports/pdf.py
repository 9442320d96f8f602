"""A screening as a report on one page, for the patient's file or the referral."""

from dataclasses import dataclass
from pathlib import Path

from osteo_edge.edge_app.history.entry import Entry
from osteo_edge.edge_app.translation import Translate
from osteo_edge.extras import load_extra
from osteo_edge.lettering import Picture
from osteo_edge.writing import write_whole


@dataclass(frozen=True, eq=False)
class Report:
    """What a report shows.

    `film` and `overlay` are (height, width, 3) in blue, green, red: the film, and the film with the evidence laid over
    it, or None where the model has none.
    """

    entry: Entry
    film: Picture
    overlay: Picture | None
    institution: str = ""


def write_pdf(path: Path, report: Report, *, translate: Translate = str, language: str = "en") -> Path:
    """Write the report as PDF, one page of A4; `translate` gets every text of the program, with {names} unfilled.

    Long texts make all of it smaller; of a very long institution, patient code, reason or note only the beginning is
    shown. Raises `OsteoEdgeError` where the model's intended use and warnings leave no room, or the file cannot be
    written, and `MissingExtraError` without fpdf2.
    """
    load_extra(["fpdf"], feature="the PDF report", package="fpdf2", extra="app")
    from osteo_edge.edge_app.exports.page import draw_page

    return write_whole(path, draw_page(report, translate, language), "the report")


def report_name(entry: Entry) -> str:
    """A file name for the report, which does not tell who the patient is.

    It has the day of the screening, and enough of its id to find it again: "screening-2026-01-31-01234567.pdf".
    """
    return f"screening-{entry.taken_at[:10]}-{entry.id[:8]}.pdf"
