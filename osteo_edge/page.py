"""The parts that reports are put together from: one self-contained HTML page, its tables, plots and films."""

import base64
import html
from collections.abc import Iterable, Sequence

import numpy as np

from osteo_edge.filters import Pixels
from osteo_edge.intervals import Estimate
from osteo_edge.overlay import blend
from osteo_edge.raster import codec

BEGINS = b"<!doctype html>"
"""Every page."""
FILM_SIDE_PX = 420
BAR_WIDTH_PX = 240
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --faint: #667085; --line: #d5dae3; --mark: #0b6e99; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e7eaf0; --paper: #14181f; --faint: #98a2b3; --line: #344054; --mark: #5cc0e8; }
  .plots:not(.as-drawn) svg:not(:has(image)) { filter: brightness(1.5); } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.use, .alarm { border-left: 4px solid #c4420d; padding: .5rem 1rem; font-weight: 600; }
.alarm { background: color-mix(in srgb, #c4420d 14%, transparent); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: middle; } th:first-child,
  td:first-child { min-width: 7rem; } td.n { font-variant-numeric: tabular-nums; }
.even table { table-layout: fixed; min-width: 36rem; }
.even :is(th, td):nth-child(n) { min-width: 0; vertical-align: top; }
.films { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 1rem; }
.plots.wide { grid-template-columns: minmax(0, 46rem); }
.plots, .films { margin: 1.2rem 0; } .plots svg { width: 100%; height: auto; }
figure { margin: 0; } figure img { width: 100%; height: 18rem; object-fit: contain; background: #000; }
figcaption, .faint { color: var(--faint); font-size: .9rem; } figcaption, td { overflow-wrap: break-word; }
svg .axis { stroke: var(--line); } svg .mark { stroke: var(--mark); fill: var(--mark); }
code { font-size: .9em; overflow-wrap: anywhere; }
@page { size: A4; margin: 14mm; }
@media print { body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  table { font-size: 7pt; } th, td { padding: .15rem .3rem .15rem 0; } th:first-child, td:first-child { min-width: 0; }
  figcaption, .faint { font-size: 8pt; } .wide { overflow: visible; }
  .plots { grid-template-columns: 1fr 1fr; } .plots.wide { grid-template-columns: 1fr; }
  figure, tr, li, .alarm, .use { break-inside: avoid; } h1, h2, h3 { break-after: avoid; }
  details::details-content { content-visibility: visible; } }
"""


def render_page(title: str, sections: Iterable[str]) -> str:
    """The whole page, which loads nothing from anywhere and runs no script; sections are HTML."""
    body = "\n".join(sections)
    return (
        f'{BEGINS.decode()}\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f"<body>{body}</body></html>\n"
    )


def escape(text: object) -> str:
    """Text as it may stand in HTML, in an attribute too."""
    return html.escape(str(text), quote=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of text, whose cells are escaped."""
    return table_of_html([escape(title) for title in head], ([escape(cell) for cell in row] for row in rows))


def table_of_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are HTML already."""
    top = "".join(f"<th>{title}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def estimate_table(estimates: Iterable[tuple[str, Estimate]]) -> str:
    """Measures with their intervals, in numbers and as bars from 0 to 1."""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="n">{escape(found)}</td><td>{interval_bar(found)}</td></tr>'
        for name, found in estimates
    )
    return f"<table><tr><th>Metric</th><th>Value</th><th>0 to 1</th></tr>{rows}</table>"


def interval_bar(found: Estimate) -> str:
    """A value with its interval on a line from 0 to 1; nothing where it is not defined or lies outside."""
    numbers = (found.value, found.low, found.high)
    if not all(np.isfinite(number) and 0 <= number <= 1 for number in numbers):
        return ""
    width, middle = BAR_WIDTH_PX, 10
    value, low, high = (round(number * width, 1) for number in numbers)
    return (
        f'<svg width="{width + 8}" height="20" viewBox="-4 0 {width + 8} 20" role="img" aria-label="{escape(found)}">'
        f'<line class="axis" x1="0" x2="{width}" y1="{middle}" y2="{middle}"/>'
        f'<line class="axis" x1="{width / 2}" x2="{width / 2}" y1="4" y2="16"/>'
        f'<line class="mark" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}" stroke-width="3"/>'
        f'<circle class="mark" cx="{value}" cy="{middle}" r="4"/></svg>'
    )


def plots(pictures: Iterable[tuple[str, str]], *, wide: bool = False, brighten: bool = True) -> str:
    """Plots, each an SVG with its caption: side by side, or one below the other where they are `wide`.

    A dark page shows colours brighter unless told not to, because they suit both.
    """
    layout = f"plots{' wide' if wide else ''}{'' if brighten else ' as-drawn'}"
    figures = (
        f"<figure>{_named(picture, caption)}<figcaption>{escape(caption)}</figcaption></figure>"
        for picture, caption in pictures
    )
    return f'<div class="{layout}">{"".join(figures)}</div>'


def _named(picture: str, caption: str) -> str:
    """The SVG with its caption for those who cannot see it."""
    return picture.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)


def alarms(sentences: Iterable[str]) -> str:
    """Reasons not to believe the figures, so that nobody reads past them."""
    return "".join(f'<p class="alarm">{escape(sentence)}</p>' for sentence in sentences)


def films(shown: Iterable[tuple[Pixels, Pixels | None, str]]) -> str:
    """Films, (height, width) in [0, 1], each with the evidence that a model saw in it, if any, and a caption."""
    return f'<div class="films">{"".join(_film(*film) for film in shown)}</div>'


def _film(pixels: Pixels, evidence: Pixels | None, caption: str) -> str:
    data = codec.encode_jpeg(blend(pixels, evidence, max_side_px=FILM_SIDE_PX), 88)
    source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    text = escape(caption)
    return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'
