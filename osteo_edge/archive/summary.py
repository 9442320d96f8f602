"""The summary of an archive's results: `summary.json` for machines, `summary.html` for people."""

import json
from typing import Any, Final

from osteo_edge.archive.plan import Plan
from osteo_edge.archive.summary_figures import summarize
from osteo_edge.archive.summary_page import render_summary
from osteo_edge.bundle import Bundle
from osteo_edge.durable import write_durably

JSON_NAME: Final = "summary.json"
PAGE_NAME: Final = "summary.html"


def write_summary(plan: Plan, bundle: Bundle) -> dict[str, Any]:
    """Count what is done of the plan, and write the summary beside the results; what `summary.json` holds.

    OsteoEdgeError where it cannot be written, or results cannot be read.
    """
    summary = summarize(plan, bundle)
    plain = summary.to_dict()
    text = json.dumps(plain, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    write_durably(plan.out / JSON_NAME, _encoded(text), "the summary")
    write_durably(plan.out / PAGE_NAME, _encoded(render_summary(summary, bundle)), "the summary")
    return plain


def _encoded(text: str) -> bytes:
    """In UTF-8; the source's path may hold bytes that are no text, which are escaped as JSON escapes them."""
    return text.encode("utf-8", "backslashreplace")
