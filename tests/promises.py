"""`python -m tests.promises`: the promises of docs/safety.md, each with what its tests say now."""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree

import click

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "safety.md"
NAMED: Final = re.compile(r"(?:tests/[\w/]*)?test_\w+\.py")
KINDS: Final = ("not kivy and not release", "kivy and not release")
"""TensorFlow and Kivy's window need a process each."""
STDERR: Final = 2
NONE_CHOSEN: Final = 5
Result = Literal["holds", "BROKEN", "not run here", "measured, not tested"]


@dataclass(frozen=True)
class Promise:
    """A row of a table: what is promised, by which files of tests, and what the page says came of it."""

    section: str
    words: str
    files: tuple[str, ...]
    stated: str


@dataclass(frozen=True)
class Kept:
    """A promise, with how its tests ended now."""

    promise: Promise
    passed: int
    failed: int
    skipped: int

    @property
    def result(self) -> Result:
        if not self.promise.files:
            return "measured, not tested"
        if self.failed:
            return "BROKEN"
        return "holds" if self.passed else "not run here"


def read_promises(page: str) -> tuple[Promise, ...]:
    """The rows of a page's tables of promises.

    A row without words is about the promise above it; "same" are the tests above, and a file without a folder lies
    beside the one that was named before it.
    """
    return tuple(_rows(page.splitlines()))


def _rows(lines: Iterable[str]) -> Iterator[Promise]:
    section, words, folder, is_table = "", "", "", False
    files: tuple[str, ...] = ()
    for line in lines:
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if line.startswith("| ") else []
        is_table = bool(cells) and (is_table or [cell.lower() for cell in cells[:2]] == ["promise", "test"])
        if not is_table or cells[0].lower() == "promise" or set(cells[0]) == {"-"}:
            continue
        named = []
        for name in NAMED.findall(cells[1]):
            folder = name.rpartition("/")[0] or folder
            named.append(f"{folder}/{name.rpartition('/')[2]}")
        above = files if re.match(r"(the )?same\b", cells[1]) else ()
        files = tuple(dict.fromkeys([*above, *named]))
        words = cells[0].strip("* ") or words
        yield Promise(section, words, files, " ".join(cells[2:]).strip("* "))


def try_them(promises: Iterable[Promise]) -> tuple[Kept, ...]:
    """Run the tests of promises, each file once; what they print goes to standard error."""
    promises = tuple(promises)
    ended = _ended(sorted({file for promise in promises for file in promise.files}))
    return tuple(
        Kept(promise, *(sum(ended[file, how] for file in promise.files) for how in ("passed", "failed", "skipped")))
        for promise in promises
    )


def _ended(files: list[str]) -> Counter[tuple[str, str]]:
    """How many tests of each file ended how."""
    found = Counter[tuple[str, str]]()
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(KINDS if files else ()):
            report = Path(folder, f"{number}.xml")
            command = [sys.executable, "-m", "pytest", "-q", "-m", kind, f"--junitxml={report}", "-o"]
            done = subprocess.run([*command, "junit_family=xunit1", *files], cwd=ROOT, stdout=STDERR, check=False)
            if done.returncode not in (0, 1, NONE_CHOSEN):
                raise click.ClickException("pytest could not run the tests; what it says stands above")
            for case in ElementTree.parse(report).iter("testcase"):
                found[case.get("file", ""), _end_of(case)] += 1
    return found


def _end_of(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


@click.command()
@click.option("--only", default="", metavar="WORDS", help="Only promises that hold these words, or whose section does.")
@click.option("--list", "only_list", is_flag=True, help="Name promises and tests, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line a promise.")
def main(only: str, only_list: bool, as_json: bool) -> None:
    """Run the tests behind the promises of docs/safety.md, and print each promise with what came of it.

    Whole files are run, so a count is that of all tests in the files that a promise names. What was measured once, by a
    command that the page names, is said to be measured and is not run. All of it takes a quarter of an hour or more.

    \b
    Examples:
      python -m tests.promises --only signed
      python -m tests.promises --json > promises.jsonl
    """
    promises = [
        one for one in read_promises(PAGE.read_text("utf-8")) if only.lower() in f"{one.section} {one.words}".lower()
    ]
    if not promises:
        raise click.UsageError(f"no promise of {PAGE.name} holds the words {only!r}; --list names them all")
    if only_list:
        for promise in promises:
            click.echo(f"{promise.section}: {promise.words}\n  {', '.join(promise.files) or 'measured, not tested'}")
        return
    tried = try_them(promises)
    if not as_json:
        click.echo("| Promise | Test | Passed, failed, skipped | Result |\n| --- | --- | --- | --- |")
    for kept in tried:
        click.echo(json.dumps(asdict(kept) | {"result": kept.result}) if as_json else _row(kept))
    broken = sum(kept.result == "BROKEN" for kept in tried)
    if broken:
        raise click.ClickException(f"{broken} of {len(tried)} promises are broken; what failed stands above")


def _row(kept: Kept) -> str:
    tests = ", ".join(f"`{file}`" for file in kept.promise.files) or kept.promise.stated
    return f"| {kept.promise.words} | {tests} | {kept.passed}, {kept.failed}, {kept.skipped} | {kept.result} |"


if __name__ == "__main__":
    main()
