"""Fuzz one reader: `python -m tests.fuzz TARGET --runs N`."""

import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from tests.fuzz.mutation import mutations
from tests.fuzz.registry import TARGETS, corpus, corpus_folder
from tests.fuzz.scratch import scratch_folder

MEMORY_MIB: Final = 512
SECONDS_EACH: Final = 10
MAX_BYTES: Final = 100_000
"""What one input may take: of memory the whole process, of time itself; and how long it may be."""
INSTRUMENTED: Final = ("osteo_edge", "pydicom", "PIL", "zipfile", "tarfile")
"""What tells the fuzzer where it has been."""
TABLES: Final = ("pydicom._dicom_dict", "pydicom._private_dict", "pydicom._uid_dict", "pydicom._storage_sopclass_uids")
"""Long tables of names, which would take minutes to prepare for that, and tell nothing."""
LEFT_OUT: Final = "gdcm"
"""python-gdcm ends the whole program over some damaged frames: what it decodes is refused while inputs are bred."""


@click.command()
@click.argument("name", metavar="TARGET", type=click.Choice(TARGETS))
@click.option("--runs", default=100_000, show_default=True, help="How many inputs to try.")
@click.option("--seconds", default=0, help="Stop after so long; 0: when all runs are done.")
@click.option("--seed", default=1, show_default=True, help="Another number tries other inputs.")
@click.option("--kept", type=click.Path(path_type=Path), help="Folder for inputs that reach new code, to go on from.")
@click.option("--findings", default=".", type=click.Path(path_type=Path), help="Folder for inputs that break a reader.")
def main(name: str, runs: int, seconds: int, seed: int, kept: Path | None, findings: Path) -> None:
    """Feed TARGET with damaged files until it breaks its promise: a value, or one line that the user can read.

    Any other exception, a crash, more than 512 MiB of memory or ten seconds for one file is a finding: its bytes are
    written to a file crash-*, oom-* or timeout-*. With atheris (Linux on x86-64) the inputs are bred by the code that
    they reach; without it they are the corpus with random damage, the same in every run.

    \b
    Example:
      python -m tests.fuzz manifest --runs 1000000
    """
    findings.mkdir(parents=True, exist_ok=True)
    if find_spec("atheris") is None:
        _mutate(name, runs, seconds, seed, findings)
    else:
        with TemporaryDirectory(prefix="osteo-edge-fuzz-") as scratch:
            sys.exit(_in_a_child(lambda: _breed(name, runs, seconds, seed, kept or Path(scratch), findings)))


def _in_a_child(deed: Callable[[], None]) -> int:
    """Do it in a process of its own, which libFuzzer ends, and give its exit code: what it leaves is removed here."""
    scratch_folder()
    child = os.fork()
    if child == 0:
        deed()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _mutate(name: str, runs: int, seconds: int, seed: int, findings: Path) -> None:
    from tests.fuzz.promise import BrokenPromiseError, keep
    from tests.fuzz.registry import target

    read, started, taken, done = target(name).read, time.monotonic(), 0, 0
    for data in mutations(corpus(name), runs, seed):
        try:
            taken += keep(read, data)
        except BrokenPromiseError:
            (findings / f"crash-{name}-{done}").write_bytes(data)
            raise
        done += 1
        if seconds and time.monotonic() - started > seconds:
            break
    click.echo(f"{name}: {done:,} inputs, {taken:,} of them taken, {time.monotonic() - started:.0f} s, without atheris")


def _breed(name: str, runs: int, seconds: int, seed: int, kept: Path, findings: Path) -> None:
    """Let libFuzzer choose the inputs; it ends the process itself."""
    import atheris

    sys.modules[LEFT_OUT] = None  # type: ignore[assignment]
    with atheris.instrument_imports(include=list(INSTRUMENTED), exclude=list(TABLES)):
        from tests.fuzz.promise import keep
        from tests.fuzz.registry import target

        read = target(name).read
    kept.mkdir(parents=True, exist_ok=True)
    options = (
        f"-runs={runs}",
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-timeout={SECONDS_EACH}",
        f"-max_len={MAX_BYTES}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    )

    def one(data: bytes) -> None:
        keep(read, data)

    atheris.Setup([sys.argv[0], *options, str(kept), str(corpus_folder(name))], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
