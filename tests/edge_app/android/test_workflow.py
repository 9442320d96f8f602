"""The workflow that builds the app elsewhere: its pins are those of the spec, and what it calls is there."""

import re
import shlex
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
import yaml  # type: ignore[import-untyped]

from osteo_edge.edge_app.android import phone_test
from osteo_edge.edge_app.android.build_checks import HEADERS, TOOLS
from osteo_edge.edge_app.android.spec import Project, project_texts
from osteo_edge.edge_app.android.versions import API, ARCHS, JDK, MIN_API
from osteo_edge.edge_app.package_command import package

REPOSITORY = Path(__file__).resolve().parents[3]
WORKFLOW = REPOSITORY / ".github" / "workflows" / "android.yml"
TEXT = WORKFLOW.read_text("utf-8")
PARSED: dict[str, Any] = yaml.load(TEXT, yaml.BaseLoader)  # where "on" is a word, and 17 a text
JOBS: dict[str, Any] = PARSED["jobs"]
STEPS = [(f"{name}: {step.get('name', step.get('uses'))}", step) for name, job in JOBS.items() for step in job["steps"]]
SCRIPTS = [(name, step["run"]) for name, step in STEPS if "run" in step]
BUILDS = JOBS["build"]["strategy"]["matrix"]["include"]
RUNS = JOBS["run"]["strategy"]["matrix"]["include"]
OWN = "apt-get df do done find for install rm sort sudo tail tee udevadm".split()  # noqa: SIM905
"""Commands that every Ubuntu has."""


def words_of(script: str) -> list[list[str]]:
    """The commands of a script, as words; those that a pipe feeds are commands of their own."""
    commands: list[list[str]] = [[]]
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        for word in words:
            if re.fullmatch(r"[;|()&]+", word):
                commands.append([])
            else:
                commands[-1].append(word)
        commands.append([])
    return [command for command in commands if command]


def test_it_asks_for_reading_alone_and_for_no_secret() -> None:
    assert PARSED["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    assert "secrets" not in TEXT
    assert "pull_request_target" not in TEXT
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"] * len(JOBS)


def test_it_starts_by_hand_for_a_version_and_for_changes_of_the_app() -> None:
    assert set(PARSED["on"]) == {"workflow_dispatch", "push", "pull_request"}
    assert PARSED["on"]["push"] == {"tags": ["v*"]}
    for pattern in PARSED["on"]["pull_request"]["paths"]:
        assert list(REPOSITORY.glob(pattern.replace("/**", "/*"))), pattern


def test_no_job_can_hang_or_run_twice_for_the_same() -> None:
    assert all(0 < int(job["timeout-minutes"]) <= 360 for job in JOBS.values())
    assert PARSED["concurrency"]["cancel-in-progress"] == "true"
    assert PARSED["defaults"]["run"]["shell"] == "bash", "which ends at the first failure, in a pipe too"


def test_every_action_is_pinned_by_the_commit_of_a_release() -> None:
    used = re.findall(r"^ +(?:- )?uses: (.*)$", TEXT, re.M)
    assert len(used) == sum("uses" in step for _, step in STEPS) > 0
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    commits = {action.partition("@")[0]: set[str]() for action in used}
    for action in used:
        commits[action.partition("@")[0]].add(action.partition("@")[2])
    assert all(len(of_action) == 1 for of_action in commits.values()), commits


def test_nothing_that_a_stranger_names_becomes_a_part_of_a_script() -> None:
    for name, script in [*SCRIPTS, *((name, step["with"].get("script", "")) for name, step in STEPS if "with" in step)]:
        assert set(re.findall(r"\$\{\{ *(.*?) *\}\}", script)) <= {"matrix.options"}, name


def test_its_pins_are_those_of_the_spec() -> None:
    (java,) = [step["with"] for _, step in STEPS if step.get("uses", "").startswith("actions/setup-java@")]
    assert java["java-version"] == str(JDK)
    (python,) = [step["with"] for _, step in STEPS if step.get("uses", "").startswith("actions/setup-python@")]
    assert f"Programming Language :: Python :: {python['python-version']}" in (REPOSITORY / "setup.cfg").read_text(
        "utf-8"
    )
    built = [arch for build in BUILDS for arch in build["archs"].split()[1::2]]
    assert sorted(built) == sorted(ARCHS), "every processor, once"
    apis = {run["api"]: run for run in RUNS}
    assert {str(MIN_API), str(API)} <= set(apis), "the oldest and the newest are run on"
    assert apis[str(API)]["target"].endswith("_ps16k")
    assert apis[str(API)]["options"] == "--page-bytes 16384"
    spec = project_texts(Project(), bundle="")["buildozer.spec"]
    assert f"android.minapi = {MIN_API}\n" in spec
    assert f"android.api = {API}\n" in spec
    for pin in re.findall(r"'([\w.-]+[=<>]=[\w.]+)'", TEXT):
        assert pin in project_texts(Project(), bundle="")["README.md"], pin


def test_what_is_compiled_is_kept_for_the_same_pins_alone_and_never_for_a_version() -> None:
    (cache,) = [step for _, step in STEPS if step.get("uses", "").startswith("actions/cache@")]
    patterns = re.findall(r"'([^']*)'", cache["with"]["key"])
    assert "edge_app/android/versions.py" in patterns
    for pattern in patterns:
        assert list(REPOSITORY.glob(pattern.replace("/**", "/*"))), pattern
    assert cache["if"] == "github.ref_type != 'tag'"
    (build,) = [script for _, script in SCRIPTS if "--build " in script]
    words = shlex.split(build)
    assert words[words.index("--build-dir") + 1] in cache["with"]["path"].split()


def test_it_installs_what_the_build_checks_for() -> None:
    (script,) = [script for _, script in SCRIPTS if "apt-get install" in script]
    installed = {word for words in words_of(script) if "install" in words for word in words[words.index("install") :]}
    assert {*TOOLS.values(), *HEADERS.values()} <= installed


@pytest.mark.parametrize("archs", [build["archs"] for build in BUILDS])
def test_every_command_that_it_calls_is_there_and_takes_its_options(archs: str, tmp_path: Path) -> None:
    (tmp_path / "app.apk").touch()
    called = []
    for _, script in SCRIPTS:
        for words in words_of(script.replace("$ARCHS", archs).replace('"$apk"', str(tmp_path / "app.apk"))):
            command = next((word for word in words if word not in ("sudo", "do")), "do")
            if words[:3] == ["osteo-edge", "package", "android"]:
                called.append("package")
                _parse(package.commands["android"], words[3:])
            elif words[:2] == ["python", "-m"] and words[2] != "pip":
                called.append(words[2])
                assert find_spec(words[2]) is not None
                module = __import__(words[2], fromlist=["main"])
                _parse(module.main, [str(tmp_path) if word == "$tools" else word for word in words[3:]])
            else:
                assert command in (*OWN, "echo", "python") or command.endswith("=$"), words
    assert called == [
        "package",
        "package",
        "osteo_edge.edge_app.android.apk_check",
        "osteo_edge.edge_app.android.alignment",
    ]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"API {run['api']}")
def test_the_emulators_test_is_the_script_with_options_that_it_takes(run: dict[str, str]) -> None:
    (step,) = [step for _, step in STEPS if "android-emulator-runner@" in step.get("uses", "")]
    script = step["with"]["script"].replace("${{ matrix.options }}", run["options"])
    assert "\n" not in script.strip(), "each line would be a shell of its own"
    python, isolated, path, *words = shlex.split(script)
    assert (python, isolated, REPOSITORY / path) == ("python3", "-I", Path(phone_test.__file__).resolve())
    given = phone_test._parser().parse_args(words)
    downloaded = next(step["with"] for _, step in STEPS if "download-artifact@" in step.get("uses", ""))
    assert given.apk.parent == Path(downloaded["path"])
    uploads = [step["with"] for _, step in STEPS if "upload-artifact@" in step.get("uses", "")]
    assert str(given.out) in [upload["path"] for upload in uploads]
    assert downloaded["name"] in [
        upload["name"].replace("${{ matrix.name }}", build["name"]) for upload in uploads for build in BUILDS
    ]
    assert step["with"]["arch"] == "x86_64"


def test_the_logs_are_kept_when_it_fails_too() -> None:
    kept = [step for _, step in STEPS if "log" in step.get("name", "") or "said" in step.get("name", "")]
    assert len(kept) == len(JOBS)
    assert all(step["if"] == "always()" for step in kept)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck: make packaging")
def test_its_scripts_pass_shellcheck() -> None:
    for name, script in SCRIPTS:
        text = f"ARCHS=; BUNDLE=; export ARCHS BUNDLE\n{script}"
        several = ["--exclude=SC2086"] if "$ARCHS" in script else []  # meant: it is several words
        command = ["shellcheck", "--shell=bash", *several, "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stdout}"


def _parse(command: click.Command, words: list[str]) -> None:
    """Raise `click.UsageError` for words that the command does not take."""
    command.make_context(command.name, list(words))
