"""How fast a packed app screens in Chromium, beside LiteRT on this machine with one thread, turn by turn.

    python -m tests.edge_app.web.parity_timing [BUNDLE] [--films N] [--json]

prints milliseconds: what the model takes both ways, and what the page takes from a file to its answer. Medians say what
a user waits for; the least of each, and their ratio, are what other programs on the machine disturb least.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import click

from osteo_edge.bundle import read_bundle
from osteo_edge.edge_app.demo_bundle import FOLDER
from osteo_edge.edge_app.drawn_film import DRAWN_FILM
from osteo_edge.preprocessing import to_tensor
from osteo_edge.radiograph import read_radiograph
from osteo_edge.runtime import open_interpreter
from tests.edge_app.web.parity import opened_web

WARM_UP = 3


def measure(bundle: Path = FOLDER, films: int = 20) -> dict[str, float]:
    """The figures over so many films, the same one each time, after a few that do not count.

    `web_infer` and `native_infer` with their `ratio`, and `web_answer`, are medians; `least_...` the smallest. Making
    the integers of the tensor counts on both sides. `web_answer` ends when the page has the answer, the film and the
    map; `web_first_answer` is that of the very first film.
    """
    read = read_bundle(bundle)
    interpreter = open_interpreter(read, threads=1)
    content, tensor = DRAWN_FILM.read_bytes(), to_tensor(read_radiograph(DRAWN_FILM).pixels, read.manifest.input)
    native, web, whole = list[float](), list[float](), list[float]()
    with opened_web(bundle) as screener:
        for _ in range(WARM_UP + films):
            start = time.perf_counter()
            interpreter.run(tensor)
            native.append((time.perf_counter() - start) * 1000)
            answer = screener.screen(content, DRAWN_FILM.name)
            web.append(answer["stageMs"]["infer"])
            whole.append(answer["ms"])
    figures = {"web_infer": web, "native_infer": native, "web_answer": whole}
    found = {name: median(values[WARM_UP:]) for name, values in figures.items()}
    found |= {f"least_{name}": min(values[WARM_UP:]) for name, values in figures.items()}
    found["web_first_answer"] = whole[0]
    for prefix in ("", "least_"):
        found[f"{prefix}ratio"] = found[f"{prefix}web_infer"] / found[f"{prefix}native_infer"]
    return found


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--films", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(words)
    figures = {name: round(value, 2) for name, value in measure(given.bundle, given.films).items()}
    lines = "\n".join(f"{name}: {value}" for name, value in figures.items())
    click.echo(json.dumps(figures) if given.json else lines)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
