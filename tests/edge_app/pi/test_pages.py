"""The pages for the person with the device hold to what there is: commands, scripts, settings, words on the screen."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from osteo_edge.cli import cli
from osteo_edge.edge_app.languages.messages import find_messages
from osteo_edge.trust import SYSTEM

REPOSITORY = Path(__file__).resolve().parents[3]
PI = REPOSITORY / "edge_app" / "pi"
FIRST_SCREENING, DOCTOR = (REPOSITORY / "docs" / name for name in ("pi-first-screening.md", "doctor.md"))
PAGES = (FIRST_SCREENING, DOCTOR)
SCRIPTS = {"install.sh": PI, "uninstall.sh": PI, "enable.sh": PI / "units"}


def code_in(page: Path) -> Iterator[str]:
    """What stands as code: indented lines without their remarks, and words in backquotes."""
    text = page.read_text("utf-8")
    for line in re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE):
        yield re.split(r" +# ", line)[0].strip()
    yield from re.findall(r"`([^`]+)`", text)


def commands_in(page: Path) -> Iterator[list[str]]:
    """The commands among it, without `sudo` and `sh`."""
    for code in code_in(page):
        if code.startswith(("sudo ", "sh ", "osteo-edge ")):
            words = shlex.split(code)
            while words[0] in ("sudo", "sh"):
                words = words[1:]
            yield words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_are_there_with_their_options(page: Path) -> None:
    seen = 0
    for name, *words in commands_in(page):
        if name != "osteo-edge":
            continue
        seen += 1
        context = click.Context(cli)
        command: click.Command | None = cli
        while isinstance(command, click.Group) and words:
            command, words = command.get_command(context, words[0]), words[1:]
        assert command is not None, f"{page.name}: osteo-edge has no such command"
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, f"{page.name}: {command.name} {words}"
    assert seen


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_scripts_are_there_with_their_options(page: Path) -> None:
    for name, *words in commands_in(page):
        script = Path(name).name
        if script.endswith(".sh"):
            text = (SCRIPTS[script] / script).read_text("utf-8")
            assert all(re.search(rf"^#.*{word}\b", text, re.MULTILINE) for word in words), (
                f"{page.name}: {name} {words}"
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_services_folders_and_settings_are_those_of_the_units(page: Path) -> None:
    units = "".join(path.read_text("utf-8") for path in sorted((PI / "units").iterdir()))
    text = page.read_text("utf-8")
    for path in re.findall(r"/(?:var/lib|etc)/osteo-edge/[\w./-]*\w", text):
        assert path == str(SYSTEM) or path.removesuffix("/settings.json") in units, path
    for unit in re.findall(r"osteo-edge-[a-z]+\b", text.replace("osteo-edge-pi", "")):
        assert (PI / "units" / f"{unit}.service").is_file(), unit


def test_words_in_bold_stand_on_the_screen() -> None:
    known = {message.text for message in find_messages()}
    bold = set(re.findall(r"\*\*([^*]+)\*\*", FIRST_SCREENING.read_text("utf-8"))) - {"bold"}
    assert len(bold) > 20
    assert bold - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.is_file(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], target
