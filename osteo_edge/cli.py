"""The `osteo-edge` command: a table of lazily imported commands, and the one place where an error becomes one line."""

import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import click

from osteo_edge.errors import OsteoEdgeError
from osteo_edge.interruption import interruption_noted
from osteo_edge.version import VERSION

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
NO_MEMORY = "there is not enough memory for this"
SYMLINK_LOOP = "Symlink loop"


class Entry(NamedTuple):
    """Where a command lives, and its line in the overview; imported only when it is called."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "data": Entry("osteo_edge.train.data_commands", "data", "Draw, audit, split and join data sets."),
    "train": Entry("osteo_edge.train.train_command", "train", "Train a classifier on labelled X-rays."),
    "convert": Entry("osteo_edge.convert.convert_command", "convert", "Convert a trained bundle to TFLite."),
    "compare": Entry("osteo_edge.convert.compare_command", "compare", "Compare compressed bundles with the float one."),
    "prune": Entry("osteo_edge.train.prune_command", "prune", "Compress a trained bundle while fine-tuning it."),
    "qat": Entry("osteo_edge.train.qat_command", "qat", "Train a bundle's network for int8."),
    "compress": Entry("osteo_edge.compress_command", "compress", "Search for the smallest model within bounds."),
    "evaluate": Entry("osteo_edge.train.evaluate_command", "evaluate", "Measure a bundle on one part of a split."),
    "stress": Entry("osteo_edge.train.stress_command", "stress", "Measure what spoilt films do to a bundle's answers."),
    "cv": Entry("osteo_edge.train.cv_command", "cv", "Cross-validate recipes, beside honest baselines."),
    "ensemble": Entry("osteo_edge.train.ensemble_command", "ensemble", "Join several trained bundles into one."),
    "explain": Entry("osteo_edge.train.explain_command", "explain", "Show what moved a Keras bundle's answer."),
    "bench": Entry("osteo_edge.benchmarks.bench.command", "bench", "Measure bundles: speed, memory, size, fidelity."),
    "screen": Entry("osteo_edge.screen_command", "screen", "Screen X-ray images with a TFLite bundle."),
    "screen-archive": Entry("osteo_edge.archive.command", "screen_archive", "Screen a whole archive of films."),
    "watch": Entry("osteo_edge.edge_app.watch_command", "watch_folder", "Screen what arrives in a folder."),
    "app": Entry("osteo_edge.edge_app.app_command", "app", "Screen films in a window, with history and follow-up."),
    "package": Entry("osteo_edge.edge_app.package_command", "package", "Pack program and model for a device."),
    "serve": Entry("osteo_edge.edge_app.web.serve_command", "serve", "Serve the web app on the clinic's network."),
    "update": Entry("osteo_edge.edge_app.pi.update_command", "update", "Install another version from a kit."),
    "signing-key": Entry("osteo_edge.sign_command", "signing_key", "Make a key to sign models with."),
    "sign": Entry("osteo_edge.sign_command", "sign", "Sign a bundle, so that devices can tell whose it is."),
    "verify": Entry("osteo_edge.sign_command", "verify", "Tell whether a bundle is signed with a key that you trust."),
    "sbom": Entry("osteo_edge.edge_app.sbom_command", "sbom", "List what a wheel, kit or bundle is made of."),
    "audit-log": Entry("osteo_edge.audit_command", "audit_log", "Show and verify the record of all that was done."),
    "inspect": Entry("osteo_edge.inspect_command", "inspect", "Show a bundle and verify every file in it."),
    "demo": Entry("osteo_edge.demo", "demo", "Run the whole job on drawn X-rays."),
    "doctor": Entry("osteo_edge.doctor", "doctor", "Tell what is installed, used and missing."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when the overview is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        with _nothing_collected():
            command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        _refuse_empty_names(command)
        return _with_verbose(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="osteo-edge")
def cli() -> None:
    """Bone-screening models on small devices: train, convert, measure and run.

    A referral aid, never a diagnosis and never a rule-out.

    \b
    Start here:
      osteo-edge demo            the whole job on drawn X-rays, a few minutes
      osteo-edge doctor          what is installed, and what is missing
      osteo-edge COMMAND --help  each command, with an example
    """


def main() -> None:
    """Run the command line and exit with its code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed: what is opened next would get its number, and what libraries print
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)
        os.register_at_fork(after_in_child=partial(signal.signal, signal.SIGTERM, signal.SIG_DFL))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold bytes that are no text
    code = run(sys.argv[1:])
    gc.freeze()  # what is left ends with the process: to take it apart first takes longer than a film
    sys.exit(code)


def _end(number: int, frame: object) -> NoReturn:
    """End as a program that has failed does: what is half-written, and copies of films, do not stay behind."""
    signal.signal(number, signal.SIG_DFL)
    raise SystemExit(EXIT_TERMINATED)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code: 0, 1 for what a user can mend, 2 for wrong usage, 130 for Ctrl-C.

    SIGTERM leaves it as `SystemExit`.
    """
    try:
        _require_sound_surroundings()
        with interruption_noted():
            code = cli.main(args=list(arguments), prog_name="osteo-edge", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; nothing half-written was left behind", EXIT_INTERRUPTED)
    except OsteoEdgeError as error:
        return _fail(str(error), EXIT_FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except OSError as error:
        return _fail(f"{error.filename or 'a file, or standard output'}: {error.strerror or error}", EXIT_FAILED)
    except MemoryError:
        return _fail(f"{NO_MEMORY}; free some, or name a smaller file", EXIT_FAILED)
    except RuntimeError as error:
        if not str(error).startswith(SYMLINK_LOOP):  # which `Path.resolve` says so before Python 3.13
            raise
        return _fail(f"{error}; name a file or folder that is there", EXIT_FAILED)
    return code if isinstance(code, int) else 0


def _require_sound_surroundings() -> None:
    """`OsteoEdgeError` for what else would end in the midst of some library, whatever the command."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        from osteo_edge.source_date import made_at

        made_at()


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Look for no garbage meanwhile: an import leaves hardly any, and much else to be looked through."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fail(message: str, code: int) -> int:
    import logging  # which takes long to load, and most runs do without

    from osteo_edge.console import printable

    logging.getLogger("osteo_edge").debug("the error behind the next line", exc_info=True)
    told = "\n".join(map(printable, message.split("\n")))
    click.echo(f"osteo-edge: {told}", err=True)
    return code


class _Name(click.Path):
    """A file's or folder's name; the empty one, as of a variable that is not set, would be the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty; name a file or folder", param, ctx)
        return super().convert(value, param, ctx)


def _refuse_empty_names(command: click.Command) -> None:
    """Have a command, and each command within it, refuse them, wherever it takes a `click.Path`."""
    for inner in getattr(command, "commands", {}).values():
        _refuse_empty_names(inner)
    for parameter in command.params:
        if type(parameter.type) is click.Path:
            parameter.type.__class__ = _Name


def _with_verbose(command: click.Command) -> click.Command:
    """Give a command, and each command within it, the option -v."""
    for inner in getattr(command, "commands", {}).values():
        _with_verbose(inner)
    if not isinstance(command, click.Group) and not any(option.name == "verbose" for option in command.params):
        command.params.append(
            click.Option(
                ["-v", "--verbose"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_set_verbose,
                help="Say more on standard error, with the full error if one occurs.",
            )
        )
    return command


def _set_verbose(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        import logging

        logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("osteo_edge").setLevel(logging.DEBUG)
