"""Write the corpus anew, from drawn films and golden bundles: `python -m tests.fuzz.make_corpus`."""

import click

from tests.fuzz.registry import SHARED, TARGETS, corpus_folder, target

MAX_BYTES = 100_000


@click.command()
def main() -> None:
    """Write the files that each target begins with to tests/fuzz/corpus/TARGET, in place of those that are there.

    What was found by fuzzing, found-*, stays.
    """
    for name in (name for name in TARGETS if name not in SHARED):
        folder = corpus_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("[0-9]*"):
            path.unlink()
        for number, data in enumerate(target(name).seeds()):
            assert len(data) <= MAX_BYTES, f"{name} {number} has {len(data)} bytes"
            (folder / f"{number:02d}").write_bytes(data)
        click.echo(f"{name}: {sum(path.stat().st_size for path in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
