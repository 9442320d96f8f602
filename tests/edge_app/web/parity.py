"""The page's screening beside Python's, film by film: the worker of a packed app in Chromium, and the library.

    python -m tests.edge_app.web.parity BUNDLE FOLDER...

screens all image files below the folders both ways and says what differs; it ends with status 1 if anything does. With
a model that tells bones apart each file is screened as it is, and once for each bone, as if the user had named it.
"""

import base64
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click
import numpy as np
import numpy.typing as npt
from playwright.sync_api import Page, sync_playwright

from osteo_edge.bundle import Bundle, read_bundle
from osteo_edge.edge_app.web.packing import pack
from osteo_edge.errors import RadiographError
from osteo_edge.overlay import MAX_SIDE_PX, blend
from osteo_edge.radiograph import Radiograph
from osteo_edge.runtime import Interpreter, open_interpreter
from osteo_edge.screening import Screening, screen

MAX_PROBABILITY_DIFFERENCE: Final = 0.01
MAX_MAP_DIFFERENCE: Final = 1e-4
MAX_GREY_DIFFERENCE: Final = 1
"""Of 255: the picture on the screen is rounded."""
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".bmp", ".dcm")

_OPEN: Final = """async ([address, script]) => {
  const worker = new Worker(new URL(script, address));
  const waiting = new Map();
  worker.onmessage = ({ data }) => data.progress || waiting.get(data.id)(data);
  window.ask = (task, transfer = []) => new Promise((resolve) => {
    const id = waiting.size;
    waiting.set(id, resolve);
    worker.postMessage({ ...task, id }, transfer);
  });
  return (await window.ask({ task: "open", baseUrl: address })).error ?? null;
}"""
_SCREEN: Final = """async ([content, name, bone]) => {
  const text = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let letters = "";
    for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(letters);
  };
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const start = performance.now();
  const { result, error } = await window.ask({ task: "screen", bytes: bytes.buffer, name, bone }, [bytes.buffer]);
  const ms = performance.now() - start;
  if (error) return { error, ms };
  const { picture, map } = result;
  const [grey, data] = [text(picture.grey), map && text(map.data)];
  return { ...result, ms, picture: { ...picture, grey }, map: map && { ...map, data } };
}"""


class WebScreener:
    """The worker of a packed app, asked by a page that shows nothing."""

    def __init__(self, page: Page, address: str, app: Path) -> None:
        self._page = page
        page.goto(f"{address}licences.txt")
        (script,) = (app / "assets").glob("worker-*.js")
        problem = page.evaluate(_OPEN, [address, f"assets/{script.name}"])
        if problem is not None:
            raise RuntimeError(problem)

    def screen(self, data: bytes, name: str, bone: str | None = None) -> dict[str, Any]:
        """What the page answers: a Screening of src/core/types.ts with its arrays in base64, or `error`; and `ms`."""
        found: dict[str, Any] = self._page.evaluate(_SCREEN, [base64.b64encode(data).decode(), name, bone])
        return found


@dataclass(frozen=True)
class Comparison:
    """How both answer one film: in what they differ, in words, and the figures."""

    outcome: str
    differences: tuple[str, ...]
    probability: float = 0.0
    evidence: float = 0.0
    grey: int = 0


def compare(
    film: Path, web: WebScreener, bundle: Bundle, interpreter: Interpreter, bone: str | None = None
) -> Comparison:
    """Screen one film both ways; `bone` is what the user says that it shows."""
    found = web.screen(film.read_bytes(), film.name, bone)
    try:
        radiograph, expected = screen(film, bundle, interpreter, bone)
    except RadiographError as error:
        same = str(error).removeprefix(f"{film}: ") == found.get("error")
        return Comparison("unreadable", () if same else (f"{error} | {found.get('error', found.get('outcome'))}",))
    if "error" in found:
        return Comparison(expected.outcome, (f"{expected.outcome} | {found['error']}",))
    words = different_words(found, expected)
    probability, evidence = _probability_difference(found, expected), _map_difference(found, expected)
    grey = _grey_difference(found, radiograph)
    figures = {
        "probabilities": probability > MAX_PROBABILITY_DIFFERENCE,
        "evidence": evidence > MAX_MAP_DIFFERENCE,
        "pixels": grey > MAX_GREY_DIFFERENCE,
    }
    differences = (*words, *(name for name, differs in figures.items() if differs))
    return Comparison(expected.outcome, differences, probability, evidence, grey)


def films_below(*folders: Path) -> list[Path]:
    """The image files below some folders."""
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def different_words(found: dict[str, Any], expected: Screening) -> Iterator[str]:
    """In what the words of the page's answer differ from Python's."""
    words = {
        "outcome": expected.outcome,
        "finding": expected.finding,
        "bone": expected.bone,
        "headline": expected.headline,
        "notes": list(expected.notes),
        "reasons": list(expected.reasons),
        "imageSha256": expected.image_sha256,
        "modelSha256": expected.model_sha256,
        "intendedUse": expected.intended_use,
    }
    return (f"{name}: {found[name]} | {word}" for name, word in words.items() if found[name] != word)


def _probability_difference(found: dict[str, Any], expected: Screening) -> float:
    given = {one["label"]: one["value"] for one in found["probabilities"]}
    if given.keys() != expected.probabilities.keys():
        return 1.0
    scores = (0.0,) if expected.score is None else (abs(expected.score - (found["score"] or 0)),)
    return float(max(*scores, 0.0, *(abs(value - given[label]) for label, value in expected.probabilities.items())))


def _map_difference(found: dict[str, Any], expected: Screening) -> float:
    if expected.evidence is None or found["map"] is None:
        return 0.0 if expected.evidence is None and found["map"] is None else 1.0
    given = _array(found["map"], "data", np.float32)
    return float(np.abs(given - expected.evidence).max()) if given.shape == expected.evidence.shape else 1.0


def _grey_difference(found: dict[str, Any], radiograph: Radiograph) -> int:
    grey = _array(found["picture"], "grey", np.uint8).astype(int)
    expected = blend(radiograph.pixels, None, max_side_px=MAX_SIDE_PX)[..., 0]
    return int(np.abs(grey - expected).max()) if grey.shape == expected.shape else 255


def _array(packed: dict[str, Any], name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.frombuffer(base64.b64decode(packed[name]), dtype).reshape(packed["height"], packed["width"])


@contextmanager
def opened_web(bundle: Path) -> Iterator[WebScreener]:
    """Pack a bundle, serve it on the loopback and open it in Chromium, for commands."""
    from tests.edge_app.web.conftest import CHROMIUM, serving, watched

    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        app = pack(bundle, Path(folder) / "app").path
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        with serving(app) as address, watched(browser) as context:
            yield WebScreener(context.new_page(), address, app)
        browser.close()


def main(words: Sequence[str]) -> int:
    """Compare all films below some folders, and print what differs and the largest figures."""
    bundle = read_bundle(Path(words[0]))
    interpreter, outcomes, found = open_interpreter(bundle, threads=1), Counter[str](), list[Comparison]()
    heads = () if bundle.manifest.router is None else bundle.manifest.router.heads
    with opened_web(bundle.path) as web:
        for film, bone in product(films_below(*map(Path, words[1:])), (None, *(head.bone for head in heads))):
            comparison = compare(film, web, bundle, interpreter, bone)
            outcomes[comparison.outcome] += 1
            found.append(comparison)
            for difference in comparison.differences:
                click.echo(f"{film}: {difference}")
    click.echo(f"{len(found)} answers, {sum(bool(one.differences) for one in found)} different: {dict(outcomes)}")
    click.echo(
        f"largest differences: probability {max(one.probability for one in found):.2e}, "
        f"evidence {max(one.evidence for one in found):.2e}, grey level {max(one.grey for one in found)}"
    )
    return int(any(one.differences for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
