"""`osteo-edge screen`: the command; the flow itself is in `screening`."""

from collections.abc import Callable
from pathlib import Path

import click

from osteo_edge.bundle import read_bundle
from osteo_edge.console import show_json
from osteo_edge.preflight import open_checked
from osteo_edge.preprocessing import Pixels
from osteo_edge.screening import Failure, Screening, screen_all
from osteo_edge.trust import require_trusted
from osteo_edge.wording import probability_in_words


@click.command(short_help="Screen X-ray images with a TFLite bundle.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("images", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--overlay", type=click.Path(path_type=Path), help="Write the annotated film of each image to this folder."
)
@click.option(
    "--force", is_flag=True, help="Answer with a model that failed its check after conversion, each answer warned of."
)
@click.option(
    "--any-film",
    is_flag=True,
    help="Answer, with a warning, films unlike those that the model learned from: to try it out on a drawn one.",
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the interpreter [default: cores, at most 4].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one line an image.")
@click.pass_context
def screen(
    ctx: click.Context,
    bundle: Path,
    images: tuple[Path, ...],
    overlay: Path | None,
    force: bool,
    any_film: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Screen X-ray images (PNG, JPEG, BMP, TIFF, DICOM) with a TFLite bundle.

    Each image is referred, without finding, uncertain, or rejected. A referral aid, never a diagnosis, and no answer
    rules out low bone density. An image that cannot be read is reported, the others are answered, and the exit code
    is 1. A model that failed its check after conversion is refused; so is a film that is unlike those that the model
    learned from. On a device that holds trusted keys a model that is not signed is refused.

    \b
    Example:
      osteo-edge screen knee-int8 film.dcm --overlay pictures
    """
    loaded = read_bundle(bundle)
    require_trusted(loaded)
    interpreter = open_checked(loaded, threads=threads, tell=lambda line: click.echo(f"osteo-edge: {line}", err=True))
    answers = screen_all(images, loaded, interpreter, force=force, any_film=any_film)
    failed = False
    if not as_json:
        click.echo(f"{loaded.manifest.name}: {loaded.manifest.intended_use}\n")
    for answer in answers:
        if isinstance(answer, Failure):
            failed = True
            _show_failure(answer, as_json)
            continue
        radiograph, screening = answer
        picture = None if overlay is None else _picture(overlay, radiograph.pixels, screening)
        _show(screening, picture, as_json)
    if failed:
        ctx.exit(1)


def _show(screening: Screening, picture: Path | None, as_json: bool) -> None:
    if as_json:
        show_json({**screening.to_dict(), "overlay": None if picture is None else str(picture)}, indent=None)
        return
    lines = [*screening.notes]
    if screening.probabilities:
        lines.append("calibrated probability: " + _named(screening.probabilities, probability_in_words))
    lines.append(f"{_named(screening.stage_ms, '{:.0f} ms'.format)} ({screening.runtime})")
    if picture is not None:
        lines.append(f"overlay: {picture}")
    click.echo("\n  ".join([f"{screening.image}: {screening.headline}", *lines]))


def _named(values: dict[str, float], in_words: Callable[[float], str]) -> str:
    return ", ".join(f"{name} {in_words(value)}" for name, value in values.items())


def _show_failure(failure: Failure, as_json: bool) -> None:
    if as_json:
        show_json({"image": str(failure.image), "error": failure.error}, indent=None)
    click.echo(f"osteo-edge: {failure.error}", err=True)


def _picture(folder: Path, pixels: Pixels, screening: Screening) -> Path:
    from osteo_edge.overlay import write_overlay

    name = f"{screening.image.stem}-{screening.image_sha256[:8]}.overlay.png"
    return write_overlay(folder / name, pixels, screening)
